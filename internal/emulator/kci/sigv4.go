package kci

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	v4Algorithm  = "AWS4-HMAC-SHA256"
	v4Terminator = "aws4_request"
	v4Date       = "20060102T150405Z"
	// v4DateOffset is how the Node SDK writes the date: its library's letter Z is
	// the offset, so it sends 20201010T035504+00:00.
	v4DateOffset = "20060102T150405-07:00"
)

// v4Signature is a SigV4 signature as a request carries it.
type v4Signature struct {
	credential, signedHeaders, signature string
	// inQuery is the query form: the signature's own parameter is left out of
	// what is signed.
	inQuery bool
	// date is the text that was signed, at what it means.
	date string
	at   time.Time
}

// v4Scope is a parsed credential.
type v4Scope struct{ key, date, region, service, terminator string }

// readV4Header reads the header form: Authorization, and X-Amz-Date or Date.
func readV4Header(r *http.Request) (*v4Signature, *apiError) {
	header := r.Header.Get("Authorization")
	algorithm, rest, found := strings.Cut(strings.TrimSpace(header), " ")
	if algorithm != v4Algorithm {
		return nil, unknownAlgorithm.with(shorten(algorithm))
	}
	fields, ok := splitAuthorization(rest)
	if !found || !ok {
		return nil, badAuthorization.with()
	}
	sig := &v4Signature{fields["Credential"], fields["SignedHeaders"], fields["Signature"], false, "", time.Time{}}
	switch {
	case sig.credential == "":
		return nil, missingCredential.with(shorten(header))
	case sig.signature == "":
		return nil, missingSignature.with(shorten(header))
	case sig.signedHeaders == "":
		return nil, missingSigned.with(shorten(header))
	}
	if err := sig.readDate(r.Header.Get("X-Amz-Date"), r.Header.Get("Date")); err != nil {
		return nil, err
	}
	if sig.date == "" {
		return nil, missingDate.with(shorten(header))
	}
	return sig, nil
}

// splitAuthorization splits "a=1, b=2"; ok is false if it is anything else.
func splitAuthorization(text string) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for field := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(field), "=")
		if _, twice := fields[name]; !found || twice {
			return nil, false
		}
		fields[name] = value
	}
	return fields, true
}

// readV4Query reads the query form. Only the date may be missing: then it is the
// Date header's (Kingsoft's page on common parameters of the AWS signature).
func readV4Query(r *http.Request, query []param) (*v4Signature, *apiError) {
	get := func(name string) string { value, _ := find(query, name); return value }
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if get(name) == "" {
			return nil, missingQuery.with(name)
		}
	}
	if algorithm := get("X-Amz-Algorithm"); algorithm != v4Algorithm {
		return nil, unknownAlgorithm.with(shorten(algorithm))
	}
	sig := &v4Signature{get("X-Amz-Credential"), get("X-Amz-SignedHeaders"), get("X-Amz-Signature"), true, "", time.Time{}}
	if err := sig.readDate(get("X-Amz-Date"), r.Header.Get("Date")); err != nil {
		return nil, err
	}
	if sig.date == "" {
		return nil, missingQuery.with("X-Amz-Date")
	}
	return sig, nil
}

// readDate takes amz, the X-Amz-Date, or else the Date header, which may also be
// an HTTP date: then what is signed is its basic form. Both empty leave it unset.
func (sig *v4Signature) readDate(amz, date string) *apiError {
	text := amz
	if text == "" {
		text = date
	}
	if text == "" {
		return nil
	}
	for _, layout := range []string{v4Date, v4DateOffset} {
		if at, err := time.Parse(layout, text); err == nil {
			sig.date, sig.at = text, at.UTC()
			return nil
		}
	}
	if at, err := http.ParseTime(text); amz == "" && err == nil {
		sig.date, sig.at = at.UTC().Format(v4Date), at.UTC()
		return nil
	}
	return badDate.with(shorten(text))
}

// scope checks the credential, all but the key.
func (sig *v4Signature) scope(region string) (v4Scope, *apiError) {
	parts := strings.Split(sig.credential, "/")
	if len(parts) != 5 {
		return v4Scope{}, badCredential.with(shorten(sig.credential))
	}
	scope := v4Scope{parts[0], parts[1], parts[2], parts[3], parts[4]}
	switch {
	case scope.terminator != v4Terminator:
		return scope, wrongTerminator.with(shorten(scope.terminator))
	case scope.region != region:
		return scope, wrongRegion.with(shorten(scope.region))
	case scope.service != service:
		return scope, wrongService.with(service)
	case scope.date != sig.at.Format("20060102"):
		return scope, wrongDate.with()
	}
	return scope, nil
}

// compute signs the request with a secret.
func (sig *v4Signature) compute(req *request, scope v4Scope, secret string) (string, *apiError) {
	canonical, err := sig.canonicalRequest(req)
	if err != nil {
		return "", err
	}
	_, scopeText, _ := strings.Cut(sig.credential, "/")
	toSign := strings.Join([]string{v4Algorithm, sig.date, scopeText, hexSHA256([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{scope.date, scope.region, scope.service, v4Terminator, toSign} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(key), nil
}

// canonicalRequest is what is signed. The path is always "/".
func (sig *v4Signature) canonicalRequest(req *request) (string, *apiError) {
	headers, err := sig.canonicalHeaders(req.http)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		req.http.Method, "/", sig.canonicalQuery(req.query), headers, sig.signedHeaders, hexSHA256(req.body),
	}, "\n"), nil
}

// canonicalHeaders walks the signed names as they are listed: Kingsoft's Go SDK
// lists host twice, and then its line is there twice.
func (sig *v4Signature) canonicalHeaders(r *http.Request) (string, *apiError) {
	names := strings.Split(strings.ToLower(sig.signedHeaders), ";")
	if !slices.Contains(names, "host") {
		return "", hostNotSigned.with()
	}
	var lines strings.Builder
	for _, name := range names {
		values := headerValues(r, name)
		if values == nil {
			return "", missingHeader.with(shorten(name))
		}
		for i, value := range values {
			values[i] = strings.Join(strings.Fields(value), " ")
		}
		lines.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return lines.String(), nil
}

// headerValues returns a header's values, also of the two that net/http keeps
// apart; nil if it was not sent.
func headerValues(r *http.Request, name string) []string {
	switch {
	case name == "host":
		return []string{r.Host}
	case name == "content-length" && r.ContentLength >= 0:
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	default:
		return slices.Clone(r.Header.Values(name))
	}
}

// canonicalQuery sorts the encoded parameters by name, then by value.
func (sig *v4Signature) canonicalQuery(query []param) string {
	var encoded []param
	for _, p := range query {
		if sig.inQuery && p.name == "X-Amz-Signature" {
			continue
		}
		encoded = append(encoded, param{escape(p.name), escape(p.value)})
	}
	return joinSorted(encoded)
}

// joinSorted sorts by name and then value, and joins name=value with &.
func joinSorted(params []param) string {
	sort.SliceStable(params, func(i, j int) bool {
		if params[i].name != params[j].name {
			return params[i].name < params[j].name
		}
		return params[i].value < params[j].value
	})
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p.name + "=" + p.value
	}
	return strings.Join(pairs, "&")
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
