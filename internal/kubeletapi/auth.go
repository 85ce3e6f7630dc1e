package kubeletapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/kubernetes"
)

// The kubelet's own cache times (KubeletConfiguration's defaults).
const (
	authenticationTTL = 2 * time.Minute
	allowTTL          = 5 * time.Minute
	denyTTL           = 30 * time.Second
	reviewTimeout     = 10 * time.Second
)

// reviewBackoff is apiserver's default for delegated reviews.
var reviewBackoff = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5}

// NewAuthenticator verifies client certificates against clientCAs (nil: none
// are accepted) and bearer tokens by TokenReview. Nobody is anonymous.
func NewAuthenticator(kube kubernetes.Interface, clientCAs dynamiccertificates.CAContentProvider) (authenticator.Request, error) {
	config := authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient:            kube.AuthenticationV1(),
		TokenAccessReviewTimeout:           reviewTimeout,
		WebhookRetryBackoff:                &reviewBackoff,
		CacheTTL:                           authenticationTTL,
		ClientCertificateCAContentProvider: clientCAs,
	}
	request, _, err := config.New()
	if err != nil {
		return nil, fmt.Errorf("setting up authentication: %w", err)
	}
	return request, nil
}

// NewAuthorizer asks the API server by SubjectAccessReview.
func NewAuthorizer(kube kubernetes.Interface) (authorizer.Authorizer, error) {
	config := authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: kube.AuthorizationV1(),
		AllowCacheTTL:             allowTTL,
		DenyCacheTTL:              denyTTL,
		WebhookRetryBackoff:       &reviewBackoff,
	}
	a, err := config.New()
	if err != nil {
		return nil, fmt.Errorf("setting up authorization: %w", err)
	}
	return a, nil
}

// guard lets only authenticated and authorised requests through.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok, err := s.options.Authenticator.AuthenticateRequest(r)
		if err != nil || !ok {
			if err != nil {
				s.options.Log.V(1).Info("unauthenticated request", "path", r.URL.Path, "reason", err.Error())
			}
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		allowed, err := s.allowed(r, answer.User)
		switch {
		case err != nil:
			s.options.Log.Error(err, "authorising request", "path", r.URL.Path, "user", answer.User.GetName())
			http.Error(w, "Authorization could not be decided", http.StatusInternalServerError)
		case !allowed:
			http.Error(w, fmt.Sprintf("Forbidden (user=%s, verb=%s, resource=nodes, subresource=%s)",
				answer.User.GetName(), verb(r), strings.Join(subresources(r.URL.Path), ",")), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// allowed tells whether one of the request's attributes is permitted.
func (s *Server) allowed(r *http.Request, u user.Info) (bool, error) {
	for _, subresource := range subresources(r.URL.Path) {
		decision, _, err := s.options.Authorizer.Authorize(r.Context(), authorizer.AttributesRecord{
			User: u, Verb: verb(r), APIVersion: "v1", Resource: "nodes", Subresource: subresource,
			Name: s.options.NodeName, ResourceRequest: true, Path: r.URL.Path,
		})
		if err != nil {
			return false, fmt.Errorf("reviewing access to nodes/%s: %w", subresource, err)
		}
		if decision == authorizer.DecisionAllow {
			return true, nil
		}
	}
	return false, nil
}

// verb is the kubelet's verb, except that running something is always create.
func verb(r *http.Request) string {
	for _, prefix := range []string{"/exec/", "/attach/", "/portForward/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return "create"
		}
	}
	switch r.Method {
	case http.MethodPost:
		return "create"
	case http.MethodGet, http.MethodHead:
		return "get"
	default:
		return strings.ToLower(r.Method)
	}
}

// subresources are the kubelet's, the fine-grained one first (KEP-2862).
func subresources(path string) []string {
	for _, fine := range []struct{ prefix, subresource string }{{"/pods", "pods"}, {"/healthz", "healthz"}} {
		if within(path, fine.prefix) {
			return []string{fine.subresource, "proxy"}
		}
	}
	for _, own := range []struct{ prefix, subresource string }{{"/stats", "stats"}, {"/metrics", "metrics"}} {
		if within(path, own.prefix) {
			return []string{own.subresource}
		}
	}
	return []string{"proxy"}
}

func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
