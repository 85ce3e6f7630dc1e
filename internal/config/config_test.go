package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

const minimal = `
clusterID: c-1
nodes:
- name: eci-1
  cloud: eci
  region: cn-hangzhou
  address: 192.0.2.1
`

// keys are an environment with the access keys of both clouds.
func keys(name string) string {
	return map[string]string{
		envECIKeyID: "eci-id", envECIKeySecret: "eci-SECRET", envECIToken: "eci-TOKEN",
		envKCIKeyID: "kci-id", envKCIKeySecret: "kci-SECRET", envKCIToken: "kci-TOKEN",
	}[name]
}

func none(string) string { return "" }

func TestGoodFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(data, keys)
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("with defaults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMistakes changes one thing in a good file, or adds one, and states the
// whole message.
func TestMistakes(t *testing.T) {
	const kci = "clusterID: c-1\nnodes:\n- {name: kci-1, cloud: kci, region: cn-beijing-6, address: 192.0.2.1, subnets: [s], securityGroups: [g]"
	node := func(more string) string { return minimal + "  " + more }
	for name, c := range map[string]struct {
		file string
		env  func(string) string
		want string
	}{
		"not YAML":      {file: "{", want: "parsing configuration: error converting YAML to JSON: yaml: line 1: did not find expected node content"},
		"unknown field": {file: minimal + "colour: blue", want: `parsing configuration: error unmarshaling JSON: while decoding JSON: json: unknown field "colour"`},
		"unknown field of a node": {file: node("colour: blue"),
			want: `parsing configuration: error unmarshaling JSON: while decoding JSON: json: unknown field "colour"`},
		"keys in the file": {file: node("credentials: {accessKeySecret: x}"),
			want: `parsing configuration: error unmarshaling JSON: while decoding JSON: json: unknown field "accessKeySecret"`},
		"twice the same": {file: minimal + "clusterID: c-2",
			want: `parsing configuration: error converting YAML to JSON: yaml: unmarshal errors:
  line 8: key "clusterID" already set in map`},
		"empty": {file: "", want: `[clusterID: Invalid value: "": must be 1 to 63 letters, digits, '-', '_' or '.', such as the UID of the kube-system namespace, ` +
			`nodes: Required value: at least one virtual node is needed]`},
		"cluster DNS": {file: minimal + "clusterDNS: [10.96.0.10, dns]", want: `clusterDNS[1]: Invalid value: "dns": must be an IP address`},
		"health address": {file: minimal + "healthAddress: 8081",
			want: `healthAddress: Invalid value: "8081": must be host:port, such as 127.0.0.1:8080, or "0" for none`},
		"metrics address": {file: minimal + `metricsAddress: "8080"`,
			want: `metricsAddress: Invalid value: "8080": must be host:port, such as 127.0.0.1:8080, or "0" for none`},
		"node name": {file: strings.Replace(minimal, "eci-1", "Node_1", 1),
			want: `nodes[0].name: Invalid value: "Node_1": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ` +
				`and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is ` +
				`'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		"same name and port": {file: minimal + "  port: 10250\n- {name: eci-1, cloud: eci, region: r, address: 192.0.2.1, port: 10250}",
			want: `[nodes[1].name: Duplicate value: "eci-1", nodes[1].port: Duplicate value: 10250]`},
		"region":      {file: strings.Replace(minimal, "  region: cn-hangzhou\n", "", 1), want: `nodes[0].region: Required value: such as cn-hangzhou (eci) or cn-beijing-6 (kci)`},
		"cloud":       {file: strings.Replace(minimal, "cloud: eci", "cloud: aws", 1), want: `[nodes[0].cloud: Unsupported value: "aws": supported values: "eci", "kci", nodes[0].credentials: Required value: no source is named and the environment holds no access key: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET]`},
		"arch":        {file: node("architecture: riscv64"), want: `nodes[0].architecture: Unsupported value: "riscv64": supported values: "amd64", "arm64"`},
		"arch of kci": {file: kci + ", architecture: arm64}", want: `nodes[0].architecture: Invalid value: "arm64": kci has no parameter for it: its groups run on amd64`},
		"interval":    {file: node("statusInterval: 100ms"), want: `nodes[0].statusInterval: Invalid value: "100ms": must be at least 200ms`},
		"policy":      {file: node("policy: {securityContext: ignore}"), want: `nodes[0].policy.securityContext: Unsupported value: "ignore": supported values: "refuse", "report"`},
		"host names":  {file: node("policy: {hostname: report}"), want: `nodes[0].policy.hostname: Unsupported value: "report": supported values: "refuse", "emulate"`},
		"unknown policy": {file: node("policy: {volumes: report}"),
			want: `parsing configuration: error unmarshaling JSON: while decoding JSON: json: unknown field "volumes"`},
		"network":          {file: node("network: lan"), want: `nodes[0].network: Unsupported value: "lan": supported values: "public", "vpc"`},
		"readiness of eci": {file: node("readiness: node"), want: `nodes[0].readiness: Forbidden: only kci leaves a choice: eci tells what is ready`},
		"dialect of eci":   {file: node("dialect: seed"), want: `nodes[0].dialect: Forbidden: only kci has dialects`},
		"subnets of eci":   {file: node("subnets: [a,b,c,d,e,f,g,h,i,j,k]"), want: `nodes[0].subnets: Too many: 11: must have at most 10 items`},
		"groups of eci":    {file: node("securityGroups: [a,b,c,d,e,f]"), want: `nodes[0].securityGroups: Too many: 6: must have at most 5 items`},
		"kci needs": {file: "clusterID: c-1\nnodes:\n- {name: kci-1, cloud: kci, region: cn-beijing-6, address: 192.0.2.1}",
			want: `[nodes[0].subnets: Required value: the cloud needs at least one, nodes[0].securityGroups: Required value: the cloud needs at least one]`},
		"seed":                  {file: strings.Replace(kci, "[s]", "[s, t]", 1) + ", dialect: seed}", want: `nodes[0].subnets: Too many: 2: must have at most 1 item`},
		"readiness":             {file: kci + ", readiness: cloud}", want: `nodes[0].readiness: Unsupported value: "cloud": supported values: "node", "events"`},
		"readiness of the seed": {file: kci + ", dialect: seed, readiness: events}", want: `nodes[0].readiness: Forbidden: dialect seed has no readiness probes: only the node can run them`},
		"dialect":               {file: kci + ", dialect: old}", want: `nodes[0].dialect: Unsupported value: "old": supported values: "extended", "seed"`},
		"kci network":           {file: kci + ", network: vpc}", want: `nodes[0].network: Forbidden: only eci has networks to choose from: name an endpoint`},
		"endpoint":              {file: node("endpoint: eci.example.com"), want: `nodes[0].endpoint: Invalid value: "eci.example.com": must be a URL such as https://eci.cn-hangzhou.aliyuncs.com`},
		"plain endpoint":        {file: node("endpoint: http://eci.example.com"), want: `nodes[0].endpoint: Invalid value: "http://eci.example.com": must be https: plain http is for loopback addresses only`},
		"address":               {file: strings.Replace(minimal, "192.0.2.1", "node.example.com", 1), want: `[nodes[0].address: Invalid value: "node.example.com": must be an IP address to listen on, nodes[0].advertiseAddress: Invalid value: "node.example.com": must be an IP address]`},
		"wildcard":              {file: strings.Replace(minimal, "192.0.2.1", "0.0.0.0", 1), want: `nodes[0].advertiseAddress: Required value: address is a wildcard, so say at which IP the API server reaches the node`},
		"told a wildcard":       {file: node(`advertiseAddress: "::"`), want: `nodes[0].advertiseAddress: Invalid value: "::": must be an address that others can reach, not a wildcard`},
		"port":                  {file: node("port: 65536"), want: `nodes[0].port: Invalid value: 65536: must be 0 to 65535`},
		"half a pair":           {file: node("serving: {certFile: a}"), want: `nodes[0].serving: Required value: certFile and keyFile go together`},
		"nothing to approve": {file: node("serving: {certFile: a, keyFile: b, approve: true}"),
			want: `nodes[0].serving.approve: Forbidden: with certFile no certificate is requested, so there is none to approve`},
		"label": {file: node("labels: {team: 'a b'}"), want: `nodes[0].labels: Invalid value: "a b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ` +
			`and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`},
		"capacity": {file: node("capacity: {cpu: -1}"), want: `nodes[0].capacity[cpu]: Invalid value: "-1": must not be negative`},
		"taint": {file: node("taints: [{key: team, effect: Never}]"),
			want: `nodes[0].taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`},
		"two sources":         {file: node("credentials: {file: a, ecsRAMRole: b}"), want: `nodes[0].credentials: Forbidden: name one of file, ecsRAMRole and rrsa`},
		"eci's source on kci": {file: kci + ", credentials: {ecsRAMRole: b}}", want: `nodes[0].credentials: Forbidden: ecsRAMRole and rrsa exist on eci only`},
		"rrsa": {file: node("credentials: {rrsa: {}}"), want: `[nodes[0].credentials.rrsa.roleARN: Required value: rrsa needs it, ` +
			`nodes[0].credentials.rrsa.oidcProviderARN: Required value: rrsa needs it, nodes[0].credentials.rrsa.tokenFile: Required value: rrsa needs it]`},
		"no keys for eci": {file: minimal, env: none, want: `nodes[0].credentials: Required value: no source is named and the environment holds no access key: ` +
			`set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET`},
		"no keys for kci": {file: kci + "}", env: none, want: `nodes[0].credentials: Required value: no source is named and the environment holds no access key: ` +
			`set KSYUN_ACCESS_KEY and KSYUN_SECRET_KEY`},
	} {
		t.Run(name, func(t *testing.T) {
			env := keys
			if c.env != nil {
				env = c.env
			}
			want := c.want
			if !strings.HasPrefix(want, "parsing") {
				want = "validating configuration: " + want
			}
			_, err := Parse([]byte(c.file), env)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	wildcard := strings.Replace(minimal, "  address: 192.0.2.1\n", "", 1)
	c, err := Parse([]byte(wildcard), func(name string) string {
		if name == envAdvertiseAddress {
			return "10.1.2.3"
		}
		return keys(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Nodes[0].AdvertiseAddress; got != "10.1.2.3" {
		t.Errorf("advertised address %q", got)
	}
	want := Keys{ID: "eci-id", Secret: "eci-SECRET", Token: "eci-TOKEN"}
	if c.Nodes[0].Credentials.FromEnvironment != want {
		t.Error("the keys of the environment are not taken")
	}
	c, err = Parse([]byte(minimal+"  credentials: {file: /keys}"), keys)
	if err != nil {
		t.Fatal(err)
	}
	if c.Nodes[0].Credentials.FromEnvironment != (Keys{}) {
		t.Error("the keys of the environment are taken beside a file")
	}
}

func TestSecretsStayInside(t *testing.T) {
	c, err := Parse([]byte(minimal), keys)
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	credentials, node := c.Nodes[0].Credentials, c.Nodes[0]
	texts := []string{string(data)}
	for _, value := range []any{c, *c, node, &node, credentials, &credentials, credentials.FromEnvironment, &credentials.FromEnvironment} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
	}
	for _, text := range texts {
		for _, secret := range []string{"SECRET", "TOKEN", fmt.Sprintf("%x", "SECRET"), fmt.Sprintf("%x", "TOKEN")} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows a secret", text)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.HasPrefix(err.Error(), "reading configuration: ") {
		t.Errorf("no file: %v", err)
	}
	t.Setenv(envECIKeyID, "id")
	t.Setenv(envECIKeySecret, "secret")
	path := filepath.Join(t.TempDir(), "cumulet.yaml")
	if err := os.WriteFile(path, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Nodes[0].Credentials.FromEnvironment.ID != "id" {
		t.Error("the process's environment is not read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("nodes: [{capacity: {cpu: 1e99}, taints: [{}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, keys)
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v with error %v", c, err)
		}
		if err != nil {
			return
		}
		again, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again, keys); err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%s", err, again)
		}
	})
}
