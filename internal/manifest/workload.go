package manifest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/translate"
)

// maxGenerated is the length at which the API server cuts generateName, so that
// with five characters more it is a DNS label.
const maxGenerated = 58

// single is a pod of its own.
func single(p *corev1.Pod) Pod {
	made := Pod{Pod: p, Count: 1}
	if p.Name == "" && p.GenerateName != "" {
		p.Name = generated(p.GenerateName, suffix(&p.Spec))
		made.Remarks = append(made.Remarks, "the name is made up: the API server chooses its last five characters")
	}
	return made
}

// fromTemplate makes a pod of a controller's template. prefix begins its name.
func fromTemplate(owner *metav1.ObjectMeta, kind, prefix string, template *corev1.PodTemplateSpec) Pod {
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
	pod.Namespace, pod.GenerateName = owner.Namespace, prefix
	pod.Name = generated(prefix, suffix(&template.Spec))
	yes := true
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner.Name, UID: owner.UID, Controller: &yes}}
	made := Pod{
		Pod: pod, Owner: kind + " " + owner.Name, Count: 1, at: field.NewPath("spec", "template"), policies: alwaysPolicy,
		Remarks: []string{"the name is made up: the controller chooses another"},
	}
	made.tellAnnotations(kind, owner)
	return made
}

// tellAnnotations tells of options that stand where they do nothing: on the
// controller instead of its template.
func (p *Pod) tellAnnotations(kind string, owner *metav1.ObjectMeta) {
	for _, key := range slices.Sorted(maps.Keys(owner.Annotations)) {
		known := slices.ContainsFunc(translate.AnnotationTable(), func(a translate.Annotation) bool { return a.Key == key })
		if _, inTemplate := p.Pod.Annotations[key]; !inTemplate && (known || strings.HasPrefix(key, translate.OptionPrefix)) {
			p.Remarks = append(p.Remarks, fmt.Sprintf("annotation %s of the %s does nothing: options are read from the pod, so from the template's metadata", key, kind))
		}
	}
}

// scaled sets how many pods there are, and what the controller's selector
// demands of its template.
func scaled(p Pod, count *int32, selector *metav1.LabelSelector) Pod {
	if count != nil {
		p.Count = int(*count)
	}
	if s, err := metav1.LabelSelectorAsSelector(selector); err == nil && selector != nil {
		p.selector = s
	}
	return p
}

// ofPodTemplate shows what a controller would make of it.
func ofPodTemplate(o *corev1.PodTemplate) Pod {
	made := fromTemplate(&o.ObjectMeta, "PodTemplate", o.Name+"-", &o.Template)
	made.at, made.policies = field.NewPath("template"), nil
	made.Remarks = []string{"a PodTemplate makes no pod by itself; the name is made up"}
	return made
}

func ofReplicationController(o *corev1.ReplicationController) Pod {
	template := o.Spec.Template
	if template == nil {
		template = &corev1.PodTemplateSpec{}
	}
	return scaled(fromTemplate(&o.ObjectMeta, "ReplicationController", o.Name+"-", template), o.Spec.Replicas,
		&metav1.LabelSelector{MatchLabels: o.Spec.Selector})
}

func ofReplicaSet(o *appsv1.ReplicaSet) Pod {
	return scaled(fromTemplate(&o.ObjectMeta, "ReplicaSet", o.Name+"-", &o.Spec.Template), o.Spec.Replicas, o.Spec.Selector)
}

// ofDeployment names the pod after the ReplicaSet that the Deployment makes.
func ofDeployment(o *appsv1.Deployment) Pod {
	hash := suffixOf(o.Spec.Template)
	made := scaled(fromTemplate(&o.ObjectMeta, "Deployment", o.Name+"-"+hash+"-", &o.Spec.Template), o.Spec.Replicas, o.Spec.Selector)
	label(made.Pod, "pod-template-hash", hash)
	return made
}

func ofDaemonSet(o *appsv1.DaemonSet) Pod {
	made := scaled(fromTemplate(&o.ObjectMeta, "DaemonSet", o.Name+"-", &o.Spec.Template), nil, o.Spec.Selector)
	made.Remarks = append(made.Remarks,
		"a DaemonSet runs one such pod on each node that it tolerates; it serves a node, which a container group does not have")
	return made
}

// ofStatefulSet makes the first pod of the set, with the claims of its
// templates, which are references of this pod then.
func (m *Manifests) ofStatefulSet(o *appsv1.StatefulSet) Pod {
	first := 0
	if o.Spec.Ordinals != nil {
		first = int(o.Spec.Ordinals.Start)
	}
	made := scaled(fromTemplate(&o.ObjectMeta, "StatefulSet", "", &o.Spec.Template), o.Spec.Replicas, o.Spec.Selector)
	made.Remarks = made.Remarks[1:] // its name is the true one
	pod := made.Pod
	pod.Name, pod.GenerateName = fmt.Sprintf("%s-%d", o.Name, first), o.Name+"-"
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, o.Spec.ServiceName
	label(pod, appsv1.StatefulSetPodNameLabel, pod.Name)
	label(pod, appsv1.PodIndexLabel, strconv.Itoa(first))
	label(pod, appsv1.ControllerRevisionHashLabelKey, o.Name+"-"+suffixOf(o.Spec.Template))
	var own []corev1.Volume
	for i := range o.Spec.VolumeClaimTemplates {
		claim := o.Spec.VolumeClaimTemplates[i].DeepCopy()
		volume := claim.Name
		claim.Namespace, claim.Name = o.Namespace, volume+"-"+pod.Name
		if _, given := m.claims[nameOf(claim)]; !given {
			m.claims[nameOf(claim)] = claim
		}
		own = append(own, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name},
		}})
	}
	for _, v := range pod.Spec.Volumes { // a claim hides a volume of its name, as with the controller
		if !slices.ContainsFunc(own, func(o corev1.Volume) bool { return o.Name == v.Name }) {
			own = append(own, v)
		}
	}
	pod.Spec.Volumes = own
	return made
}

// ofJob makes a pod of the Job; of an indexed one the first.
func ofJob(o *batchv1.Job) Pod {
	indexed := o.Spec.CompletionMode != nil && *o.Spec.CompletionMode == batchv1.IndexedCompletion
	prefix := o.Name + "-"
	if indexed {
		prefix += "0-"
	}
	made := scaled(fromTemplate(&o.ObjectMeta, "Job", prefix, &o.Spec.Template), o.Spec.Parallelism, nil)
	made.policies = jobPolicies
	label(made.Pod, batchv1.JobNameLabel, o.Name)
	label(made.Pod, "job-name", o.Name)
	if indexed {
		index(made.Pod, o.Name+"-0")
	}
	return made
}

// index gives a pod of an indexed Job its place, as the Job controller does.
func index(pod *corev1.Pod, hostname string) {
	const name = "JOB_COMPLETION_INDEX"
	label(pod, batchv1.JobCompletionIndexAnnotation, "0")
	pod.Annotations = with(pod.Annotations, batchv1.JobCompletionIndexAnnotation, "0")
	pod.Spec.Hostname = hostname
	variable := corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['" + batchv1.JobCompletionIndexAnnotation + "']"},
	}}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			list[i].Env = append(list[i].Env, variable)
		}
	}
}

// ofCronJob makes a pod of the Job that the CronJob makes.
func ofCronJob(o *batchv1.CronJob) Pod {
	template := o.Spec.JobTemplate
	job := &batchv1.Job{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: template.Spec}
	// The controller ends the name with the scheduled time in minutes.
	job.Namespace, job.Name = o.Namespace, o.Name+"-00000000"
	made := ofJob(job)
	made.Owner, made.at = "CronJob "+o.Name, field.NewPath("spec", "jobTemplate", "spec", "template")
	made.tellAnnotations("CronJob", &o.ObjectMeta)
	return made
}

func label(pod *corev1.Pod, name, value string) { pod.Labels = with(pod.Labels, name, value) }

func with(m map[string]string, name, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

// generated is a name as the API server generates one.
func generated(prefix, end string) string {
	return prefix[:min(len(prefix), maxGenerated)] + end
}

// suffix is the last part of a made-up name: the same for the same pod.
func suffix(spec *corev1.PodSpec) string {
	text := suffixOf(corev1.PodTemplateSpec{Spec: *spec})
	return (text + "bcdfg")[:5]
}

// suffixOf is a hash of a template in the letters that Kubernetes uses for such.
func suffixOf(template corev1.PodTemplateSpec) string {
	hash := fnv.New32a()
	text, err := json.Marshal(template)
	if err != nil { // of what was decoded from JSON; the names are alike then
		text = nil
	}
	_, _ = hash.Write(text) // it never fails
	return rand.SafeEncodeString(strconv.FormatUint(uint64(hash.Sum32()), 10))
}

// uidOf makes up a UID, always the same for the same name.
func uidOf(namespace, name string) types.UID {
	return types.UID(madeUID(namespace + "/" + name))
}
