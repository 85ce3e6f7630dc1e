package kubernetes

import (
	"fmt"
	"math"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The labels and annotations of what the runtime keeps in the backing cluster.
const (
	labelCloud      = "emulator.cumulet.dev/cloud"
	labelGroup      = "emulator.cumulet.dev/group"
	annotationName  = "emulator.cumulet.dev/name"
	annotationFiles = "emulator.cumulet.dev/files"
)

// builder makes pods of groups. It is a value without state.
type builder struct {
	namespace, cloud, node string
	// nameServers are for groups that say nothing of their resolver.
	nameServers []string
	// folder is where the contents of volumes of files are kept; nil for Secrets.
	folder *Folder
}

// plan is what one pod of a group consists of in the backing cluster.
type plan struct {
	pod     *corev1.Pod
	secrets []*corev1.Secret
	// files are to be in the builder's folder, if it has one.
	files []folderFiles
}

// plan returns the pod of a group and the secrets that the pod mounts. The error
// says which part of the spec no pod can have.
func (b *builder) plan(id, name string, spec *engine.Spec) (*plan, error) {
	p := &plan{pod: &corev1.Pod{ObjectMeta: b.meta(id, name)}}
	if onlySidecars(spec) {
		return nil, errOnlySidecars
	}
	p.pod.Annotations = map[string]string{annotationName: spec.Name}
	s := &p.pod.Spec
	b.machine(s, spec)
	network(s, spec, b.nameServers)
	for i := range spec.InitContainers {
		s.InitContainers = append(s.InitContainers, containerOf(&spec.InitContainers[i]))
	}
	s.InitContainers = append(s.InitContainers, sidecarsOf(spec)...)
	for i := range spec.Containers {
		if !spec.Containers[i].Sidecar {
			s.Containers = append(s.Containers, containerOf(&spec.Containers[i]))
		}
	}
	s.Resources = sizeOf(spec)
	for i := range spec.Volumes {
		volume, secrets, err := b.volume(id, name, &spec.Volumes[i])
		if err != nil {
			return nil, fmt.Errorf("volume %q: %w", spec.Volumes[i].Name, err)
		}
		s.Volumes = append(s.Volumes, volume)
		p.secrets = append(p.secrets, secrets...)
		if files := spec.Volumes[i].Files; files != nil && b.folder != nil {
			p.files = append(p.files, folderFiles{place(id, name, spec.Volumes[i].Name), files})
		}
	}
	keepReadOnly(s, spec)
	logins, err := b.logins(id, name, spec.PullCredentials)
	if err != nil {
		return nil, err
	}
	for _, secret := range logins {
		s.ImagePullSecrets = append(s.ImagePullSecrets, corev1.LocalObjectReference{Name: secret.Name})
	}
	p.secrets = append(p.secrets, logins...)
	return p, nil
}

// meta is the metadata of an object that belongs to a group.
func (b *builder) meta(id, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: b.namespace, Name: name,
		Labels: map[string]string{labelCloud: b.cloud, labelGroup: id},
	}
}

// machine fills in all that is not about containers, network and volumes.
func (b *builder) machine(s *corev1.PodSpec, spec *engine.Spec) {
	s.NodeName = b.node
	s.RestartPolicy = corev1.RestartPolicy(spec.RestartPolicy)
	s.TerminationGracePeriodSeconds = ptr.To(seconds(spec.Grace))
	s.AutomountServiceAccountToken = ptr.To(false)
	s.EnableServiceLinks = ptr.To(false)
	s.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	s.HostPID = spec.HostPID
	if spec.ShareProcesses && !spec.HostPID { // a kubelet has one or the other
		s.ShareProcessNamespace = ptr.To(true)
	}
	for _, sysctl := range spec.Sysctls {
		if s.SecurityContext == nil {
			s.SecurityContext = &corev1.PodSecurityContext{}
		}
		s.SecurityContext.Sysctls = append(s.SecurityContext.Sysctls, corev1.Sysctl{Name: sysctl.Name, Value: sysctl.Value})
	}
}

// sizeOf is the group's own size as limits of the whole pod. No container may
// have more than the pod, so that the pod gets at least that.
func sizeOf(spec *engine.Spec) *corev1.ResourceRequirements {
	cores, memory := spec.CPU, spec.Memory
	for _, list := range [][]engine.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if cores > 0 {
				cores = max(cores, list[i].CPU)
			}
			if memory > 0 {
				memory = max(memory, list[i].Memory)
			}
		}
	}
	size := resources(cores, memory)
	if len(size.Limits) == 0 {
		return nil
	}
	return &size
}

// resources are limits in cores and GiB, 0 for none. Nothing is requested, and
// that is said explicitly, since a request left out is as large as its limit.
func resources(cores, memory float64) corev1.ResourceRequirements {
	limits, requests := corev1.ResourceList{}, corev1.ResourceList{}
	if cores > 0 {
		limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(math.Ceil(cores*1000)), resource.DecimalSI)
		requests[corev1.ResourceCPU] = *resource.NewQuantity(0, resource.DecimalSI)
	}
	if memory > 0 {
		limits[corev1.ResourceMemory] = *resource.NewQuantity(int64(math.Ceil(memory*(1<<30))), resource.BinarySI)
		requests[corev1.ResourceMemory] = *resource.NewQuantity(0, resource.BinarySI)
	}
	if len(limits) == 0 {
		return corev1.ResourceRequirements{}
	}
	return corev1.ResourceRequirements{Limits: limits, Requests: requests}
}

// seconds is a duration in whole seconds, rounded up: nothing gets less time than
// it asked for.
func seconds(d time.Duration) int64 {
	return int64(math.Ceil(d.Seconds()))
}

// podName is the name of the n-th pod of a group. Ids of groups are letters,
// digits and hyphens.
func podName(id string, n int) string {
	name := strings.ToLower(id)
	if n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	return name
}
