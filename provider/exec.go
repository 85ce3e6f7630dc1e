package provider

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cumulet/cumulet/cloudapi"
)

// Exec runs a command in a running container and returns its exit code. Its
// errors are API errors with the kubelet's wording where it has one.
func (p *Provider) Exec(ctx context.Context, of ContainerName, o cloudapi.ExecOptions) (int, error) {
	r, err := p.containerRecord(of)
	if err != nil {
		return 0, err
	}
	limits := p.limits
	if !limits.Can.Exec {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("exec is not possible: the API of %s has no such action", limits.Cloud))
	}
	status, found := containerStatus(r.pod, of.Container)
	if !found || status.State.Running == nil || r.groupID == "" || r.vanished {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is not running", of.Container, of.Pod))
	}
	code, err := p.Cloud.Exec(ctx, r.groupID, of.Container, o)
	if err != nil {
		return 0, cloudError(err)
	}
	return code, nil
}

// statsTimeout bounds one reading of the groups' usage.
const statsTimeout = 30 * time.Second

// Usage returns the newest usage of the node's running groups, by pod.
func (p *Provider) Usage(ctx context.Context) ([]PodUsage, error) {
	limits := p.limits
	if !limits.Can.Metrics {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("usage is not known: the API of %s has no such action", limits.Cloud))
	}
	byGroup := map[string]record{}
	var ids []string
	for _, r := range p.store.each() {
		if r.groupID != "" && !r.vanished && r.group != nil && !r.group.Status.Final() {
			byGroup[r.groupID] = r
			ids = append(ids, r.groupID)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, statsTimeout)
	defer cancel()
	metrics, err := p.Cloud.Metrics(ctx, ids)
	if err != nil {
		return nil, cloudError(err)
	}
	usage := make([]PodUsage, 0, len(metrics))
	for _, m := range metrics {
		if r, ok := byGroup[m.GroupID]; ok {
			usage = append(usage, PodUsage{Pod: r.pod.DeepCopy(), Metrics: m})
		}
	}
	return usage, nil
}

// PodUsage is one pod's resource use.
type PodUsage struct {
	Pod     *corev1.Pod
	Metrics cloudapi.GroupMetrics
}
