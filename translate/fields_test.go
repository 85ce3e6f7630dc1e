package translate_test

import (
	"errors"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/podfield"
	"github.com/cumulet/cumulet/translate"
)

// leaves are structs and maps that the table takes as one value.
var leaves = []string{"resource.Quantity", "intstr.IntOrString"}

// TestEveryFieldOfAPodHasADecision walks the types of PodSpec. A new version
// of Kubernetes with a new field fails here until someone has decided.
func TestEveryFieldOfAPodHasADecision(t *testing.T) {
	table := map[string]translate.Field{}
	for _, f := range translate.Fields() {
		if _, twice := table[f.Path]; twice {
			t.Errorf("%s has two rows", f.Path)
		}
		table[f.Path] = f
	}
	seen := map[string]bool{}
	walkTypes(t, reflect.TypeFor[corev1.PodSpec](), "spec", table, seen)
	for path := range table {
		if !seen[path] {
			t.Errorf("the row %s belongs to no field of a pod", path)
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d fields seen: the walk is broken", len(seen))
	}
}

func walkTypes(t *testing.T, typ reflect.Type, path string, table map[string]translate.Field, seen map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer:
		walkTypes(t, typ.Elem(), path, table, seen)
	case reflect.Slice:
		walkTypes(t, typ.Elem(), path+"[*]", table, seen)
	case reflect.Map:
		// Every row below a map is one of its keys; [*] must be among them.
		if _, others := table[path+"[*]"]; !others {
			t.Errorf("%s is a map without a row for other keys", path)
		}
		for p := range table {
			if strings.HasPrefix(p, path+"[") {
				seen[p] = true
			}
		}
	case reflect.Struct:
		for f := range typ.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" && strings.Contains(options, "inline") {
				walkTypes(t, f.Type, path, table, seen)
				continue
			}
			checkField(t, f.Type, path+"."+name, table, seen)
		}
	default:
		t.Errorf("%s says that its parts decide, but a %s has none", path, typ)
	}
}

func checkField(t *testing.T, typ reflect.Type, path string, table map[string]translate.Field, seen map[string]bool) {
	row, decided := table[path]
	if !decided {
		t.Errorf("%s (%s) has no row", path, typ)
		return
	}
	seen[path] = true
	if row.Parts {
		walkTypes(t, typ, path, table, seen)
		return
	}
	if row.Decision == translate.DecisionHonoured || row.Decision == translate.DecisionEmulated {
		if inner := innerStruct(typ); inner != "" && !slices.Contains(leaves, inner) && path != "spec.readinessGates" {
			t.Errorf("%s is %s as a whole, so that a new field of %s would pass unseen", path, row.Decision, inner)
		}
	}
}

// innerStruct is the struct or map that a type is made of, if it is.
func innerStruct(typ reflect.Type) string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Struct || typ.Kind() == reflect.Map {
		return typ.String()
	}
	return ""
}

func TestRowsAreComplete(t *testing.T) {
	abilities := reflect.TypeFor[cloudapi.Abilities]()
	decisions := []translate.Decision{translate.DecisionHonoured, translate.DecisionEmulated, translate.DecisionIgnored, translate.DecisionRefused}
	fields := translate.Fields()
	if !sort.SliceIsSorted(fields, func(i, j int) bool { return fields[i].Path < fields[j].Path }) {
		t.Error("the table is not sorted by path")
	}
	for _, f := range fields {
		if !slices.Contains(decisions, f.Decision) {
			t.Errorf("%s: decision %q", f.Path, f.Decision)
		}
		if f.Decision != translate.DecisionHonoured && f.Reason == "" {
			t.Errorf("%s is %s without a reason", f.Path, f.Decision)
		}
		if len(f.Hardening) > 0 && (f.Decision != translate.DecisionRefused || f.Ability != "" || f.Parts) {
			t.Errorf("%s: only what is refused on every cloud can be left out as hardening", f.Path)
		}
		if _, ok := abilities.FieldByName(f.Needs); f.Needs != "" && (!ok || f.Lacks == "") {
			t.Errorf("%s: without %q it is refused because %q", f.Path, f.Needs, f.Lacks)
		}
		if (f.Ability == "") != (f.Without == "") {
			t.Errorf("%s: ability %q goes with decision %q", f.Path, f.Ability, f.Without)
		}
		if f.Ability == "" {
			continue
		}
		if _, ok := abilities.FieldByName(f.Ability); !ok {
			t.Errorf("%s: there is no ability %q", f.Path, f.Ability)
		}
		if !slices.Contains(decisions, f.Without) || (f.Reason == "" && f.Without != translate.DecisionHonoured) {
			t.Errorf("%s: without %s it is %q because %q", f.Path, f.Ability, f.Without, f.Reason)
		}
	}
}

func TestFieldsIsACopy(t *testing.T) {
	fields := translate.Fields()
	fields[0].Path = "changed"
	for i := range fields {
		for _, values := range [][]string{fields[i].Harmless, fields[i].Hardening} {
			for j := range values {
				values[j] = "changed"
			}
		}
	}
	for _, f := range translate.Fields() {
		if f.Path == "changed" || slices.Contains(f.Harmless, "changed") || slices.Contains(f.Hardening, "changed") {
			t.Fatal("a caller can change the table")
		}
	}
}

// TestDecisionsOfTheClouds states for chosen fields what becomes of them on a
// cloud that can do everything, and on one that can do nothing.
func TestDecisionsOfTheClouds(t *testing.T) {
	const h, e, i, r = translate.DecisionHonoured, translate.DecisionEmulated, translate.DecisionIgnored, translate.DecisionRefused
	want := map[string][2]translate.Decision{
		"spec.initContainers":                                         {h, r},
		"spec.terminationGracePeriodSeconds":                          {h, e},
		"spec.activeDeadlineSeconds":                                  {h, e},
		"spec.hostname":                                               {h, r},
		"spec.hostNetwork":                                            {r, r},
		"spec.affinity":                                               {i, i},
		"spec.containers[*].livenessProbe":                            {h, r},
		"spec.containers[*].startupProbe":                             {e, r},
		"spec.containers[*].readinessProbe":                           {h, e},
		"spec.containers[*].readinessProbe.exec":                      {h, r},
		"spec.containers[*].readinessProbe.httpGet":                   {h, h},
		"spec.containers[*].lifecycle.postStart":                      {h, e},
		"spec.containers[*].lifecycle.postStart.exec":                 {h, r},
		"spec.containers[*].lifecycle.postStart.httpGet":              {h, r},
		"spec.containers[*].lifecycle.preStop.exec":                   {h, r},
		"spec.containers[*].lifecycle.preStop.httpGet":                {h, h},
		"spec.containers[*].lifecycle.preStop":                        {h, e},
		"spec.containers[*].imagePullPolicy":                          {h, i},
		"spec.containers[*].ports":                                    {h, i},
		"spec.containers[*].stdin":                                    {h, r},
		"spec.containers[*].terminationMessagePath":                   {h, r},
		"spec.containers[*].securityContext.runAsUser":                {h, r},
		"spec.containers[*].securityContext.runAsGroup":               {h, r},
		"spec.containers[*].securityContext.privileged":               {h, r},
		"spec.initContainers[*].securityContext.privileged":           {r, r},
		"spec.containers[*].restartPolicy":                            {h, h},
		"spec.containers[*].restartPolicyRules":                       {r, r},
		"spec.containers[*].lifecycle.stopSignal":                     {r, r},
		"spec.resources.limits[cpu]":                                  {h, h},
		"spec.resources.limits[*]":                                    {r, r},
		"spec.ephemeralContainers":                                    {i, i},
		"spec.containers[*].securityContext.capabilities.add":         {h, r},
		"spec.containers[*].securityContext.capabilities.drop":        {r, r},
		"spec.containers[*].securityContext.allowPrivilegeEscalation": {r, r},
		"spec.containers[*].livenessProbe.grpc":                       {e, r},
		"spec.containers[*].startupProbe.grpc":                        {e, e},
		"spec.containers[*].lifecycle.preStop.sleep":                  {e, e},
		"spec.containers[*].lifecycle.preStop.tcpSocket":              {h, r},
		"spec.initContainers[*].securityContext.runAsUser":            {h, r},
		"spec.initContainers[*].securityContext.runAsGroup":           {r, r},
		"spec.securityContext.runAsUser":                              {h, r},
		"spec.securityContext.fsGroup":                                {r, r},
		"spec.securityContext.seLinuxOptions.level":                   {i, i},
		"spec.securityContext.seLinuxOptions.type":                    {r, r},
		"spec.securityContext.sysctls":                                {h, r},
		"spec.securityContext.sysctls[*].name":                        {h, h},
		"spec.shareProcessNamespace":                                  {h, r},
		"spec.subdomain":                                              {e, r},
		"spec.initContainers[*].restartPolicy":                        {e, e},
		"spec.initContainers[*].livenessProbe":                        {r, r},
		"spec.volumes[*].emptyDir.medium":                             {h, r},
		"spec.volumes[*].emptyDir.sizeLimit":                          {h, r},
		"spec.volumes[*].nfs":                                         {h, r},
		"spec.volumes[*].hostPath":                                    {h, r},
		"spec.volumes[*].configMap":                                   {e, e},
		"spec.volumes[*].secret.defaultMode":                          {h, r},
		"spec.volumes[*].persistentVolumeClaim":                       {h, h},
		"spec.containers[*].resources.limits[*]":                      {r, r},
		"spec.containers[*].env[*].valueFrom.fieldRef":                {h, h},
		"spec.containers[*].env[*].valueFrom.fileKeyRef":              {r, r},
	}
	got := map[string][2]translate.Decision{}
	for _, f := range translate.Fields() {
		if _, asked := want[f.Path]; asked {
			got[f.Path] = [2]translate.Decision{f.On(eciLimits().Can), f.On(cloudapi.Abilities{})}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// TestHarmlessValuesPass sets fields that are refused to values that ask for
// nothing.
func TestHarmlessValuesPass(t *testing.T) {
	yes, no := true, false
	merge, none := corev1.SupplementalGroupsPolicyMerge, corev1.MountPropagationNone
	disabled, proc := corev1.RecursiveReadOnlyDisabled, corev1.DefaultProcMount
	mode := int32(0o644)
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "web", "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	pod.Spec = corev1.PodSpec{
		SetHostnameAsFQDN: &no, ShareProcessNamespace: &no, HostUsers: &yes, OS: &corev1.PodOS{Name: corev1.Linux},
		EphemeralContainers: []corev1.EphemeralContainer{}, Overhead: corev1.ResourceList{}, Resources: &corev1.ResourceRequirements{},
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &no, SupplementalGroupsPolicy: &merge, Sysctls: []corev1.Sysctl{}},
		Containers: []corev1.Container{{
			Name: "app", Image: "app", TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: "File",
			Lifecycle: &corev1.Lifecycle{},
			SecurityContext: &corev1.SecurityContext{
				Privileged: &no, RunAsNonRoot: &no, ReadOnlyRootFilesystem: &no, AllowPrivilegeEscalation: &yes, ProcMount: &proc,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}, Capabilities: &corev1.Capabilities{},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "v", MountPath: "/v", ReadOnly: true, MountPropagation: &none, RecursiveReadOnly: &disabled}},
		}},
		Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{DefaultMode: &mode}}}},
	}
	for name, limits := range map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits(), "kciSeed": kciSeedLimits()} {
		if _, _, err := translate.Group(pod, translate.References{}, options(limits)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryRefusedFieldIsRefused sets each field that the table refuses
// everywhere in turn and expects its path and reason.
func TestEveryRefusedFieldIsRefused(t *testing.T) {
	set := 0
	for _, f := range translate.Fields() {
		if f.Decision != translate.DecisionRefused {
			continue
		}
		pod := emptyPod()
		if err := podfield.Set(pod, f); err != nil {
			t.Error(err)
			continue
		}
		set++
		want := podfield.At(f.Path) + ": " + f.Reason
		_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want a refusal %q, got %v", f.Path, want, err)
		}
	}
	if set < 60 {
		t.Errorf("only %d fields were tried", set)
	}
}

// TestAllRefusedAtOnce sets every field that a cloud refuses in one pod: the
// one error names each of them.
func TestAllRefusedAtOnce(t *testing.T) {
	for name, limits := range map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits(), "kciSeed": kciSeedLimits()} {
		pod := emptyPod()
		paths, err := podfield.Refused(pod, limits.Can)
		if err != nil || len(paths) < 60 {
			t.Fatalf("%s: %d refused fields, %v", name, len(paths), err)
		}
		_, _, err = translate.Group(pod, translate.References{}, options(limits))
		var refused *translate.Refused
		if !errors.As(err, &refused) {
			t.Fatalf("%s: want a refusal, got %v", name, err)
		}
		told := map[string]bool{}
		for _, r := range refused.Refusals {
			told[r.Field] = told[r.Field] || r.Reason != ""
		}
		for _, path := range paths {
			if !told[path] || !strings.Contains(refused.Error(), path+": ") {
				t.Errorf("%s: the error does not name %s", name, path)
			}
		}
	}
}

// emptyPod has nothing but what makes it a pod.
func emptyPod() *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "web", "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	return pod
}
