package manifest

import (
	"strings"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// rootCertificates is the ConfigMap that every namespace of a cluster has.
const rootCertificates = "kube-root-ca.crt"

func madeUID(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://cumulet.dev/pods/"+name)).String()
}

// complete fills in what the API server would, as far as it makes a difference
// to a translation (k8s.io/kubernetes pkg/apis/core/v1/defaults.go, which cannot
// be imported). What it would only write down, such as the scheduler's name, is
// left out: the report is about what the user wrote.
func complete(spec *corev1.PodSpec) {
	setDefault(&spec.RestartPolicy, corev1.RestartPolicyAlways)
	setDefault(&spec.DNSPolicy, corev1.DNSClusterFirst)
	setDefault(&spec.ServiceAccountName, spec.DeprecatedServiceAccount) // the older name of the same field
	setDefault(&spec.ServiceAccountName, "default")
	setPointer(&spec.TerminationGracePeriodSeconds, 30)
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			completeContainer(&list[i])
		}
	}
	for i := range spec.Volumes {
		completeVolume(&spec.Volumes[i])
	}
}

// finish makes up the UID, and tells of the token that the API server would add.
func (p *Pod) finish() {
	if p.Pod.UID == "" {
		p.Pod.UID = uidOf(p.Pod.Namespace, p.Pod.Name)
	}
	spec := &p.Pod.Spec
	if !p.noToken && !mountsToken(spec) && ptr.Deref(spec.AutomountServiceAccountToken, true) {
		p.Remarks = append(p.Remarks, "the cluster adds a volume kube-api-access with a token of the service account, which is not shown; "+
			"automountServiceAccountToken: false leaves it out")
	}
}

// mountsToken tells whether the admission plugin's volume is there already.
func mountsToken(spec *corev1.PodSpec) bool {
	for _, v := range spec.Volumes {
		if strings.HasPrefix(v.Name, "kube-api-access-") {
			return true
		}
	}
	return false
}

func completeContainer(c *corev1.Container) {
	if c.ImagePullPolicy == "" {
		c.ImagePullPolicy = pullPolicy(c.Image)
	}
	for i := range c.Ports {
		setDefault(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for name, limit := range c.Resources.Limits {
		if _, asked := c.Resources.Requests[name]; !asked {
			if c.Resources.Requests == nil {
				c.Resources.Requests = corev1.ResourceList{}
			}
			c.Resources.Requests[name] = limit.DeepCopy()
		}
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		completeProbe(probe)
	}
	if c.Lifecycle != nil {
		for _, hook := range []*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
			if hook != nil {
				completeGet(hook.HTTPGet)
			}
		}
	}
}

// pullPolicy is Always for the tag latest, be it said or, where there is no
// digest, not said.
func pullPolicy(image string) corev1.PullPolicy {
	name, _, digested := strings.Cut(image[strings.LastIndex(image, "/")+1:], "@")
	_, tag, tagged := strings.Cut(name, ":")
	if tagged && tag != "latest" || !tagged && digested {
		return corev1.PullIfNotPresent
	}
	return corev1.PullAlways
}

func completeProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	setDefault(&p.TimeoutSeconds, 1)
	setDefault(&p.PeriodSeconds, 10)
	setDefault(&p.SuccessThreshold, 1)
	setDefault(&p.FailureThreshold, 3)
	completeGet(p.HTTPGet)
}

func completeGet(get *corev1.HTTPGetAction) {
	if get != nil {
		setDefault(&get.Path, "/")
		setDefault(&get.Scheme, corev1.URISchemeHTTP)
	}
}

// completeVolume sets the modes of files. 0644 is the default of all kinds.
func completeVolume(v *corev1.Volume) {
	const mode = 0o644
	switch {
	case v.VolumeSource == (corev1.VolumeSource{}):
		v.EmptyDir = &corev1.EmptyDirVolumeSource{}
	case v.ConfigMap != nil:
		setPointer(&v.ConfigMap.DefaultMode, mode)
	case v.Secret != nil:
		setPointer(&v.Secret.DefaultMode, mode)
	case v.DownwardAPI != nil:
		setPointer(&v.DownwardAPI.DefaultMode, mode)
	case v.Projected != nil:
		setPointer(&v.Projected.DefaultMode, mode)
		for _, source := range v.Projected.Sources {
			if source.ServiceAccountToken != nil {
				setPointer(&source.ServiceAccountToken.ExpirationSeconds, 3600)
			}
		}
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func setPointer[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
