package kci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/cumulet/cumulet/cloudapi/internal/credential"
)

const (
	// service is the service's name in the signature's scope.
	service = "kci"
	// formType is the one content type of every action.
	formType = "application/x-www-form-urlencoded"
	// sessionHeader carries a temporary key's token. It is part of what is
	// signed, as in Kingsoft's CSI plugin (pkg/open-api/client.go).
	sessionHeader = "X-Ksc-Security-Token"
)

// seal is who signs, for which region, and when.
type seal struct {
	key    credential.AccessKey
	region string
	at     time.Time
}

// sign completes a request's headers and signs it by AWS signature version 4,
// the one algorithm that all current SDKs of Kingsoft use.
func (s seal) sign(ctx context.Context, rq *http.Request, body string) error {
	rq.Header.Set("Accept", "application/json")
	rq.Header.Set("Content-Type", formType)
	if s.key.Token != "" {
		rq.Header.Set(sessionHeader, s.key.Token)
	}
	sum := sha256.Sum256([]byte(body))
	// Without SessionToken, or the signer would add X-Amz-Security-Token.
	credentials := aws.Credentials{AccessKeyID: s.key.ID, SecretAccessKey: s.key.Secret}
	err := signer.NewSigner().SignHTTP(ctx, credentials, rq, hex.EncodeToString(sum[:]), service, s.region, s.at)
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	return nil
}
