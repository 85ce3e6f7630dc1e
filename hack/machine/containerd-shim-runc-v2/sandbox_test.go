package main

import "testing"

func TestWithoutSeccomp(t *testing.T) {
	cases := map[string]struct {
		reason  string
		content string
		want    string // empty if nothing is to change
	}{
		"Sandbox": {
			reason:  "A sandbox goes without; large numbers stay as they are.",
			content: `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"},"resources":{"memory":{"limit":9223372036854775807}}},"ociVersion":"1.3.0"}`,
			want:    `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"linux":{"resources":{"memory":{"limit":9223372036854775807}}},"ociVersion":"1.3.0"}`,
		},
		"Container": {
			reason:  "A container that asks for a profile is runc's to refuse.",
			content: `{"annotations":{"io.kubernetes.cri.container-type":"container"},"linux":{"seccomp":{}}}`,
		},
		"Unfiltered":   {reason: "There is no profile.", content: `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"linux":{}}`},
		"NotOfThisCRI": {reason: "Other clients of containerd have no annotation.", content: `{"linux":{"seccomp":{}}}`},
		"Empty":        {reason: "Every field may be missing.", content: `{}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := withoutSeccomp([]byte(tc.content))
			if err != nil || string(got) != tc.want {
				t.Errorf("%s\ngot  %s (%v)\nwant %s", tc.reason, got, err, tc.want)
			}
		})
	}
	for _, broken := range []string{`[]`, `{"annotations":[]}`, `{"linux":7}`, ``} {
		if _, err := withoutSeccomp([]byte(broken)); err == nil {
			t.Errorf("configuration %q was accepted", broken)
		}
	}
}
