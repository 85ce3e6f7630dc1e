package eci

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// tokens remembers what requests with a ClientToken have done, so that a repeat
// does nothing again.
type tokens struct{ memory *memory[*attempt] }

// attempt is one execution under a token. result and err are valid once done is
// closed.
type attempt struct {
	parameters [sha256.Size]byte
	done       chan struct{}
	result     string
	err        error
}

func newTokens() *tokens { return &tokens{newMemory[*attempt](tokenLife)} }

// once runs f unless the same action has succeeded with the same token before; it
// then answers what f answered. A repeat while f runs waits for it; after a
// failure the token is free again.
func (t *tokens) once(ctx context.Context, now time.Time, c *call, f func() (string, error)) (string, error) {
	token := c.params["ClientToken"]
	if token == "" {
		return f()
	}
	key := c.action + "\x00" + token
	mine := &attempt{parameters: fingerprint(c.params), done: make(chan struct{})}
	for {
		first, added := t.memory.add(now, key, mine)
		if added {
			return t.run(now, key, mine, f)
		}
		if first.parameters != mine.parameters {
			return "", fail(codeMismatch, "The ClientToken was used before with other parameters.")
		}
		select {
		case <-first.done:
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for the first request with this ClientToken: %w", ctx.Err())
		}
		if first.err == nil {
			return first.result, nil
		}
	}
}

// run executes the attempt that holds the token.
func (t *tokens) run(now time.Time, key string, a *attempt, f func() (string, error)) (string, error) {
	a.err = errAborted // stands if f panics
	defer func() {
		if a.err != nil {
			t.memory.take(now, key)
		}
		close(a.done)
	}()
	a.result, a.err = f()
	return a.result, a.err
}

var errAborted = fail(codeInternal, "The request was aborted.")

// signatureParameters differ between a request and its repeat.
var signatureParameters = map[string]bool{
	"AccessKeyId": true, "Action": true, "BearerToken": true, "ClientToken": true, "Format": true,
	"SecurityToken": true, "Signature": true, "SignatureMethod": true, "SignatureNonce": true,
	"SignatureType": true, "SignatureVersion": true, "Timestamp": true, "Version": true,
}

// fingerprint is a hash of the parameters that say what to do.
func fingerprint(params map[string]string) [sha256.Size]byte {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !signatureParameters[name] {
			hash.Write([]byte(strconv.Quote(name) + "=" + strconv.Quote(params[name]) + "\n"))
		}
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
