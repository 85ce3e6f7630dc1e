package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/uuid"

	"github.com/cumulet/cumulet/internal/emulator"
	"github.com/cumulet/cumulet/internal/emulator/kci"
)

// targets are the clouds that every example is shown on.
var targets = map[string][]string{
	"eci":      {"--cloud", "eci"},
	"kci":      {"--cloud", "kci"},
	"kci-seed": {"--cloud", "kci", "--dialect", "seed"},
}

// exampleNames are the manifests in examples/; the tests run in that folder, so
// that the names in their output are short.
func exampleNames(t *testing.T) []string {
	t.Helper()
	t.Chdir(filepath.Join("..", "..", "examples"))
	names, err := filepath.Glob("*.yaml")
	if err != nil || len(names) < 30 {
		t.Fatalf("%d examples, want 30 at least (%v)", len(names), err)
	}
	return names
}

// TestExamples holds what translate prints of each example, and its exit code.
func TestExamples(t *testing.T) {
	for _, name := range exampleNames(t) {
		for cloud, flags := range targets {
			out, complaint, code := translated(t, "", append(flags, "-f", name)...)
			if code == 1 {
				t.Errorf("%s on %s: %s", name, cloud, complaint)
				continue
			}
			if code == exitMissing {
				t.Errorf("%s on %s lacks something: an example is whole", name, cloud)
			}
			path := filepath.Join("testdata", strings.TrimSuffix(name, ".yaml")+"."+cloud+".txt")
			golden(t, path, fmt.Sprintf("%sexit code %d\n", out, code))
		}
	}
}

// TestExamplesSayWhatTheyAre: each begins with a comment of a few lines that
// says on which clouds it runs, and so it is.
func TestExamplesSayWhatTheyAre(t *testing.T) {
	for _, name := range exampleNames(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		head := slices.IndexFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "# ") })
		if head < 2 || head > 6 {
			t.Errorf("%s has a head of %d lines; it should have 2 to 6", name, head)
			continue
		}
		said := runsOn.FindStringSubmatch(strings.Join(lines[:head], "\n"))
		if said == nil {
			t.Errorf("the head of %s does not say: Runs on", name)
			continue
		}
		for cloud := range targets {
			if cloud == "kci-seed" {
				continue // the heads are about what people have
			}
			_, _, code := translated(t, "", append(targets[cloud], "-f", name)...)
			// What an operator has to allow first is refused by default.
			if want := strings.Contains(said[1], cloud) && said[2] != " with "; want != (code == 0) {
				t.Errorf("%s says it runs on %s, but translate ends with %d for %s", name, said[1], code, cloud)
			}
		}
	}
}

// runsOn is what the head of an example says of the clouds.
var runsOn = regexp.MustCompile(`(?m)^# Runs on: (eci|kci|eci, kci|neither)([.;]| \(| where | with )`)

// front is an emulated cloud that takes requests as they were printed.
type front struct {
	endpoint string
	sign     func(r *http.Request, body string) error
}

// emulatedFronts starts the emulated clouds.
func emulatedFronts(t testing.TB) map[string]front {
	t.Helper()
	fronts := map[string]front{}
	for _, dialect := range []kci.Dialect{kci.Extended, kci.Seed} {
		e := emulator.New(emulator.Options{KCIDialect: dialect, ErrorLog: log.New(io.Discard, "", 0)})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		c := e.Config()
		if dialect == kci.Seed {
			fronts["kci-seed"] = front{c.KCI.Endpoint, signKCI(c.KCI)}
			continue
		}
		fronts["eci"] = front{c.ECI.Endpoint, signECI(c.ECI)}
		fronts["kci"] = front{c.KCI.Endpoint, signKCI(c.KCI)}
	}
	return fronts
}

// signKCI signs by AWS signature version 4.
func signKCI(c emulator.CloudConfig) func(*http.Request, string) error {
	return func(r *http.Request, body string) error {
		sum := sha256.Sum256([]byte(body))
		key := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.AccessKeySecret}
		return signer.NewSigner().SignHTTP(r.Context(), key, r, hex.EncodeToString(sum[:]), "kci", c.Region, time.Now())
	}
}

// signECI signs by Alibaba Cloud's signature version 3.
func signECI(c emulator.CloudConfig) func(*http.Request, string) error {
	return func(r *http.Request, body string) error {
		sum := sha256.Sum256([]byte(body))
		r.Header.Set("X-Acs-Date", time.Now().UTC().Format(time.RFC3339))
		r.Header.Set("X-Acs-Signature-Nonce", uuid.NewString())
		r.Header.Set("X-Acs-Content-Sha256", hex.EncodeToString(sum[:]))
		var names []string
		for name := range r.Header {
			names = append(names, strings.ToLower(name))
		}
		names = append(names, "host")
		slices.Sort(names)
		canonical := "POST\n/\n\n"
		for _, name := range names {
			value := r.Header.Get(name)
			if name == "host" {
				value = r.URL.Host
			}
			canonical += name + ":" + value + "\n"
		}
		canonical += "\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(sum[:])
		hashed := sha256.Sum256([]byte(canonical))
		mac := hmac.New(sha256.New, []byte(c.AccessKeySecret))
		mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(hashed[:])))
		r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
			c.AccessKeyID, strings.Join(names, ";"), hex.EncodeToString(mac.Sum(nil))))
		return nil
	}
}

// printed is a request as translate prints it.
type printed struct {
	title   string
	headers http.Header
	body    string
}

// parseRequests reads what translate -o request prints.
func parseRequests(t *testing.T, text string) []printed {
	t.Helper()
	var out []printed
	for part := range strings.SplitSeq("\n"+text, "\n### ") {
		title, rest, _ := strings.Cut(part, "\n")
		if !strings.HasPrefix(rest, "POST ") {
			continue // a pod that would not run
		}
		head, body, found := strings.Cut(rest, "\n\n")
		if !found {
			t.Fatalf("%s: no empty line between headers and body", title)
		}
		p := printed{title: title, headers: http.Header{}, body: strings.TrimSuffix(strings.TrimSuffix(body, "\n"), "\n")}
		for i, line := range strings.Split(head, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && i > 0 {
				p.headers.Set(name, value)
			}
		}
		out = append(out, p)
	}
	return out
}

// send signs a printed request and sends it, its body as it is.
func (f front) send(ctx context.Context, p printed) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.endpoint+"/", strings.NewReader(p.body))
	if err != nil {
		return 0, "", err
	}
	r.Header = p.headers.Clone()
	if err := f.sign(r, p.body); err != nil {
		return 0, "", err
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(bufio.NewReader(got.Body))
	return got.StatusCode, string(text), err
}

// TestExamplesAreAccepted sends each request that translate prints to the
// emulated cloud, byte for byte.
func TestExamplesAreAccepted(t *testing.T) {
	fronts := emulatedFronts(t)
	sent := 0
	for _, name := range exampleNames(t) {
		for cloud, flags := range targets {
			out, complaint, code := translated(t, "", append(flags, "-f", name, "-o", "request", "--show-secrets")...)
			if code == 1 {
				t.Fatalf("%s on %s: %s", name, cloud, complaint)
			}
			for _, p := range parseRequests(t, out) {
				sent++
				status, answer, err := fronts[cloud].send(t.Context(), p)
				if err != nil || status != http.StatusOK || !strings.Contains(answer, `"ContainerGroupId"`) {
					t.Errorf("%s, %s: %d %s %v\n%s", name, p.title, status, answer, err, p.body)
				}
			}
		}
	}
	if sent < 50 {
		t.Errorf("only %d requests were sent", sent)
	}
}
