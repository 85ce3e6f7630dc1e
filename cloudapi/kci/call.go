package kci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/credential"
)

// maxAnswer bounds an answer's body in bytes, unpacked. A page of 100 groups
// with large environments has a few million.
const maxAnswer = 32 << 20

// request is one call of an action.
type request struct {
	action string
	body   string
	// secrets must appear in no error.
	secrets []string
}

// reply is an HTTP answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status >= 200 && r.status < 300 }

// call makes an action's call, paced and repeated as its errors allow, and
// decodes the answer into out.
func (c *Client) call(ctx context.Context, action string, f form, out answer) error {
	return c.callSecret(ctx, request{action: action, body: f.encode(action)}, out)
}

// callSecret is call for a request that holds secrets.
func (c *Client) callSecret(ctx context.Context, rq request, out answer) error {
	return c.pacer.Do(ctx, rq.action, mayRepeat(rq.action), func(ctx context.Context) error {
		return c.attempt(ctx, rq, out)
	})
}

// attempt makes one attempt, and a second where the first was turned away for
// a reason that is now mended.
func (c *Client) attempt(ctx context.Context, rq request, out answer) error {
	key, err := c.key(ctx, rq)
	if err != nil {
		return err
	}
	got, err := c.exchange(ctx, rq, key, out)
	if err == nil || !c.mend(ctx, rq, &key, got, err) {
		return err
	}
	_, err = c.exchange(ctx, rq, key, out)
	return err
}

func (c *Client) key(ctx context.Context, rq request) (credential.AccessKey, error) {
	key, err := c.options.Credentials.AccessKey(ctx)
	if err != nil {
		return key, &cloudapi.Error{Op: rq.action, Code: cloudapi.CodeUnauthorized, Err: err}
	}
	return key, nil
}

// mend tells whether a refused request is worth signing anew: our clock was
// wrong, which the answer's Date header now corrects, or the key was replaced
// while the request was under way.
func (c *Client) mend(ctx context.Context, rq request, key *credential.AccessKey, got reply, cause error) bool {
	var e *cloudapi.Error
	if !errors.As(cause, &e) {
		return false
	}
	switch e.VendorCode {
	case "SignatureDoesNotMatch":
		date, err := http.ParseTime(got.header.Get("Date"))
		if err != nil || !strings.Contains(e.Message, "expired") {
			return false
		}
		skew := date.Sub(c.options.Clock.Now())
		c.skew.Store(int64(skew))
		c.options.Log.Info("our clock differs from the cloud's; signing with the cloud's", "skew", skew.String())
		return true
	case "InvalidClientTokenId", "SecurityTokenExpired":
		fresh, err := c.key(ctx, rq)
		changed := err == nil && fresh != *key
		*key = fresh
		return changed
	}
	return false
}

// exchange sends a signed request and decodes its answer. Its error is an
// *cloudapi.Error.
func (c *Client) exchange(ctx context.Context, rq request, key credential.AccessKey, out answer) (reply, error) {
	if key.Token != "" {
		rq.secrets = append([]string{key.Token}, rq.secrets...)
	}
	got, err := c.send(ctx, rq, key)
	if err != nil {
		return got, err
	}
	if !got.ok() {
		var head envelope
		_ = decode(got.body, &head) // without a readable body the status says all
		return got, failed(rq, got, &head)
	}
	if len(got.body) > maxAnswer {
		return got, unreadable(rq, got, fmt.Sprintf("longer than %d bytes", maxAnswer))
	}
	if err := decode(got.body, out); err != nil {
		return got, unreadable(rq, got, "no JSON object")
	}
	if e := failed(rq, got, out.head()); e != nil {
		return got, e
	}
	if lack := out.lack(); lack != "" {
		e := unreadable(rq, got, "no usable "+lack)
		e.RequestID = out.head().RequestID
		return got, e
	}
	return got, nil
}

// send signs and sends a request and reads the answer, at most one byte more
// than maxAnswer.
func (c *Client) send(ctx context.Context, rq request, key credential.AccessKey) (reply, error) {
	timed, cancel := context.WithTimeout(ctx, c.options.HTTPTimeout)
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	post, err := http.NewRequestWithContext(traced, http.MethodPost, c.endpoint.String(), strings.NewReader(rq.body))
	if err != nil {
		return reply{}, broken(ctx, rq, false, fmt.Errorf("building the request: %w", err))
	}
	at := c.options.Clock.Now().Add(time.Duration(c.skew.Load()))
	if err := (seal{key: key, region: c.options.Region, at: at}).sign(ctx, post, rq.body); err != nil {
		return reply{}, broken(ctx, rq, false, err)
	}
	answer, err := c.http.Do(post)
	if err != nil {
		return reply{}, broken(ctx, rq, sent.Load(), c.explain(timed, err))
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return reply{}, broken(ctx, rq, true, fmt.Errorf("reading the answer: %w", c.explain(timed, err)))
	}
	return reply{status: answer.StatusCode, header: answer.Header, body: body}, nil
}

// explain drops the address from an error, which every error would repeat, and
// says which timeout it was.
func (c *Client) explain(timed context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(timed.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no whole answer within %s: %w", c.options.HTTPTimeout, err)
	}
	return err
}
