package kci

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// request is what a call carries, before anybody has judged it.
type request struct {
	http *http.Request
	// query and form are in the order they were sent in; form is empty for GET.
	query, form []param
	body        []byte
}

// readRequest reads a call. GET has its parameters in the query, POST in a form
// body. The KCI document forbids to mix the two; the Java, Python and Node SDKs
// still put Action and Version, and the optional ids of an account, into the
// query of a POST, so common parameters may stand there.
func readRequest(r *http.Request) (*request, *apiError) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, invalidMethod.with(shorten(r.Method))
	}
	req := &request{http: r}
	var err *apiError
	if req.query, err = parseParams(r.URL.RawQuery); err != nil {
		return nil, err
	}
	if req.body, err = readBody(r); err != nil {
		return nil, err
	}
	if req.form, err = parseForm(r, req.body); err != nil {
		return nil, err
	}
	return req, req.checkMixing()
}

func readBody(r *http.Request) ([]byte, *apiError) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse("(body)", "it could not be read to its end")
	}
	if len(body) > maxBody {
		return nil, refuse("(body)", "it must have at most 8 MiB")
	}
	return body, nil
}

// parseForm reads the parameters of a form body.
func parseForm(r *http.Request, body []byte) ([]param, *apiError) {
	if len(body) == 0 {
		return nil, nil
	}
	if r.Method == http.MethodPost && !isForm(r) {
		return nil, refuse("Content-Type", quote(r.Header.Get("Content-Type"))+" must be application/x-www-form-urlencoded")
	}
	return parseParams(string(body))
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// checkMixing refuses an action's own parameters on the wrong side.
func (q *request) checkMixing() *apiError {
	if q.http.Method == http.MethodGet {
		if len(q.form) > 0 {
			return invalidQuery.with(shorten(q.form[0].name))
		}
		return nil
	}
	for _, p := range q.query {
		if !commonParameters[p.name] {
			return invalidQuery.with(shorten(p.name))
		}
	}
	return nil
}

// params are all parameters of the call. One that says the same in query and
// form counts once.
func (q *request) params() []param {
	params := append([]param(nil), q.query...)
	inQuery := map[param]bool{}
	for _, p := range q.query {
		inQuery[p] = true
	}
	for _, p := range q.form {
		if !inQuery[p] {
			params = append(params, p)
		}
	}
	return params
}

// checkCommon refuses common parameters that occur twice; the tree does the same
// for an action's own.
func checkCommon(params []param) *apiError {
	seen := map[string]bool{}
	for _, p := range params {
		if !commonParameters[p.name] {
			continue
		}
		if seen[p.name] {
			return invalidQuery.with(p.name)
		}
		seen[p.name] = true
	}
	return nil
}

// find returns the first parameter of that name.
func find(params []param, name string) (string, bool) {
	for _, p := range params {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// parseParams reads application/x-www-form-urlencoded text of UTF-8 (KCI
// document, "encoding").
func parseParams(text string) ([]param, *apiError) {
	var params []param
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil || !isText(name) || !isText(value) {
			return nil, invalidQuery.with(shorten(strings.ToValidUTF8(rawName, "")))
		}
		params = append(params, param{name, value})
	}
	return params, nil
}

// isText tells whether s is UTF-8 that a process can take as an argument.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// Action returns the action that a request names, from its query or its form
// body, and "" if it names none. It leaves the body as it was.
func (s *Server) Action(r *http.Request) string {
	if action := r.URL.Query().Get("Action"); action != "" {
		return action
	}
	if r.Method != http.MethodPost || r.Body == nil || !isForm(r) {
		return ""
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	r.Body = restored{io.MultiReader(bytes.NewReader(head), failing{err}, r.Body), r.Body}
	if err != nil {
		return ""
	}
	form, bad := parseParams(string(head))
	if bad != nil {
		return ""
	}
	action, _ := find(form, "Action")
	return action
}

// restored is a body of which a part was read ahead.
type restored struct {
	io.Reader
	io.Closer
}

// failing repeats an error that reading ahead met, so that the next reader
// meets it at the same place.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
