package kci

import (
	"crypto/hmac"
	"net/http"
	"slices"
	"time"
)

// AccessKey is a key pair that may call the API.
type AccessKey struct {
	// ID and Secret are the pair.
	ID, Secret string
	// SecurityToken is set for a temporary pair: each call must then carry it, in
	// X-Ksc-Security-Token, X-Amz-Security-Token or the parameter SecurityToken.
	SecurityToken string
	// Expires ends the pair; zero means never.
	Expires time.Time
	// Deny are the actions that answer AccessDenied.
	Deny []string
}

// proof is a signature of either kind, ready to be checked.
type proof struct {
	keyID, given, token string
	dateText            string
	at                  time.Time
	// sign computes the signature that the secret gives.
	sign func(secret string) (string, *apiError)
}

// authenticate returns the key that signed the request. The order of the checks
// is AWS's: shape, scope, key, age, signature.
func (s *Server) authenticate(req *request, params []param) (*AccessKey, *apiError) {
	if req.http.Host == "" {
		return nil, missingHost.with()
	}
	p, err := s.readProof(req, params)
	if err != nil {
		return nil, err
	}
	key := s.keys[p.keyID]
	if key == nil || !equal(key.SecurityToken, p.token) {
		return nil, invalidToken.with()
	}
	now := s.options.Clock.Now()
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return nil, tokenExpired.with()
	}
	if age := now.Sub(p.at); age > signatureWindow || age < -signatureWindow {
		return nil, signatureExpired.with(shorten(p.dateText))
	}
	want, err := p.sign(key.Secret)
	if err != nil {
		return nil, err
	}
	if !equal(want, p.given) {
		return nil, wrongSignature.with()
	}
	return key, nil
}

// equal compares without telling by its duration where the two differ.
func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// readProof finds the signature: the Authorization header comes first, since
// some SDKs send parameters of the simplified kind beside it.
func (s *Server) readProof(req *request, params []param) (*proof, *apiError) {
	switch {
	case req.http.Header.Get("Authorization") != "":
		sig, err := readV4Header(req.http)
		if err != nil {
			return nil, err
		}
		return s.v4Proof(req, sig)
	case has(req.query, "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders"):
		sig, err := readV4Query(req.http, req.query)
		if err != nil {
			return nil, err
		}
		return s.v4Proof(req, sig)
	case has(params, "Signature", "SignatureMethod", "SignatureVersion"):
		return simplifiedProof(params)
	default:
		return nil, missingToken.with()
	}
}

func has(params []param, names ...string) bool {
	return slices.ContainsFunc(params, func(p param) bool { return slices.Contains(names, p.name) })
}

func (s *Server) v4Proof(req *request, sig *v4Signature) (*proof, *apiError) {
	scope, err := sig.scope(s.options.Region)
	if err != nil {
		return nil, err
	}
	return &proof{
		keyID: scope.key, given: sig.signature, token: headerToken(req.http, req.query),
		dateText: sig.date, at: sig.at,
		sign: func(secret string) (string, *apiError) { return sig.compute(req, scope, secret) },
	}, nil
}

// headerToken is the security token beside a SigV4 signature. It may be among
// the signed headers or not: Kingsoft's own components do both.
func headerToken(r *http.Request, query []param) string {
	for _, name := range []string{"X-Ksc-Security-Token", "X-Amz-Security-Token"} {
		if token := r.Header.Get(name); token != "" {
			return token
		}
	}
	token, _ := find(query, "X-Amz-Security-Token")
	return token
}

func simplifiedProof(params []param) (*proof, *apiError) {
	sig, err := readSimplified(params)
	if err != nil {
		return nil, err
	}
	return &proof{
		keyID: sig.key, given: sig.signature, token: sig.token, dateText: sig.timestamp, at: sig.at,
		sign: func(secret string) (string, *apiError) { return signSimplified(params, secret), nil },
	}, nil
}
