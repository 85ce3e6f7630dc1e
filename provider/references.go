package provider

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/translate"
)

// referenceTimeout bounds the reading of everything one pod refers to.
const referenceTimeout = 20 * time.Second

// references reads what pods refer to, and nothing else.
type references struct {
	configMaps, secrets *objects
}

// newReferences reads by this client. changed is told of every pod one of whose
// objects has appeared or changed.
func newReferences(kube kubernetes.Interface, clk clock.Clock, changed func(types.UID)) *references {
	return &references{
		configMaps: &objects{
			client: kube, clock: clk, changed: changed,
			resource: schema.GroupResource{Resource: "configmaps"},
			example:  &corev1.ConfigMap{},
			list: func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error) {
				return kube.CoreV1().ConfigMaps(namespace).List(ctx, o)
			},
			watch: func(ctx context.Context, namespace string, o metav1.ListOptions) (watch.Interface, error) {
				return kube.CoreV1().ConfigMaps(namespace).Watch(ctx, o)
			},
		},
		secrets: &objects{
			client: kube, clock: clk, changed: changed,
			resource: schema.GroupResource{Resource: "secrets"},
			example:  &corev1.Secret{},
			list: func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error) {
				return kube.CoreV1().Secrets(namespace).List(ctx, o)
			},
			watch: func(ctx context.Context, namespace string, o metav1.ListOptions) (watch.Interface, error) {
				return kube.CoreV1().Secrets(namespace).Watch(ctx, o)
			},
		},
	}
}

// retain ends a pod's interest in all but what it still needs of its namespace.
func (r *references) retain(uid types.UID, namespace string, needs translate.Requirements) {
	r.configMaps.retain(uid, namespace, needs.ConfigMaps)
	r.secrets.retain(uid, namespace, needs.Secrets)
}

// drop ends a pod's interest in everything.
func (r *references) drop(uid types.UID) { r.retain(uid, "", translate.Requirements{}) }

func (r *references) close() {
	r.configMaps.close()
	r.secrets.close()
}

// resolve reads everything the pod refers to. What does not exist is missing
// from the answer; what could not be read is an error.
func (p *Provider) resolve(ctx context.Context, r *record) (translate.References, error) {
	ctx, cancel := context.WithTimeout(ctx, referenceTimeout)
	defer cancel()
	pod := r.pod
	needs := translate.Needs(pod)
	found := translate.References{
		ConfigMaps: map[string]*corev1.ConfigMap{},
		Secrets:    map[string]*corev1.Secret{},
		Tokens:     map[translate.TokenKey]string{},
	}
	var configMaps, secrets []string
	for _, n := range needs.ConfigMaps {
		configMaps = append(configMaps, n.Name)
	}
	for _, n := range needs.Secrets {
		secrets = append(secrets, n.Name)
	}
	secrets = append(secrets, needs.PullSecrets...)
	if err := collect(ctx, p.refs.configMaps, pod, configMaps, found.ConfigMaps); err != nil {
		return found, err
	}
	if err := collect(ctx, p.refs.secrets, pod, secrets, found.Secrets); err != nil {
		return found, err
	}
	if err := p.requestTokens(ctx, r, needs, found.Tokens); err != nil {
		return found, err
	}
	if err := p.resolveClaims(ctx, pod, needs.Claims, &found); err != nil {
		return found, err
	}
	var err error
	found.Services, err = p.services(pod.Namespace, needs.ServiceLinks)
	return found, err
}

// collect reads the named objects of the pod's namespace into found.
func collect[T runtime.Object](ctx context.Context, source *objects, pod *corev1.Pod, names []string, found map[string]T) error {
	for _, name := range names {
		source.acquire(types.NamespacedName{Namespace: pod.Namespace, Name: name}, pod.UID)
	}
	for _, name := range names {
		object, err := source.get(ctx, types.NamespacedName{Namespace: pod.Namespace, Name: name})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return err
		default:
			typed, ok := object.(T)
			if !ok {
				return fmt.Errorf("reading %s %s: it is a %T", source.resource.Resource, name, object)
			}
			found[name] = typed
		}
	}
	return nil
}

// services lists the services whose variables the pod's containers get.
func (p *Provider) services(namespace string, links bool) ([]*corev1.Service, error) {
	var list []*corev1.Service
	if links {
		own, err := p.Services.Services(namespace).List(labels.Everything())
		if err != nil {
			return nil, fmt.Errorf("listing services of namespace %s: %w", namespace, err)
		}
		list = own
	}
	if links && namespace == metav1.NamespaceDefault {
		return list, nil
	}
	master, err := p.Services.Services(metav1.NamespaceDefault).Get("kubernetes")
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading service default/kubernetes: %w", err)
	}
	if err == nil {
		list = append(list, master)
	}
	return list, nil
}

func (p *Provider) translateOptions() translate.Options {
	return translate.Options{
		Limits:          p.limits,
		Cluster:         p.Cluster,
		Node:            p.Node,
		Placement:       p.Placement,
		ClusterDNS:      p.ClusterDNS,
		ClusterDomain:   p.ClusterDomain,
		HostIP:          p.HostIP,
		NodeAllocatable: p.Allocatable,
		SecurityContext: p.SecurityContext,
		Hostname:        p.Hostname,
		Report:          p.Report,
		Defaults:        p.OptionDefaults,
		Rules:           p.OptionRules,
	}
}
