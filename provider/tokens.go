package provider

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cumulet/cumulet/translate"
)

// When a token is renewed, as a kubelet renews it (pkg/kubelet/token,
// token_manager.go): when a fifth of its life is left or it is a day old,
// whichever comes first, and some seconds earlier so that not all come at once.
const (
	tokenOldest = 24 * time.Hour
	tokenJitter = 10 * time.Second
	// tokenRetry is the pause after a renewal that failed while the old token
	// is still good.
	tokenRetry = 10 * time.Second
	// tokenRush is the part of a token's life within which it is requested anew
	// after a restart of this process, which does not know how old the one in
	// the group is. Of 600 s, the shortest there is, it is 15 s.
	tokenRush = 40
)

// issuedToken is a service-account token that the API server gave out.
type issuedToken struct {
	value          string
	renew, expires time.Time
}

// newIssued decides when a token is due.
func newIssued(status *authenticationv1.TokenRequestStatus, seconds int64, now time.Time) issuedToken {
	life := time.Duration(seconds) * time.Second
	token := issuedToken{value: status.Token, expires: status.ExpirationTimestamp.Time}
	if token.expires.IsZero() {
		token.expires = now.Add(life)
	}
	token.renew = token.expires.Add(-life / 5)
	if oldest := token.expires.Add(tokenOldest - life); oldest.Before(token.renew) {
		token.renew = oldest
	}
	token.renew = token.renew.Add(-rand.N(tokenJitter)) //nolint:gosec // it keeps no secret
	// Where the two clocks differ, neither too late nor without end.
	if latest := now.Add(life * 4 / 5); token.renew.After(latest) {
		token.renew = latest
	}
	if earliest := now.Add(life / 10); token.renew.Before(earliest) {
		token.renew = earliest
	}
	return token
}

// requestTokens asks the API server for the service-account tokens that the
// pod projects, each bound to the pod, and notes when they are due. A pod that
// waits for something else keeps its tokens until then.
func (p *Provider) requestTokens(ctx context.Context, r *record, needs translate.Requirements, found map[translate.TokenKey]string) error {
	now := p.Clock.Now()
	for _, token := range needs.Tokens {
		if _, ok := found[token.TokenKey]; ok {
			continue
		}
		if old, known := r.tokens[token.TokenKey]; known && now.Before(old.renew) {
			found[token.TokenKey] = old.value
			continue
		}
		status, err := p.requestToken(ctx, r.pod, needs.ServiceAccount, token.TokenKey)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		found[token.TokenKey] = status.Token
	}
	return nil
}

// requestToken requests one token.
func (p *Provider) requestToken(
	ctx context.Context, pod *corev1.Pod, account string, key translate.TokenKey,
) (*authenticationv1.TokenRequestStatus, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &key.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if key.Audience != "" {
		request.Spec.Audiences = []string{key.Audience}
	}
	answer, err := p.Kube.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("requesting token of service account %s/%s: %w", pod.Namespace, account, err)
	}
	life := key.ExpirationSeconds
	if granted := answer.Spec.ExpirationSeconds; granted != nil && *granted > 0 {
		life = *granted
	}
	p.noteToken(pod, key, newIssued(&answer.Status, life, p.Clock.Now()))
	return &answer.Status, nil
}

// noteToken remembers a token, in memory only.
func (p *Provider) noteToken(pod *corev1.Pod, key translate.TokenKey, token issuedToken) {
	p.store.update(pod.UID, func(r *record) {
		tokens := maps.Clone(r.tokens)
		if tokens == nil {
			tokens = map[translate.TokenKey]issuedToken{}
		}
		tokens[key] = token
		r.tokens = tokens
	})
}

// freshTokens fills in the tokens of a running pod, and requests anew those that
// are due. A token that cannot be renewed stays as long as it is good; then it is
// missing.
func (p *Provider) freshTokens(ctx context.Context, r *record, needs translate.Requirements, found map[translate.TokenKey]string) {
	now := p.Clock.Now()
	for _, token := range needs.Tokens {
		if _, ok := found[token.TokenKey]; ok {
			continue
		}
		old, known := r.tokens[token.TokenKey]
		if known && now.Before(old.renew) {
			found[token.TokenKey] = old.value
			continue
		}
		status, err := p.requestToken(ctx, r.pod, needs.ServiceAccount, token.TokenKey)
		switch {
		case err == nil:
			found[token.TokenKey] = status.Token
		case known && now.Before(old.expires):
			p.Log.Error(err, "renewing a token; the old one is still good", "pod", nameOf(r.pod), "uid", r.uid)
			old.renew = now.Add(tokenRetry)
			p.noteToken(r.pod, token.TokenKey, old)
			found[token.TokenKey] = old.value
		default:
			p.Log.Error(err, "requesting a token for a running pod", "pod", nameOf(r.pod), "uid", r.uid)
		}
	}
}

// tokensDue is how long until the first token of the pod is due; 0 without any.
func (p *Provider) tokensDue(r *record, needs translate.Requirements) time.Duration {
	var least time.Duration
	for _, token := range needs.Tokens {
		due := r.tokens[token.TokenKey].renew.Sub(p.Clock.Now())
		if due <= 0 { // it could not be had
			due = tokenRetry
		}
		if least == 0 || due < least {
			least = due
		}
	}
	return least
}

// rush is how soon after a restart of this process a pod's files are looked
// after: within a part of its shortest token's life, or half a minute, at some
// moment, since all other pods come back at the same time.
func rush(needs translate.Requirements) time.Duration {
	most := 30 * time.Second
	for _, token := range needs.Tokens {
		most = min(most, time.Duration(token.ExpirationSeconds)*time.Second/tokenRush)
	}
	return rand.N(max(most, time.Second)) //nolint:gosec // it keeps no secret
}
