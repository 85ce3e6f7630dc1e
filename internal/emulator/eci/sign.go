package eci

import (
	"crypto/hmac"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AccessKey is a key that may sign requests.
type AccessKey struct {
	// ID and Secret are the two halves of the key.
	ID, Secret string
	// SecurityToken is set for temporary (STS) keys: requests must carry it.
	SecurityToken string
	// Expires is when the key stops to work; zero means never.
	Expires time.Time
	// Deny are the actions that the RAM user of this key has no permission
	// for. A name ending in * stands for all that begin with what is before it.
	Deny []string
}

// denies tells whether the key's user lacks permission for an action.
func (k *AccessKey) denies(action string) bool {
	return slices.ContainsFunc(k.Deny, func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == action || wild && strings.HasPrefix(action, prefix)
	})
}

// signature is what a request claims, in either style.
type signature struct {
	keyID, token, nonce string
	time                string // ISO 8601, UTC
	given               string
	// sign computes what the signature should be with a secret.
	sign func(secret string) string
}

// authenticate verifies the request's signature and returns its key.
func (s *Server) authenticate(c *call) (*AccessKey, error) {
	claimed, err := readSignature(c)
	if err != nil {
		return nil, err
	}
	if claimed.keyID == "" || claimed.nonce == "" || claimed.given == "" || claimed.time == "" {
		return nil, fail(codeIncompleteSign,
			"The request signature needs a key id, a nonce, a timestamp and the signature itself.")
	}
	at, err := time.Parse(time.RFC3339, claimed.time)
	if err != nil {
		return nil, fail(codeTimestampFormat, "The timestamp %.64q is not of the form 2006-01-02T15:04:05Z.", claimed.time)
	}
	if skew := s.clock.Now().Sub(at).Abs(); skew > clockSkew {
		return nil, fail(codeTimestampExpired, "The timestamp is %s off; at most %s are allowed.", skew, clockSkew)
	}
	key, ok := s.keys[claimed.keyID]
	if !ok {
		return nil, fail(codeKeyNotFound, "The specified access key is not found.")
	}
	if !hmac.Equal([]byte(claimed.sign(key.Secret)), []byte(claimed.given)) {
		return nil, fail(codeSignature, "The specified signature does not match the calculated one.")
	}
	if err := s.checkKey(key, claimed.token); err != nil {
		return nil, err
	}
	if _, fresh := s.nonces.add(s.clock.Now(), key.ID+"\x00"+claimed.nonce, struct{}{}); !fresh {
		return nil, fail(codeNonceUsed, "The specified signature nonce was used already.")
	}
	return key, nil
}

// checkKey checks a key's life and its security token.
func (s *Server) checkKey(key *AccessKey, token string) error {
	expired := !key.Expires.IsZero() && !s.clock.Now().Before(key.Expires)
	switch {
	case key.SecurityToken != "" && token == "":
		return fail(codeTokenMissing, "The specified access key is temporary and needs its security token.")
	case !hmac.Equal([]byte(key.SecurityToken), []byte(token)):
		return fail(codeTokenMalformed, "The specified security token does not belong to the access key.")
	case expired && key.SecurityToken != "":
		return fail(codeTokenExpired, "The specified security token has expired.")
	case expired:
		return fail(codeKeyInactive, "The specified access key is inactive.")
	default:
		return nil
	}
}

// readSignature finds out the style: an Authorization header, or parameters.
func readSignature(c *call) (*signature, error) {
	if c.request.Header.Get("Authorization") != "" {
		return readACS3(c)
	}
	return readRPC(c)
}

// percentEncode is the encoding of both styles: RFC 3986, where only letters,
// digits and -_.~ stand for themselves.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
