package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the API server would not let pass is told here in its own words as far as
// a manifest written by hand is likely to have it (k8s.io/kubernetes
// pkg/apis/core/validation and pkg/apis/batch/validation, which cannot be
// imported).

// The words of fields that have few.
var (
	restartPolicies = []corev1.RestartPolicy{corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}
	jobPolicies     = []corev1.RestartPolicy{corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}
	alwaysPolicy    = []corev1.RestartPolicy{corev1.RestartPolicyAlways}
	dnsPolicies     = []corev1.DNSPolicy{corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, corev1.DNSDefault, corev1.DNSNone}
	pullPolicies    = []corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}
	protocols       = []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}
)

// check finds what the API server would not let pass, all of it, in the order of
// the fields. It is asked before defaults are filled in.
func (p *Pod) check() error {
	var faults []error
	if p.Pod.Name == "" {
		faults = append(faults, errors.New("metadata.name: is empty"))
	}
	spec := p.at.Child("spec")
	faults = append(faults, checkContainers(&p.Pod.Spec, spec)...)
	list := slices.Concat(p.checkObject(), checkSpec(&p.Pod.Spec, spec), p.checkTemplate(spec))
	for _, fault := range list {
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// checkContainers finds containers without which there is no pod.
func checkContainers(spec *corev1.PodSpec, path *field.Path) (faults []error) {
	if len(spec.Containers) == 0 {
		faults = append(faults, fmt.Errorf("%s: there is none; a pod needs one at least", path.Child("containers")))
	}
	seen := map[string]bool{}
	for _, l := range containerLists(spec) {
		for i, c := range l.containers {
			at := path.Child(l.name).Index(i)
			switch {
			case c.Name == "":
				faults = append(faults, fmt.Errorf("%s.name: is empty", at))
			case seen[c.Name]:
				faults = append(faults, fmt.Errorf("%s.name: %s is there twice", at, c.Name))
			}
			if c.Image == "" {
				faults = append(faults, fmt.Errorf("%s.image: is empty", at))
			}
			seen[c.Name] = true
		}
	}
	return faults
}

type containerList struct {
	name       string
	containers []corev1.Container
}

func containerLists(spec *corev1.PodSpec) []containerList {
	return []containerList{{"initContainers", spec.InitContainers}, {"containers", spec.Containers}}
}

// checkObject checks the metadata. The name of a pod that a controller makes is
// made of the controller's.
func (p *Pod) checkObject() field.ErrorList {
	var errs field.ErrorList
	own := field.NewPath("metadata")
	for _, fault := range apivalidation.NameIsDNSSubdomain(p.Pod.Name, false) {
		if p.Pod.Name != "" {
			errs = append(errs, field.Invalid(own.Child("name"), p.Pod.Name, fault))
		}
	}
	for _, fault := range validation.IsDNS1123Label(p.Pod.Namespace) {
		errs = append(errs, field.Invalid(own.Child("namespace"), p.Pod.Namespace, fault))
	}
	own = p.at.Child("metadata")
	errs = append(errs, metav1validation.ValidateLabels(p.Pod.Labels, own.Child("labels"))...)
	return append(errs, apivalidation.ValidateAnnotations(p.Pod.Annotations, own.Child("annotations"))...)
}

// checkTemplate checks what a controller demands of its template.
func (p *Pod) checkTemplate(spec *field.Path) field.ErrorList {
	var errs field.ErrorList
	policy := p.Pod.Spec.RestartPolicy
	switch {
	case len(p.policies) == 0:
	case policy == "" && !slices.Contains(p.policies, corev1.RestartPolicyAlways):
		errs = append(errs, field.Required(spec.Child("restartPolicy"), `valid values: "OnFailure", "Never"`))
	case policy != "" && slices.Contains(restartPolicies, policy) && !slices.Contains(p.policies, policy):
		errs = append(errs, field.NotSupported(spec.Child("restartPolicy"), policy, p.policies))
	}
	if p.selector != nil && !p.selector.Empty() && !p.selector.Matches(labels.Set(p.Pod.Labels)) {
		errs = append(errs, field.Invalid(p.at.Child("metadata", "labels"), p.Pod.Labels, "`selector` does not match template `labels`"))
	}
	return errs
}

// word checks a field that has few words; empty stands for its default.
func word[T ~string](path *field.Path, value T, words []T) field.ErrorList {
	if value == "" || slices.Contains(words, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, words)}
}

// label1123 checks a name that is a DNS label; empty is told elsewhere.
func label1123(path *field.Path, name string) (errs field.ErrorList) {
	if name == "" {
		return nil
	}
	for _, fault := range validation.IsDNS1123Label(name) {
		errs = append(errs, field.Invalid(path, name, fault))
	}
	return errs
}

func atLeast(path *field.Path, value *int64, least int64) field.ErrorList {
	if value == nil || *value >= least {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be greater than or equal to %d", least))}
}

func checkSpec(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	errs := slices.Concat(
		word(path.Child("restartPolicy"), spec.RestartPolicy, restartPolicies),
		word(path.Child("dnsPolicy"), spec.DNSPolicy, dnsPolicies),
		label1123(path.Child("hostname"), spec.Hostname), label1123(path.Child("subdomain"), spec.Subdomain),
		atLeast(path.Child("terminationGracePeriodSeconds"), spec.TerminationGracePeriodSeconds, 0),
		atLeast(path.Child("activeDeadlineSeconds"), spec.ActiveDeadlineSeconds, 1),
		checkVolumes(spec.Volumes, path.Child("volumes")),
	)
	if spec.DNSPolicy == corev1.DNSNone && (spec.DNSConfig == nil || len(spec.DNSConfig.Nameservers) == 0) {
		errs = append(errs, field.Required(path.Child("dnsConfig", "nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"))
	}
	for _, l := range containerLists(spec) {
		for i := range l.containers {
			errs = append(errs, checkContainer(&l.containers[i], path.Child(l.name).Index(i))...)
		}
	}
	return errs
}

func checkContainer(c *corev1.Container, path *field.Path) field.ErrorList {
	errs := slices.Concat(
		label1123(path.Child("name"), c.Name),
		word(path.Child("imagePullPolicy"), c.ImagePullPolicy, pullPolicies),
		checkPorts(c.Ports, path.Child("ports")), checkEnv(c.Env, path.Child("env")),
		checkResources(&c.Resources, path.Child("resources")),
		checkMounts(c.VolumeMounts, path.Child("volumeMounts")),
		checkProbe(c.LivenessProbe, path.Child("livenessProbe")),
		checkProbe(c.ReadinessProbe, path.Child("readinessProbe")),
		checkProbe(c.StartupProbe, path.Child("startupProbe")),
	)
	if c.Image != strings.TrimSpace(c.Image) {
		errs = append(errs, field.Invalid(path.Child("image"), c.Image, "must not have leading or trailing whitespace"))
	}
	if c.Lifecycle != nil {
		errs = append(errs, checkHook(c.Lifecycle.PostStart, path.Child("lifecycle", "postStart"))...)
		errs = append(errs, checkHook(c.Lifecycle.PreStop, path.Child("lifecycle", "preStop"))...)
	}
	return errs
}
