package eci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"
	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi/internal/credential"
	"github.com/cumulet/cumulet/cloudapi/internal/redact"
)

// Credentials say where the account's access key comes from: exactly one of
// the key itself, File, ECSRAMRole and RRSA. They format themselves without
// secrets.
type Credentials struct {
	// AccessKeyID and AccessKeySecret are a fixed key; SecurityToken goes
	// with a temporary one.
	AccessKeyID, AccessKeySecret, SecurityToken string
	// File is a YAML or JSON file with accessKeyId, accessKeySecret and
	// securityToken, or a directory with a file of each name. It is read
	// again when it changes.
	File string
	// ECSRAMRole is the RAM role of the ECS instance that this process runs
	// on; its keys come from the instance's metadata service.
	ECSRAMRole string
	// RRSA takes a RAM role by the OIDC token of a service account.
	RRSA *RRSA
}

// RRSA is ACK's RAM role for service accounts: STS gives a session of one hour
// for a token that the cluster signed. The session is renewed in time.
type RRSA struct {
	RoleARN, OIDCProviderARN string
	// TokenFile holds the token; it is read at each renewal.
	TokenFile string
	// SessionName shows in the cloud's audit log; default cumulet.
	SessionName string
	// STSEndpoint is a host name, always spoken to over https; default
	// sts.aliyuncs.com, or sts-vpc.<region>.aliyuncs.com on network vpc.
	STSEndpoint string
}

// String names the source only.
func (c Credentials) String() string {
	switch {
	case c.RRSA != nil:
		return "RRSA role " + c.RRSA.RoleARN
	case c.ECSRAMRole != "":
		return "ECS RAM role " + c.ECSRAMRole
	case c.File != "":
		return "file " + c.File
	}
	return "access key " + c.AccessKeyID
}

// GoString is String, so that %#v shows no secret either.
func (c Credentials) GoString() string { return c.String() }

// source makes the source of access keys.
func (c Credentials) source(options Options) (credential.Source, error) {
	named := 0
	for _, set := range []bool{
		c.AccessKeyID != "" || c.AccessKeySecret != "", c.File != "", c.ECSRAMRole != "", c.RRSA != nil,
	} {
		if set {
			named++
		}
	}
	if named != 1 {
		return nil, fmt.Errorf("credentials: %d sources are named; "+
			"name one of AccessKeyID with AccessKeySecret, File, ECSRAMRole and RRSA", named)
	}
	switch {
	case c.RRSA != nil:
		return c.RRSA.source(options)
	case c.ECSRAMRole != "":
		return newRoleSource(options.Clock, credentials.Config{
			Type: new("ecs_ram_role"), RoleName: new(c.ECSRAMRole),
		}), nil
	case c.File != "":
		return credential.FromFile(c.File)
	}
	source, err := credential.Static(credential.AccessKey{ID: c.AccessKeyID, Secret: c.AccessKeySecret, Token: c.SecurityToken})
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return source, nil
}

func (r RRSA) source(options Options) (credential.Source, error) {
	if r.RoleARN == "" || r.OIDCProviderARN == "" || r.TokenFile == "" {
		return nil, errors.New("credentials: RRSA needs RoleARN, OIDCProviderARN and TokenFile")
	}
	if r.SessionName == "" {
		r.SessionName = "cumulet"
	}
	if r.STSEndpoint == "" {
		r.STSEndpoint = "sts.aliyuncs.com"
		if options.Network == NetworkVPC {
			r.STSEndpoint = "sts-vpc." + options.Region + ".aliyuncs.com"
		}
	}
	return newRoleSource(options.Clock, credentials.Config{
		Type: new("oidc_role_arn"), RoleArn: &r.RoleARN, OIDCProviderArn: &r.OIDCProviderARN,
		OIDCTokenFilePath: &r.TokenFile, RoleSessionName: &r.SessionName, STSEndpoint: &r.STSEndpoint,
		ConnectTimeout: new(5000), Timeout: new(10000), // ms
	}), nil
}

// provider is what is used of credentials.Credential.
type provider interface {
	GetCredential() (*credentials.CredentialModel, error)
}

// spare is how long a session may be used on when it cannot be renewed.
// credentials-go renews 180 s before the end, so what it handed out last is
// good for at least this long.
const spare = 150 * time.Second

// roleSource hands out the session keys of a role. The library's providers
// renew their session without a lock (credentials-go v1.4.14), so only one
// request at a time reaches them; the others wait for its result.
type roleSource struct {
	clock  clock.PassiveClock
	build  func() (provider, error)
	flight singleflight.Group

	mu       sync.Mutex
	provider provider
	last     credential.AccessKey
	lastTime time.Time
}

func newRoleSource(c clock.PassiveClock, config credentials.Config) *roleSource {
	return &roleSource{clock: c, build: func() (provider, error) {
		fresh := config
		return credentials.NewCredential(&fresh)
	}}
}

// AccessKey implements credential.Source. A fetch that nobody waits for any
// more ends by the library's own timeouts.
func (s *roleSource) AccessKey(ctx context.Context) (credential.AccessKey, error) {
	select {
	case result := <-s.flight.DoChan("", s.fetch):
		if result.Err != nil {
			return credential.AccessKey{}, result.Err
		}
		key, _ := result.Val.(credential.AccessKey)
		return key, nil
	case <-ctx.Done():
		return credential.AccessKey{}, ctx.Err()
	}
}

func (s *roleSource) fetch() (any, error) {
	from, err := s.current()
	if err != nil {
		return nil, err
	}
	key, err := ask(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if err == nil {
		s.last, s.lastTime = key, now
		return key, nil
	}
	if s.last.ID != "" && now.Sub(s.lastTime) < spare {
		return s.last, nil
	}
	return nil, err
}

func (s *roleSource) current() (provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		fresh, err := s.build()
		if err != nil {
			return nil, fmt.Errorf("setting up the role's credentials: %w", err)
		}
		s.provider = fresh
	}
	return s.provider, nil
}

// renew drops a session that the cloud no longer accepts.
func (s *roleSource) renew(used credential.AccessKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == used {
		s.provider, s.last = nil, credential.AccessKey{}
	}
}

// ask fetches a key. The library takes some of the answer's fields for
// granted, so a panic is an error here: an odd answer must not end the process.
func ask(from provider) (key credential.AccessKey, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the answer of the credential service is incomplete")
		}
	}()
	model, err := from.GetCredential()
	if err != nil {
		return key, withoutAnswer(err)
	}
	if model == nil || dara.StringValue(model.AccessKeyId) == "" || dara.StringValue(model.AccessKeySecret) == "" {
		return key, errors.New("the credential service gave no access key")
	}
	return credential.AccessKey{
		ID: *model.AccessKeyId, Secret: *model.AccessKeySecret, Token: dara.StringValue(model.SecurityToken),
	}, nil
}

// roleError is an error answer of the credential service.
type roleError struct{ code, requestID string }

func (e *roleError) Error() string {
	return fmt.Sprintf("the credential service refused: %s (request %s)", e.code, e.requestID)
}

// withoutAnswer keeps of the library's errors the code that the service told: the
// rest quotes whole answers. Errors of the network pass.
func withoutAnswer(err error) error {
	var told errorAnswer
	text := err.Error()
	if start := strings.Index(text, "{"); start >= 0 {
		if json.Unmarshal([]byte(text[start:]), &told) == nil && told.Code != "" {
			return &roleError{redact.Line(string(told.Code), nil), redact.Line(string(told.RequestID), nil)}
		}
		return errors.New("the credential service's answer is unreadable")
	}
	return withoutURL(err)
}

// signer hands one key to the SDK's core.
type signer struct{ key credential.AccessKey }

// GetCredential implements credentials.Credential.
func (s signer) GetCredential() (*credentials.CredentialModel, error) {
	return &credentials.CredentialModel{
		AccessKeyId: &s.key.ID, AccessKeySecret: &s.key.Secret, SecurityToken: &s.key.Token, Type: s.GetType(),
	}, nil
}

// GetAccessKeyId implements credentials.Credential.
//
//nolint:revive,staticcheck // the name is the interface's
func (s signer) GetAccessKeyId() (*string, error) { return &s.key.ID, nil }

// GetAccessKeySecret implements credentials.Credential.
func (s signer) GetAccessKeySecret() (*string, error) { return &s.key.Secret, nil }

// GetSecurityToken implements credentials.Credential.
func (s signer) GetSecurityToken() (*string, error) { return &s.key.Token, nil }

// GetBearerToken implements credentials.Credential.
func (s signer) GetBearerToken() *string { return nil }

// GetType implements credentials.Credential.
func (s signer) GetType() *string {
	if s.key.Token != "" {
		return new("sts")
	}
	return new("access_key")
}
