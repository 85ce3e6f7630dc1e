package fault

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// Front is an API that a Set can wrap.
type Front interface {
	http.Handler
	// Action names the API action of a request without using up its body; ""
	// if it has none.
	Action(r *http.Request) string
	// WriteError answers in the API's own form.
	WriteError(w http.ResponseWriter, status int, code, message string)
}

// Wrap returns the front with the faults of the set. A connection that is
// upgraded (exec) can be delayed, refused and dropped, but has no answer to lose
// or malform.
func (s *Set) Wrap(front Front) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(front, w, r) })
}

func (s *Set) serve(front Front, w http.ResponseWriter, r *http.Request) {
	kinds := []Kind{Error, Delay, Drop, Lost, Malformed}
	if r.Header.Get("Upgrade") != "" {
		kinds = kinds[:3]
	}
	var refusal, answer *armed
	for _, hit := range s.hits(front.Action(r), kinds...) {
		switch hit.Kind {
		case Delay:
			s.wait(r.Context(), hit.Delay.Duration)
		case Error, Drop:
			if refusal == nil {
				refusal = hit
			}
		default:
			if answer == nil {
				answer = hit
			}
		}
	}
	switch {
	case refusal != nil && refusal.Kind == Error:
		front.WriteError(w, refusal.Status, refusal.Code, refusal.Message)
	case refusal != nil:
		panic(http.ErrAbortHandler)
	case answer != nil:
		spoil(front, answer, w, r)
	default:
		front.ServeHTTP(w, r)
	}
}

func (s *Set) wait(ctx context.Context, d time.Duration) {
	timer := s.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// page is what a gateway in front of an API says when it is unwell.
const page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n" +
	"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"

// spoil handles the request and answers something else than it should.
func spoil(front http.Handler, hit *armed, w http.ResponseWriter, r *http.Request) {
	kept := &keptAnswer{header: http.Header{}, status: http.StatusOK}
	front.ServeHTTP(kept, r)
	if hit.Kind == Lost {
		panic(http.ErrAbortHandler)
	}
	body := kept.body.Bytes()
	header := w.Header()
	maps.Copy(header, kept.header)
	header.Del("Content-Length")
	switch hit.Body {
	case Truncated:
		body = body[:len(body)/2]
	case HTML:
		body = []byte(page)
		header.Set("Content-Type", "text/html")
	default:
		body = nil
	}
	status := kept.status
	if hit.Status != 0 {
		status = hit.Status
	}
	header.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone loses nothing here
}

// keptAnswer is an answer that is not sent yet. It implements
// http.ResponseWriter.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *keptAnswer) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *keptAnswer) WriteHeader(status int) { k.status = status }

// Write implements http.ResponseWriter.
func (k *keptAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }
