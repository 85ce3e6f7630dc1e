package eci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/credential"
	"github.com/cumulet/cumulet/cloudapi/internal/outbound"
)

const apiVersion = "2018-08-08"

// realTime signs requests: the cloud compares it with its own.
var realTime clock.RealClock

// maxAnswer bounds an answer's body in bytes, unpacked. A page of 20 groups
// with large config files has some tens of millions.
const maxAnswer = 128 << 20

// call is one call of an action.
type call struct {
	action     string
	parameters map[string]*string
	// writes tells that a lost answer leaves the outcome open.
	writes bool
	// repeatable tells that twice is the same as once.
	repeatable bool
}

// answer is a decoded answer. list names the field that must be a list, if one
// must, and tells how many items were found; fault says what makes the answer
// useless, or nothing.
type answer interface {
	list() (name string, items int)
	fault(listMissing bool) string
}

// reply is an HTTP answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// read makes a call that changes nothing; model is one of the SDK's requests.
func read(action string, model any) call {
	return call{action: action, parameters: openapiutil.Query(model), repeatable: true}
}

// do makes the call, paced and repeated as its errors allow, and decodes the
// answer. Each attempt decodes into a fresh one, so that nothing of a failed
// attempt stays.
func do[A any, P interface {
	*A
	answer
}](ctx context.Context, c *Client, cl call) (*A, error) {
	var out P
	retry := func(err error) (bool, time.Duration) {
		again, after := cl.mayRepeat(err)
		if again {
			c.log.V(1).Info("repeating a call", "action", cl.action, "error", err.Error())
		}
		return again, after
	}
	err := c.pacer.Do(ctx, cl.action, retry, func(ctx context.Context) error {
		out = new(A)
		return c.attempt(ctx, cl, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// attempt makes one attempt, and a second where the first was turned away for
// a reason that is now mended.
func (c *Client) attempt(ctx context.Context, cl call, out answer) error {
	key, err := c.accessKey(ctx, cl)
	if err != nil {
		return err
	}
	got, err := c.once(ctx, cl, key, out)
	if err == nil || !c.mend(ctx, got, &key, err) {
		return err
	}
	_, err = c.once(ctx, cl, key, out)
	return err
}

func (c *Client) accessKey(ctx context.Context, cl call) (credential.AccessKey, error) {
	key, err := c.credentials.AccessKey(ctx)
	if err == nil {
		return key, nil
	}
	e := cl.broken(ctx, false, fmt.Errorf("getting the access key: %w", err))
	if _, refused := errors.AsType[*roleError](err); refused {
		e.Code = cloudapi.CodeUnauthorized
	}
	return key, e
}

// mend tells whether a refused request is worth signing anew: the key was
// replaced while the request was under way, or our clock is wrong, which the
// answer's Date header now corrects.
func (c *Client) mend(ctx context.Context, got reply, key *credential.AccessKey, cause error) bool {
	var e *cloudapi.Error
	if !errors.As(cause, &e) || e.Code != cloudapi.CodeUnauthorized {
		return false
	}
	if strings.HasPrefix(e.VendorCode, "InvalidTimeStamp") {
		date, err := http.ParseTime(got.header.Get("Date"))
		if err != nil {
			return false
		}
		skew := date.Sub(realTime.Now())
		c.skew.Store(int64(skew))
		c.log.Info("our clock differs from the cloud's; signing with the cloud's", "skew", skew.String())
		return true
	}
	if role, ok := c.credentials.(*roleSource); ok {
		role.renew(*key)
	}
	fresh, err := c.credentials.AccessKey(ctx)
	changed := err == nil && fresh != *key
	if changed {
		*key = fresh
	}
	return changed
}

// once sends a signed request and decodes its answer. Its error is an
// *cloudapi.Error.
func (c *Client) once(ctx context.Context, cl call, key credential.AccessKey, out answer) (reply, error) {
	got, err := c.send(ctx, cl, key)
	if err != nil {
		return got, err
	}
	if len(got.body) > maxAnswer {
		return got, cl.unreadable(got, fmt.Sprintf("longer than %d bytes", maxAnswer))
	}
	if got.status < 200 || got.status > 299 {
		var told errorAnswer
		if err := decode(got.body, &told); err != nil || got.status < 400 {
			return got, cl.unreadable(got, "no JSON object")
		}
		return got, cl.refused(got, told)
	}
	if fault := readAnswer(got.body, out); fault != "" {
		return got, cl.unreadable(got, fault)
	}
	return got, nil
}

// readAnswer decodes an answer and says what makes it useless, or nothing.
func readAnswer(body []byte, out answer) string {
	err := decode(body, out)
	missing := false
	if name, items := out.list(); err == nil && name != "" && items == 0 {
		missing, err = listMissing(body, name)
	}
	if err != nil {
		return jsonFault(err)
	}
	return out.fault(missing)
}

// jsonFault tells what is wrong with an answer without quoting it.
func jsonFault(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("no JSON at byte %d", syntax.Offset)
	}
	return err.Error()
}

// send signs and sends a request and reads the answer, at most one byte more
// than maxAnswer. The SDK's core signs and builds the request; what comes back
// goes past it.
func (c *Client) send(ctx context.Context, cl call, key credential.AccessKey) (reply, error) {
	timed, cancel := context.WithTimeout(ctx, c.httpTimeout)
	defer cancel()
	ex := &exchange{}
	traced := httptrace.WithClientTrace(context.WithValue(timed, exchangeKey{}, ex),
		&httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { ex.sent.Store(true) }})
	core, err := openapi.NewClient(&openapi.Config{
		Endpoint: new(c.endpoint.Host), Protocol: new(c.endpoint.Scheme),
		Credential: signer{key}, HttpClient: c.transport, UserAgent: new("cumulet"),
	})
	if err != nil {
		return reply{}, cl.broken(ctx, false, fmt.Errorf("building the request: %w", err))
	}
	_, err = core.CallApiWithCtx(traced, rpc(cl.action), c.request(cl), &dara.RuntimeOptions{})
	if ex.answer != nil {
		return *ex.answer, nil
	}
	if err == nil {
		err = errors.New("the request was not sent")
	}
	return reply{}, cl.broken(ctx, ex.sent.Load(), withoutURL(err))
}

// rpc holds what the SDK states of every action of this API.
func rpc(action string) *openapi.Params {
	return &openapi.Params{
		Action: &action, Version: new(apiVersion), Protocol: new("HTTPS"),
		Pathname: new("/"), Method: new("POST"), AuthType: new("AK"),
		Style: new("RPC"), ReqBodyType: new("formData"), BodyType: new("json"),
	}
}

// request puts the parameters into the body.
func (c *Client) request(cl call) *openapi.OpenApiRequest {
	form := make(map[string]any, len(cl.parameters))
	for name, value := range cl.parameters {
		form[name] = *value
	}
	out := &openapi.OpenApiRequest{Body: form}
	if skew := time.Duration(c.skew.Load()); skew != 0 {
		date := realTime.Now().Add(skew).UTC().Format("2006-01-02T15:04:05Z")
		out.Headers = map[string]*string{"x-acs-date": &date}
	}
	return out
}

// exchange takes an answer from the transport to the caller, past the SDK.
type exchange struct {
	sent   atomic.Bool
	answer *reply
}

type exchangeKey struct{}

// transport implements the SDK's dara.HttpClient.
type transport struct{ client *http.Client }

func newTransport(base http.RoundTripper) *transport {
	return &transport{outbound.Client(base)}
}

// Call sends the request and keeps the answer. The SDK gets an empty one: it
// would lose the status of an answer that is no JSON, and decode the others
// twice.
func (t *transport) Call(request *http.Request, _ *http.Transport) (*http.Response, error) {
	ex, ok := request.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("a request outside of a call")
	}
	answer, err := t.client.Do(request) //nolint:gosec // the operator names the endpoint
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	ex.answer = &reply{status: answer.StatusCode, header: answer.Header, body: body}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("{}")), Request: request,
	}, nil
}

func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
