// Package credential holds a cloud account's access key and reads it from
// where an operator keeps it. Keys format themselves without their secret
// parts, and no error of this package quotes what a file holds.
package credential

import (
	"context"
	"errors"
)

// AccessKey is an access key. Token is set for temporary keys only.
type AccessKey struct {
	ID, Secret, Token string
}

// String shows the id only.
func (k AccessKey) String() string { return k.ID }

// GoString is String, so that %#v shows no secret either.
func (k AccessKey) GoString() string { return k.String() }

// check refuses a key that cannot sign; the error names the missing fields.
func (k AccessKey) check() error {
	switch {
	case k.ID == "" && k.Secret == "":
		return errors.New("accessKeyId and accessKeySecret are missing or empty")
	case k.ID == "":
		return errors.New("accessKeyId is missing or empty")
	case k.Secret == "":
		return errors.New("accessKeySecret is missing or empty")
	}
	return nil
}

// Source hands out the access key that is valid now. Callers ask before each
// request and keep nothing. A Source is safe for concurrent use.
type Source interface {
	AccessKey(ctx context.Context) (AccessKey, error)
}

// Static returns a source of one key that never changes, or an error if the
// key cannot sign.
func Static(key AccessKey) (Source, error) {
	if err := key.check(); err != nil {
		return nil, err
	}
	return static{key}, nil
}

type static struct{ key AccessKey }

func (s static) AccessKey(context.Context) (AccessKey, error) { return s.key, nil }
