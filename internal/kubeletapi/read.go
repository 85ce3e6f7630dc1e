package kubeletapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/provider"
)

func (s *Server) pods(w http.ResponseWriter, r *http.Request) {
	pods, err := s.options.Pods.GetPods(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: make([]corev1.Pod, 0, len(pods))}
	for _, pod := range pods {
		list.Items = append(list.Items, *pod)
	}
	writeJSON(w, list)
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	options, err := logOptions(r.URL.Query(), s.options.Clock.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := &flushWriter{w: w, controller: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	of := provider.ContainerName{Namespace: r.PathValue("namespace"), Pod: r.PathValue("pod"), Container: r.PathValue("container")}
	err = s.options.Pods.Logs(r.Context(), of, options, out)
	switch {
	case err == nil, r.Context().Err() != nil:
	case out.written:
		// The status line is gone: the reader must still see the end for what it is.
		_, _ = fmt.Fprintf(out, "\n[cumulet: the log ends here: %v]\n", err)
	default:
		s.fail(w, r, err)
	}
}

// flushWriter sends each write on at once.
type flushWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	written    bool
}

// Write writes and flushes.
func (f *flushWriter) Write(b []byte) (int, error) {
	f.written = true
	n, err := f.w.Write(b)
	if err != nil {
		return n, fmt.Errorf("writing to client: %w", err)
	}
	if err := f.controller.Flush(); err != nil {
		return n, fmt.Errorf("flushing to client: %w", err)
	}
	return n, nil
}

// logOptions reads the query that the API server makes of PodLogOptions.
func logOptions(q url.Values, now time.Time) (provider.LogOptions, error) {
	p := logQuery{q: q}
	o := provider.LogOptions{
		Tail:       p.number("tailLines", 0),
		LimitBytes: p.number("limitBytes", 1),
		Previous:   p.flag("previous"),
		Timestamps: p.flag("timestamps"),
		Follow:     p.flag("follow"),
		Since:      p.time("sinceTime"),
	}
	if seconds := p.number("sinceSeconds", 1); seconds != nil {
		if !o.Since.IsZero() {
			p.err = errors.New("sinceSeconds and sinceTime exclude each other: give one")
		}
		// No log is older than what a Duration can hold, 292 years.
		o.Since = now.Add(-time.Duration(min(*seconds, int64(math.MaxInt64/time.Second))) * time.Second)
	}
	if stream := q.Get("stream"); stream != "" && stream != corev1.LogStreamAll {
		p.err = fmt.Errorf("stream %q cannot be chosen: the clouds keep stdout and stderr as one log", stream)
	}
	return o, p.err
}

// logQuery reads query parameters and keeps the first mistake.
type logQuery struct {
	q   url.Values
	err error
}

func (p *logQuery) fail(name, value, want string) {
	if p.err == nil {
		p.err = fmt.Errorf("query parameter %s is %q, must be %s", name, value, want)
	}
}

func (p *logQuery) number(name string, least int64) *int64 {
	value := p.q.Get(name)
	if value == "" {
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least {
		p.fail(name, value, fmt.Sprintf("a whole number not below %d", least))
		return nil
	}
	return &n
}

func (p *logQuery) flag(name string) bool {
	value := p.q.Get(name)
	if value == "" {
		return false
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		p.fail(name, value, "true or false")
	}
	return b
}

func (p *logQuery) time(name string) time.Time {
	value := p.q.Get(name)
	if value == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		p.fail(name, value, "an RFC 3339 time")
	}
	return t
}

// fail answers with the status and the text of an API error, in plain words
// as the kubelet does: the API server wraps them for kubectl.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusInternalServerError
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Code != 0 {
		code = int(status.Status().Code)
	}
	if code >= http.StatusInternalServerError {
		s.options.Log.Error(err, "answering request", "path", r.URL.Path)
	}
	http.Error(w, err.Error(), code)
}

func writeJSON(w http.ResponseWriter, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encoding answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
}
