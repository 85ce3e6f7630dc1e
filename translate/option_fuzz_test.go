package translate_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/translate"
)

// FuzzAnnotations holds for any annotation: nothing panics, twice is alike, and
// without rules a group has the power that the node gives.
func FuzzAnnotations(f *testing.F) {
	for _, o := range translate.OptionTable() {
		f.Add(translate.OptionPrefix+o.Name, o.Example)
	}
	for _, a := range translate.AnnotationTable() {
		f.Add(a.Key, "2-4Gi,ecs.c6.xlarge")
	}
	f.Add("cumulet.dev/", `[{"ip":"`)
	f.Fuzz(func(t *testing.T, key, value string) {
		for _, limits := range clouds() {
			o := options(limits)
			before, _, err := translate.Group(simplePod(), translate.References{}, o)
			if err != nil {
				t.Fatal(err)
			}
			pod := simplePod()
			pod.Annotations = map[string]string{key: value}
			spec, report, err := translate.Group(pod, translate.References{}, o)
			again, reportAgain, errAgain := translate.Group(pod, translate.References{}, o)
			if !reflect.DeepEqual(spec, again) || !reflect.DeepEqual(report, reportAgain) || text(err) != text(errAgain) {
				t.Errorf("a second run differs: %v, %v", err, errAgain)
			}
			if err != nil {
				continue
			}
			if diff := cmp.Diff(powerOf(&before), powerOf(&spec)); diff != "" {
				t.Errorf("%s: %q changes (-node +pod):\n%s", key, value, diff)
			}
		}
	})
}
