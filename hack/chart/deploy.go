package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
)

// clouds are the manifests under deploy/, each from the values file of the
// same name.
var clouds = []string{"eci", "kci"}

// namespace is where the plain manifests install cumulet: one that is there
// already, so that an apply in one step, or a dry run of it, works.
const namespace = "kube-system"

// header begins every plain manifest.
const header = `# cumulet with one virtual node, rendered from charts/cumulet by hack/chart; do
# not edit it in the repository.
#
# Fill in what stands in angle brackets, then run kubectl apply -f on your copy.
# The cluster id is the output of
#
#   kubectl get namespace kube-system -o jsonpath={.metadata.uid}
#
# It marks what this cluster owns in the cloud account: it must differ between
# clusters and never change while pods run. cumulet does not start before it is
# filled in. After a change of the ConfigMap, restart the Deployment.
`

// manifestOf renders one cloud's plain manifest.
func (r repository) manifestOf(cloud string) ([]byte, error) {
	values, err := common.ReadValuesFile(r.values(cloud))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.values(cloud), err)
	}
	result, err := template(r.chart(), release{name: "cumulet", namespace: namespace, values: values})
	if err != nil {
		return nil, fmt.Errorf("rendering the manifest of %s: %w", cloud, err)
	}
	var text bytes.Buffer
	text.WriteString(header)
	for _, object := range result.objects {
		text.WriteString("---\n" + withoutHelm(object) + "\n")
	}
	return text.Bytes(), nil
}

// withoutHelm leaves out the labels that say that helm manages the object.
func withoutHelm(object string) string {
	lines := strings.Split(object, "\n")
	kept := lines[:0]
	for _, line := range lines {
		label := strings.TrimSpace(line)
		if strings.HasPrefix(label, "helm.sh/chart: ") || label == "app.kubernetes.io/managed-by: Helm" {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// render writes every plain manifest.
func (r repository) render(out io.Writer) error {
	for _, cloud := range clouds {
		manifest, err := r.manifestOf(cloud)
		if err != nil {
			return err
		}
		//nolint:gosec // G306: a file of the repository, for everybody to read.
		if err := os.WriteFile(r.manifest(cloud), manifest, 0o644); err != nil {
			return fmt.Errorf("writing manifest: %w", err)
		}
		fmt.Fprintln(out, "wrote", r.manifest(cloud))
	}
	return nil
}

// verify compares every plain manifest with what the chart gives now.
func (r repository) verify(out io.Writer) error {
	var stale []error
	for _, cloud := range clouds {
		want, err := r.manifestOf(cloud)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(r.manifest(cloud))
		switch {
		case err != nil:
			stale = append(stale, fmt.Errorf("reading manifest: %w", err))
		case !bytes.Equal(got, want):
			stale = append(stale, fmt.Errorf("%s is not what the chart renders, first at line %d: run `go run . render` in hack/chart",
				r.manifest(cloud), firstDifference(got, want)))
		default:
			fmt.Fprintln(out, "up to date:", r.manifest(cloud))
		}
	}
	return errors.Join(stale...)
}

// firstDifference is the number of the first line, from 1, that two texts do
// not share.
func firstDifference(a, b []byte) int {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return i + 1
		}
	}
	return min(len(x), len(y)) + 1
}
