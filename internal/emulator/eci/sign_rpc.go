package eci

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- the wire protocol prescribes HMAC-SHA1
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// readRPC reads a signature in parameters (RPC style, signature version 1.0). It
// covers the parameters of the query and of a form body alike.
func readRPC(c *call) (*signature, error) {
	p := c.params
	if p["Signature"] == "" {
		return nil, fail(codeIncompleteSign, "The request carries no signature.")
	}
	if p["SignatureMethod"] != "HMAC-SHA1" || p["SignatureVersion"] != "1.0" {
		return nil, fail(codeIncompleteSign, "The parameters SignatureMethod and SignatureVersion must be HMAC-SHA1 and 1.0.")
	}
	text := rpcStringToSign(c.request.Method, p)
	return &signature{
		keyID: p["AccessKeyId"],
		token: p["SecurityToken"],
		nonce: p["SignatureNonce"],
		time:  p["Timestamp"],
		given: p["Signature"],
		sign:  func(secret string) string { return signRPC(text, secret) },
	}, nil
}

// rpcStringToSign is the method, the path / and the encoded, sorted parameters
// without the signature, each encoded (again) and joined by &.
func rpcStringToSign(method string, params map[string]string) string {
	var terms []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "Signature" {
			terms = append(terms, percentEncode(name)+"="+percentEncode(params[name]))
		}
	}
	return method + "&%2F&" + percentEncode(strings.Join(terms, "&"))
}

func signRPC(text, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
