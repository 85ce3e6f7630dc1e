package agent

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// approvalPause is the time between two looks for serving requests.
const approvalPause = 5 * time.Second

// approveServing approves the node's own serving requests with the process's
// bootstrap identity, where the operator allows it: clusters have no approver
// for them by themselves.
func (n *virtualNode) approveServing(ctx context.Context, log logr.Logger) error {
	config, err := loadKubeconfig(n.config.BootstrapKubeconfig)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making client of the bootstrap identity: %w", err)
	}
	go wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := n.approveOnce(ctx, kube); err != nil && ctx.Err() == nil {
			log.Error(err, "approving serving certificate")
		}
	}, approvalPause)
	return nil
}

// approveOnce approves what is asked for and right. A wrong request is told and
// left to people; it does not hold up the others.
func (n *virtualNode) approveOnce(ctx context.Context, kube kubernetes.Interface) error {
	requests := kube.CertificatesV1().CertificateSigningRequests()
	list, err := requests.List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.signerName", certificatesv1.KubeletServingSignerName).String(),
	})
	if err != nil {
		return fmt.Errorf("listing signing requests: %w", err)
	}
	var errs []error
	for i := range list.Items {
		request := &list.Items[i]
		if request.Spec.Username != n.subject().CommonName || request.Spec.SignerName != certificatesv1.KubeletServingSignerName ||
			len(request.Status.Conditions) > 0 {
			continue
		}
		if err := n.checkServing(request); err != nil {
			errs = append(errs, fmt.Errorf("refusing signing request %s: %w", request.Name, err))
			continue
		}
		request.Status.Conditions = append(request.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
			Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue,
			Reason: "CumuletServing", Message: "cumulet asked for it and it names this virtual node only",
		})
		if _, err := requests.UpdateApproval(ctx, request.Name, request, metav1.UpdateOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("approving signing request %s: %w", request.Name, err))
		}
	}
	return errors.Join(errs...)
}

// servingUsages are what a serving certificate may be used for; the last one
// it must.
var servingUsages = []certificatesv1.KeyUsage{
	certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment, certificatesv1.UsageServerAuth,
}

// checkServing makes sure that a request asks for exactly what this process
// would ask for: a stolen node key must not get another node's certificate.
func (n *virtualNode) checkServing(request *certificatesv1.CertificateSigningRequest) error {
	block, _ := pem.Decode(request.Spec.Request)
	if block == nil {
		return errors.New("it is not PEM")
	}
	asked, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return fmt.Errorf("parsing it: %w", err)
	}
	if err := asked.CheckSignature(); err != nil {
		return fmt.Errorf("checking its signature: %w", err)
	}
	for _, usage := range request.Spec.Usages {
		if !slices.Contains(servingUsages, usage) {
			return fmt.Errorf("usage %q is not for serving", usage)
		}
	}
	want := n.servingRequest()
	switch {
	case asked.Subject.CommonName != want.Subject.CommonName:
		return fmt.Errorf("common name is %q, not %q", asked.Subject.CommonName, want.Subject.CommonName)
	case !slices.Equal(asked.Subject.Organization, want.Subject.Organization):
		return fmt.Errorf("organizations are %q, not %q", asked.Subject.Organization, want.Subject.Organization)
	case !slices.Contains(request.Spec.Usages, certificatesv1.UsageServerAuth):
		return fmt.Errorf("usages are %q, without %q", request.Spec.Usages, certificatesv1.UsageServerAuth)
	case !slices.Equal(asked.DNSNames, want.DNSNames):
		return fmt.Errorf("DNS names are %q, not %q", asked.DNSNames, want.DNSNames)
	case len(asked.IPAddresses) != 1 || !asked.IPAddresses[0].Equal(want.IPAddresses[0]):
		return fmt.Errorf("IP addresses are %v, not %v", asked.IPAddresses, want.IPAddresses)
	case len(asked.EmailAddresses)+len(asked.URIs) > 0:
		return errors.New("it names e-mail addresses or URIs")
	default:
		return nil
	}
}
