package registry

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-logr/logr"
)

// The error codes of the OCI distribution specification that this package
// answers by itself; the library behind it has the others.
const (
	codeManifestUnknown = "MANIFEST_UNKNOWN"
	codeUnauthorized    = "UNAUTHORIZED"
	codeUnsupported     = "UNSUPPORTED"
)

// readOnly sends each request to the registry host that it is about, and
// answers whatever would write.
func readOnly(s *shelf) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, codeUnsupported, "this registry is read-only")
			return
		}
		if r.URL.Path == "/v2" || r.URL.Path == "/v2/" {
			w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
			w.WriteHeader(http.StatusOK)
			return
		}
		repository, ok := repositoryOf(r.URL.Path)
		if !ok {
			refuse(w, http.StatusNotFound, codeUnsupported, "only manifests, blobs and tags of repositories are here")
			return
		}
		handler, err := s.catalog().find(r.URL.Query().Get("ns"), repository)
		if err != nil {
			refuse(w, http.StatusNotFound, codeManifestUnknown, err.Error())
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// repositoryOf takes the repository out of a path such as
// /v2/library/busybox/manifests/latest.
func repositoryOf(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 3 {
		return "", false
	}
	switch parts[len(parts)-2] {
	case "manifests", "blobs", "tags":
		return strings.Join(parts[:len(parts)-2], "/"), true
	}
	return "", false
}

// guarded asks for the credential, if there is one.
func guarded(username, password string, next http.Handler) http.Handler {
	if username == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, ok := r.BasicAuth()
		// Both are compared, always: neither time nor answer tells which of
		// them was wrong.
		if same := equal(u, username) & equal(p, password); !ok || same != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="images"`)
			refuse(w, http.StatusUnauthorized, codeUnauthorized, "authentication required")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// equal is 1 if a is b, in a time that depends on neither.
func equal(a, b string) int {
	left, right := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(left[:], right[:])
}

// refuse answers with an error as the specification has it.
func refuse(w http.ResponseWriter, status int, code, message string) {
	body, err := json.Marshal(map[string][]map[string]string{"errors": {{"code": code, "message": message}}})
	if err != nil { // strings in maps always have a form in JSON
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller that hangs up before the end of the answer wants none.
	_, _ = w.Write(body)
}

// logged tells each request and how it was answered.
func logged(log logr.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		log.V(1).Info("image request", "method", r.Method, "path", r.URL.Path, "ns", r.URL.Query().Get("ns"), "status", seen.status)
	})
}

// watched remembers the status.
type watched struct {
	http.ResponseWriter

	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets net/http reach what it wraps (http.ResponseController).
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
