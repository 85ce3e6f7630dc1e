package manifest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Manifests are what a number of documents hold.
type Manifests struct {
	// Pods are in the order of the documents.
	Pods []Pod
	// Skipped are the documents that make no pod and that no pod refers to.
	Skipped []Skipped

	configMaps map[types.NamespacedName]*corev1.ConfigMap
	secrets    map[types.NamespacedName]*corev1.Secret
	services   []*corev1.Service
	claims     map[types.NamespacedName]*corev1.PersistentVolumeClaim
	volumes    map[string]*corev1.PersistentVolume
	accounts   map[types.NamespacedName]*corev1.ServiceAccount
	ranges     []*corev1.LimitRange
	// given are the documents, to find those that are there twice.
	given map[string]given
	// remarks tell what was made up for all pods.
	remarks map[string][]string // by namespace
}

// Pod is a pod, or what the template of a controller makes.
type Pod struct {
	// Pod is complete: the API server's defaults are filled in, and a name
	// and UID where the manifest has none.
	Pod *corev1.Pod
	// Owner is the kind and name of the object that makes the pod, such as
	// "Deployment web"; empty for a pod of its own.
	Owner string
	// Source is the file that it is from.
	Source string
	// Count is how many pods like this one run at a time.
	Count int
	// Remarks say what was made up, and what the cluster would add.
	Remarks []string

	// at is where the template stands, selector and policies are what its
	// controller demands of it; nil for a pod of its own.
	at       *field.Path
	selector labels.Selector
	policies []corev1.RestartPolicy
	// noToken says that the API server adds no token: the service account has
	// none for its pods, or the pod is from a cluster.
	noToken bool
}

// Skipped is a document that does not matter here.
type Skipped struct {
	Source string `json:"source"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Read decodes the sources. Objects without a namespace are in the one given.
// A field that a kind does not have is an error; the error tells everything
// that is wrong.
func Read(sources []Source, namespace string) (*Manifests, error) {
	m := &Manifests{
		configMaps: map[types.NamespacedName]*corev1.ConfigMap{},
		secrets:    map[types.NamespacedName]*corev1.Secret{},
		claims:     map[types.NamespacedName]*corev1.PersistentVolumeClaim{},
		volumes:    map[string]*corev1.PersistentVolume{},
		accounts:   map[types.NamespacedName]*corev1.ServiceAccount{},
		given:      map[string]given{},
		remarks:    map[string][]string{},
	}
	var faults []error
	for _, s := range sources {
		documents, err := decode(s)
		faults = append(faults, err)
		for i := range documents {
			if err := m.add(&documents[i], namespace); err != nil {
				faults = append(faults, fmt.Errorf("%s: %s %s: %w", s.Name, documents[i].kind.Kind, documents[i].name, err))
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	m.completeServices()
	m.bindClaims()
	m.sortRanges()
	for i := range m.Pods {
		m.admit(&m.Pods[i])
		m.Pods[i].finish()
	}
	return m, nil
}

// given is a document that was read.
type given struct {
	source string
	object runtime.Object
}

// isRepeated tells whether a document says what another has said; one that says
// something else of the same object is an error.
func (m *Manifests) isRepeated(d *document) (bool, error) {
	object, ok := d.object.(metav1.Object)
	if !ok || object.GetName() == "" {
		return false, nil
	}
	id := fmt.Sprintf("%s %s/%s", d.kind, object.GetNamespace(), object.GetName())
	before, twice := m.given[id]
	switch {
	case !twice:
		m.given[id] = given{d.source, d.object.DeepCopyObject()}
		return false, nil
	case !equality.Semantic.DeepEqual(before.object, d.object):
		return false, fmt.Errorf("it is there twice, first in %s, and not the same", before.source)
	default:
		return true, nil
	}
}

// add takes a document in.
func (m *Manifests) add(d *document, namespace string) error {
	if object, ok := d.object.(metav1.Object); ok && object.GetNamespace() == "" {
		object.SetNamespace(namespace)
	}
	if repeated, err := m.isRepeated(d); repeated || err != nil {
		return err
	}
	switch o := d.object.(type) {
	case nil:
		return m.addUnknown(d)
	case *corev1.ConfigMap:
		m.configMaps[nameOf(o)] = o
	case *corev1.Secret:
		m.secrets[nameOf(o)] = withStringData(o)
	case *corev1.Service:
		m.services = append(m.services, o)
	case *corev1.PersistentVolumeClaim:
		m.claims[nameOf(o)] = o
	case *corev1.PersistentVolume:
		m.volumes[o.Name] = o
	case *corev1.ServiceAccount:
		m.accounts[nameOf(o)] = o
	case *corev1.LimitRange:
		m.ranges = append(m.ranges, o)
	default:
		return m.addPod(d)
	}
	return nil
}

// addPod takes in what makes pods.
func (m *Manifests) addPod(d *document) error {
	var made Pod
	switch o := d.object.(type) {
	case *corev1.Pod:
		made = single(o)
	case *corev1.ReplicationController:
		made = ofReplicationController(o)
	case *appsv1.ReplicaSet:
		made = ofReplicaSet(o)
	case *appsv1.Deployment:
		made = ofDeployment(o)
	case *appsv1.StatefulSet:
		made = m.ofStatefulSet(o)
	case *appsv1.DaemonSet:
		made = ofDaemonSet(o)
	case *batchv1.Job:
		made = ofJob(o)
	case *batchv1.CronJob:
		made = ofCronJob(o)
	case *corev1.PodTemplate:
		made = ofPodTemplate(o)
	default:
		if err := d.misplaced(); err != nil {
			return err
		}
		m.skip(d, "it makes no pod, and no pod refers to it")
		return nil
	}
	made.Source = filepath.ToSlash(d.source)
	if err := made.check(); err != nil {
		return err
	}
	complete(&made.Pod.Spec)
	m.Pods = append(m.Pods, made)
	return nil
}

// addUnknown passes over a kind that somebody has added to a cluster; what
// claims to be Kubernetes' own and is not is an error.
func (m *Manifests) addUnknown(d *document) error {
	if err := d.misplaced(); err != nil {
		return err
	}
	if slices.Contains(ownGroups, d.kind.Group) {
		return fmt.Errorf("apiVersion %s has no such kind", d.kind.GroupVersion())
	}
	m.skip(d, "its kind is not known here")
	return nil
}

// ownGroups are groups of Kubernetes in which what makes pods is, or was.
var ownGroups = []string{"", "apps", "batch", "extensions"}

// workloads are the kinds that make pods, as Kubernetes serves them.
var workloads = []schema.GroupVersionKind{
	corev1.SchemeGroupVersion.WithKind("Pod"), corev1.SchemeGroupVersion.WithKind("ReplicationController"),
	corev1.SchemeGroupVersion.WithKind("PodTemplate"), appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
	appsv1.SchemeGroupVersion.WithKind("Deployment"), appsv1.SchemeGroupVersion.WithKind("StatefulSet"),
	appsv1.SchemeGroupVersion.WithKind("DaemonSet"), batchv1.SchemeGroupVersion.WithKind("Job"), batchv1.SchemeGroupVersion.WithKind("CronJob"),
}

// misplaced is an error where a document means what makes pods and does not say
// it as Kubernetes has it: passed over, its pods would be missing.
func (d *document) misplaced() error {
	for _, w := range workloads {
		if strings.EqualFold(d.kind.Kind, w.Kind) && slices.Contains(ownGroups, d.kind.Group) && d.kind != w {
			return fmt.Errorf("in Kubernetes it is apiVersion %s, kind %s", w.GroupVersion(), w.Kind)
		}
	}
	return nil
}

func (m *Manifests) skip(d *document, reason string) {
	kind := d.kind.Kind
	if d.kind.Group != "" {
		kind += "." + d.kind.Group
	}
	m.Skipped = append(m.Skipped, Skipped{Source: filepath.ToSlash(d.source), Kind: kind, Name: d.name, Reason: reason})
}

func nameOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// withStringData does what the API server does with stringData.
func withStringData(s *corev1.Secret) *corev1.Secret {
	for key, value := range s.StringData {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
	return s
}
