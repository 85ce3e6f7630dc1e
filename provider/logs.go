package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// LogOptions are the options of `kubectl logs` that reach a kubelet.
type LogOptions struct {
	// Tail is the number of last lines; nil means all there are.
	Tail *int64
	// LimitBytes ends the answer after that many bytes; nil means no limit.
	LimitBytes *int64
	// Since leaves out older lines; zero means none.
	Since                        time.Time
	Previous, Timestamps, Follow bool
}

// Logs writes a container's log to w and, with Follow, what is added to it
// until the container ends or ctx does. Its errors are API errors (not found,
// bad request) with the kubelet's wording, until the first byte is written.
func (p *Provider) Logs(ctx context.Context, of ContainerName, o LogOptions, w io.Writer) error {
	r, err := p.containerRecord(of)
	if err != nil {
		return err
	}
	if !o.Previous && !o.Since.After(startOf(r.pod, of.Container)) {
		o.Since = time.Time{} // the whole run is asked for, which any cloud can give
	}
	if err := p.checkLogOptions(o); err != nil {
		return err
	}
	if err := loggable(r.pod, of.Container, o.Previous); err != nil {
		return err
	}
	if r.groupID == "" || r.vanished {
		return apierrors.NewBadRequest(fmt.Sprintf("the log of container %q in pod %q is gone: its container group no longer exists", of.Container, of.Pod))
	}
	out := &limitedWriter{w: w, left: -1}
	if o.LimitBytes != nil {
		out.left = *o.LimitBytes
	}
	err = p.newTail(&r, of.Container, o, out).run(ctx)
	if errors.Is(err, errLimitReached) {
		return nil
	}
	return err
}

// startOf is when the container's last run began; zero if that is not known.
func startOf(pod *corev1.Pod, container string) time.Time {
	status, _ := containerStatus(pod, container)
	switch {
	case status.State.Running != nil:
		return status.State.Running.StartedAt.Time
	case status.State.Terminated != nil:
		return status.State.Terminated.StartedAt.Time
	default:
		return time.Time{}
	}
}

// ContainerName names a container of a pod.
type ContainerName struct {
	Namespace, Pod, Container string
}

// containerRecord finds the pod and makes sure it has the container.
func (p *Provider) containerRecord(of ContainerName) (record, error) {
	r, ok := p.store.byPodName(of.Namespace, of.Pod)
	if !ok {
		return record{}, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, of.Pod)
	}
	for _, c := range allContainers(r.pod) {
		if c.Name == of.Container {
			return r, nil
		}
	}
	for i := range r.pod.Spec.EphemeralContainers {
		if r.pod.Spec.EphemeralContainers[i].Name == of.Container {
			return record{}, apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q was not started: %s",
				of.Container, of.Pod, translate.MessageNoEphemeral))
		}
	}
	return record{}, apierrors.NewNotFound(schema.GroupResource{Resource: "containers"}, of.Container)
}

// checkLogOptions refuses what the cloud's log call cannot express.
func (p *Provider) checkLogOptions(o LogOptions) error {
	limits := p.limits
	for _, option := range []struct {
		name     string
		set, can bool
	}{
		{"--since and --since-time", !o.Since.IsZero(), limits.Log.Since},
		{"--previous", o.Previous, limits.Log.Previous},
		{"--timestamps", o.Timestamps, limits.Log.Timestamps},
	} {
		if option.set && !option.can {
			return apierrors.NewBadRequest(fmt.Sprintf("%s cannot be honoured: the log call of %s knows only the last lines "+
				"of a container's current run", option.name, limits.Cloud))
		}
	}
	if o.Previous && o.Follow {
		return apierrors.NewBadRequest("only one of follow or previous may be asked for: an ended run grows no further")
	}
	return nil
}

// loggable tells, in the kubelet's words, why a container has no log yet.
func loggable(pod *corev1.Pod, container string, previous bool) error {
	status, found := containerStatus(pod, container)
	if !found {
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is not available", container, pod.Name))
	}
	switch {
	case previous && status.LastTerminationState.Terminated == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", container, pod.Name))
	case previous, status.State.Running != nil, status.State.Terminated != nil, status.LastTerminationState.Terminated != nil:
		return nil
	case status.State.Waiting != nil:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %s", container, pod.Name, waitingFor(status.State.Waiting.Reason)))
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is not available", container, pod.Name))
	}
}

// waitingFor is the kubelet's phrase for the commonest reasons to wait.
func waitingFor(reason string) string {
	switch reason {
	case "ErrImagePull":
		return "image can't be pulled"
	case "ImagePullBackOff":
		return "trying and failing to pull image"
	default:
		return reason
	}
}

func containerStatus(pod *corev1.Pod, container string) (corev1.ContainerStatus, bool) {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for _, status := range list {
			if status.Name == container {
				return status, true
			}
		}
	}
	return corev1.ContainerStatus{}, false
}

// cloudError turns a cloud's error into one that kubectl shows well.
func cloudError(err error) error {
	var e *cloudapi.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case cloudapi.CodeUnsupported, cloudapi.CodeInvalid, cloudapi.CodeConflict:
		return apierrors.NewBadRequest(e.Error())
	case cloudapi.CodeNotFound:
		return apierrors.NewGenericServerResponse(404, "get", schema.GroupResource{Resource: "containers"}, "", e.Error(), 0, true)
	case cloudapi.CodeThrottled:
		return apierrors.NewTooManyRequests(e.Error(), int(max(e.RetryAfter, time.Second)/time.Second))
	default:
		return apierrors.NewInternalError(err)
	}
}

// errLimitReached ends a log whose byte limit is used up.
var errLimitReached = errors.New("byte limit reached")

// limitedWriter writes at most left bytes; -1 means any number.
type limitedWriter struct {
	w       io.Writer
	left    int64
	written bool
}

func (l *limitedWriter) writeString(s string) error {
	if s == "" {
		return nil
	}
	cut := l.left >= 0 && int64(len(s)) >= l.left
	if cut {
		s = s[:l.left]
	}
	l.written = true
	if _, err := io.WriteString(l.w, s); err != nil {
		return fmt.Errorf("writing log: %w", err)
	}
	if l.left >= 0 {
		l.left -= int64(len(s))
	}
	if cut {
		return errLimitReached
	}
	return nil
}

// lastLines returns the last n lines of text.
func lastLines(text string, n int64) string {
	if n <= 0 {
		return ""
	}
	at := len(text)
	if strings.HasSuffix(text, "\n") {
		at--
	}
	for ; n > 0 && at >= 0; n-- {
		at = strings.LastIndexByte(text[:at], '\n')
	}
	return text[at+1:]
}
