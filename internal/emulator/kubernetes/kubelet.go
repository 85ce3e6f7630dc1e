package kubernetes

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// kubelet is what only the pods' kubelet can do, by way of the API server.
type kubelet interface {
	// execute runs a command in a container of a pod to its end.
	execute(ctx context.Context, pod string, options *corev1.PodExecOptions, streams remotecommand.StreamOptions) error
	// log opens the log of a container of a pod.
	log(ctx context.Context, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error)
	// summary is a node's statistics, a stats.Summary in JSON; lean leaves out
	// all but processors and memory.
	summary(ctx context.Context, node string, lean bool) ([]byte, error)
}

// remote is the kubelet of a real cluster.
type remote struct {
	config    *rest.Config
	client    rest.Interface
	namespace string
}

// log implements kubelet.
func (r remote) log(ctx context.Context, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	return r.client.Get().Namespace(r.namespace).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(options, scheme.ParameterCodec).Stream(ctx)
}

// summary implements kubelet.
func (r remote) summary(ctx context.Context, node string, lean bool) ([]byte, error) {
	request := r.client.Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("stats/summary")
	if lean {
		request = request.Param("only_cpu_and_memory", "true")
	}
	return request.Do(ctx).Raw()
}
