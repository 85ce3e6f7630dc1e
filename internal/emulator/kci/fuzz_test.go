package kci

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// FuzzCreate reads any form as CreateContainerGroup: what is accepted keeps the
// rules that the engine and its runtimes rely on.
func FuzzCreate(f *testing.F) {
	f.Add(minimal().Encode(), true)
	f.Add(minimal("Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Container.1.VolumeMount.0.Name", "v",
		"Container.1.VolumeMount.0.MountPath", "/v", "Container.1.LivenessProbe.Exec.Command.0", "x").Encode(), false)
	f.Add(minimal(file("ConfigFileToPath", "a/b", "eA==")...).Encode(), false)
	f.Add(minimal(file("ConfigFilePath", "/a", "x")...).Encode(), true)
	f.Add("Container.1=a&Container.1.Name=b&Cpu=1e3&Memory=%ff", false)
	f.Add("Container.999999999.Name=a&Container.9999999999.Name=a&..=&=&&a", true)
	f.Fuzz(func(t *testing.T, form string, seed bool) {
		sent, err := parseParams(form)
		if err != nil {
			return
		}
		tree, err := newTree(sent)
		if err != nil {
			return
		}
		groups := &fakeGroups{now: time.Now}
		s := New(Options{Groups: groups})
		r := &reader{dialect: Extended}
		if seed {
			r.dialect = Seed
		}
		do := readCreate(s, r, tree)
		if r.err != nil || tree.unread() != "" {
			return
		}
		if _, err := do(nil); err != nil {
			t.Fatal(err)
		}
		checkRules(t, groups.groups[0].Spec)
	})
}

// checkRules checks a spec in other words than the reader's.
func checkRules(t *testing.T, spec *engine.Spec) {
	if spec.Name == "" || spec.Subnet == "" || len(spec.Containers) == 0 || len(spec.SecurityGroups) > 3 {
		t.Errorf("incomplete: %+v", spec)
	}
	sold := slices.ContainsFunc(packages, func(p sizePackage) bool {
		return p.CPU == spec.CPU && slices.Contains(p.Memory, spec.Memory)
	})
	if !sold {
		t.Errorf("no such size: %g cores %g GiB", spec.CPU, spec.Memory)
	}
	seen := map[string]bool{}
	for _, c := range slices.Concat(spec.Containers, spec.InitContainers) {
		if c.Image == "" || seen[c.Name] {
			t.Errorf("container %+v", c)
		}
		seen[c.Name] = true
		for _, m := range c.Mounts {
			if !strings.HasPrefix(m.Path, "/") || !slices.ContainsFunc(spec.Volumes, func(v engine.Volume) bool { return v.Name == m.Volume }) {
				t.Errorf("mount %+v", m)
			}
		}
		for _, p := range []*engine.Probe{c.Liveness, c.Readiness} {
			if p != nil && (p.Period <= 0 || p.Timeout <= 0 || p.Success < 1 || p.Failure < 1) {
				t.Errorf("probe %+v", p)
			}
		}
	}
	for _, v := range spec.Volumes {
		if v.Files == nil {
			continue
		}
		for _, file := range v.Files.Items {
			if !filepath.IsLocal(file.Path) || len(file.Content) > 24<<10 || file.Mode < 0 || file.Mode > 0o777 {
				t.Errorf("file %q, %d bytes, mode %o", file.Path, len(file.Content), file.Mode)
			}
		}
	}
}

// FuzzHandler sends any request: the answer is always JSON with a RequestId, and
// an error has a code of the API's.
func FuzzHandler(f *testing.F) {
	files, err := filepath.Glob("testdata/exchanges/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no exchanges: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		request := strings.Split(string(text), "====\n")[1]
		method, rest, _ := strings.Cut(request, " ")
		target, _, _ := strings.Cut(rest, " ")
		_, body, _ := strings.Cut(request, "\n\n")
		f.Add(method, target, strings.ReplaceAll(body, "\n", ""), "", true)
	}
	f.Add("POST", "/", vectorBody, "AWS4-HMAC-SHA256 Credential=AKTEST/20201010/cn-beijing-6/kci/aws4_request, SignedHeaders=host;;x, Signature=a", false)
	f.Add("GET", "/?"+queryForm().Encode(), "", "", false)
	f.Add("GET", "/?"+kciVector().Encode(), "", "", false)
	f.Add("GET", "/exec/?token=a&token=b", "", "", false)
	f.Fuzz(func(t *testing.T, method, target, body, authorization string, sign bool) {
		r, err := http.NewRequest(method, "http://kci.api.ksyun.com"+target, strings.NewReader(body))
		if err != nil || r.Host != "kci.api.ksyun.com" {
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		b := newBench(t, nil)
		b.groups.groups = append(b.groups.groups, exampleGroup(), fullGroup())
		if sign {
			signV4(r, body, b.clock.Now())
		} else {
			r.Header.Set("X-Amz-Date", "20201010T035504Z")
			r.Header.Set("Authorization", authorization)
		}
		b.Action(r)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		checkAnswer(t, w)
	})
}

var errorCodes = regexp.MustCompile(`^(MissingAuthenticationToken|SignatureDoesNotMatch|InvalidClientTokenId|AccessDenied|` +
	`IncompleteSignature|DryRunOperation|NoSuchEntity|InvalidParameterValue|InvalidMethod|MissingParameter|InvalidQueryParameter)$`)

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	var d document
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || d.RequestID == "" {
		t.Fatalf("%v\n%d %s", err, w.Code, w.Body)
	}
	if (w.Code == http.StatusOK) != (d.Error.Code == "") || (d.Error.Code != "" && !errorCodes.MatchString(d.Error.Code)) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
