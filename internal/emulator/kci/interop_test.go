package kci

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Kingsoft's SDKs cannot be had as modules or packages, so the clients here
// write what each of them writes on the wire: its way to name lists, to encode
// values, to place common parameters, and to sign. They share no code with the
// package, its signing included.

// pair is one parameter in an SDK's own order.
type pair struct{ name, value string }

// sdkClient is one SDK.
type sdkClient struct {
	base     int    // first index of a list
	yes      string // true
	whole    string // how a float of 2 is written
	settings bool   // sends parameters of type Object, such as DnsConfig
	send     func(host, action string, pairs []pair) *http.Request
}

// The SDKs, in the versions that the notes of this project were taken from.
var sdkClients = map[string]sdkClient{
	"Go":         {base: 0, yes: "true", whole: "2", settings: true, send: sendGo},
	"Go2022":     {base: 0, yes: "true", whole: "2", settings: true, send: sendGo2022},
	"Python":     {base: 0, yes: "True", whole: "2.0", settings: true, send: sendPython},
	"Java":       {base: 1, yes: "true", whole: "2.0", settings: true, send: sendJava},
	"JavaGET":    {base: 1, yes: "true", whole: "2.0", settings: true, send: sendJavaGET},
	"Node":       {base: 0, yes: "true", whole: "2", settings: false, send: sendNode},
	"NodePOST":   {base: 0, yes: "true", whole: "2", settings: false, send: sendNodePOST},
	"NodeObject": {base: 1, yes: "true", whole: "2", settings: false, send: sendNode},
}

// sendGo is sdk-go v2.2.122: a POST with everything in the body, sorted, signed
// by aws-sdk-go v1, which lists host twice because the SDK sets a Host header.
func sendGo(host, action string, pairs []pair) *http.Request {
	pairs = append(pairs, pair{"Service", "kci"}, pair{"Action", action}, pair{"Version", "2020-07-02"})
	r := newSDKRequest(http.MethodPost, host, "", encode(sorted(pairs), url.QueryEscape))
	r.sign("20201010T035504Z", "accept", "content-type", "host", "host", "x-amz-date")
	return r.http
}

// sendGo2022 is the first release of sdk-go: the simplified signature.
func sendGo2022(host, action string, pairs []pair) *http.Request {
	pairs = append(pairs, pair{"Service", "kci"}, pair{"Action", action}, pair{"Version", "2020-07-02"},
		pair{"Accesskey", testKey}, pair{"Timestamp", "2020-10-10T03:55:04Z"}, pair{"SignatureVersion", "1.0"},
		pair{"SignatureMethod", "HMAC-SHA256"}, pair{"Region", "cn-beijing-6"})
	text := encode(sorted(pairs), percentEncode)
	pairs = append(pairs, pair{"Signature", hex.EncodeToString(mac([]byte(testSecret), text))})
	return newSDKRequest(http.MethodPost, host, "", encode(sorted(pairs), url.QueryEscape)).http
}

func pythonCommon(action string) []pair {
	return []pair{
		{"Service", "kci"}, {"Action", action}, {"Version", "2020-07-02"}, {"SdkVersion", "SDK_PYTHON_1.5.0"},
		{"Region", "cn-beijing-6"}, {"Accesskey", testKey}, {"Language", "zh-CN"},
	}
}

// sendPython is sdk-python: Action and Version in query and body, the body in
// the order of a dict, signed by requests-aws4auth, which sends the body's hash.
func sendPython(host, action string, pairs []pair) *http.Request {
	body := encode(append(slices.Clone(pairs), pythonCommon(action)...), quotePlus)
	r := newSDKRequest(http.MethodPost, host, "Action="+action+"&Version=2020-07-02", body)
	r.signPython(body)
	return r.http
}

// sendJava is sdk-java: Action and Version in the query, the rest in the body,
// and a Host header without the port.
func sendJava(host, action string, pairs []pair) *http.Request {
	r := newSDKRequest(http.MethodPost, host, "Action="+action+"&Version=2020-07-02&AccountId=7", encode(sorted(pairs), urlEncoder))
	r.http.Host, _, _ = strings.Cut(host, ":")
	r.sign("20201010T035504Z", "accept", "content-type", "host", "x-amz-date")
	return r.http
}

// sendJavaGET is sdk-java's doGetSend.
func sendJavaGET(host, action string, pairs []pair) *http.Request {
	pairs = append(slices.Clone(pairs), pair{"Action", action}, pair{"Version", "2020-07-02"})
	r := newSDKRequest(http.MethodGet, host, encode(sorted(pairs), percentEncode), "")
	r.http.Host, _, _ = strings.Cut(host, ":")
	r.sign("20201010T035504Z", "accept", "content-type", "host", "x-amz-date")
	return r.http
}

// sendNode is sdk-node: GET, and a date with an offset for the Z.
func sendNode(host, action string, pairs []pair) *http.Request {
	pairs = append([]pair{{"Version", "2020-07-02"}, {"Action", action}}, pairs...)
	r := newSDKRequest(http.MethodGet, host, encode(sorted(pairs), percentEncode), "")
	r.sign("20201010T035504+00:00", "host", "x-amz-date")
	return r.http
}

// sendNodePOST is sdk-node with method POST: Action and Version stay in the query.
func sendNodePOST(host, action string, pairs []pair) *http.Request {
	r := newSDKRequest(http.MethodPost, host, "Action="+action+"&Version=2020-07-02", encode(pairs, percentEncode))
	r.sign("20201010T035504+00:00", "host", "x-amz-date")
	return r.http
}

// sdkRequest is a request about to be signed.
type sdkRequest struct {
	http *http.Request
	body string
}

func newSDKRequest(method, host, query, body string) *sdkRequest {
	r, err := http.NewRequest(method, "http://"+host+"/?"+query, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return &sdkRequest{r, body}
}

// signPython adds the header by which requests-aws4auth tells the body's hash.
func (r *sdkRequest) signPython(body string) {
	r.http.Header.Set("X-Amz-Content-Sha256", digest(body))
	r.sign("20201010T035504Z", "content-type", "host", "x-amz-content-sha256", "x-amz-date")
}

// sign is SigV4 as AWS describes it, over the headers named, in that order.
func (r *sdkRequest) sign(date string, names ...string) {
	r.http.Header.Set("X-Amz-Date", date)
	var headers strings.Builder
	for _, name := range names {
		value := r.http.Header.Get(name)
		if name == "host" {
			value = r.http.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, value)
	}
	var query []pair
	for name, values := range r.http.URL.Query() {
		query = append(query, pair{name, values[0]})
	}
	signed := strings.Join(names, ";")
	canonical := fmt.Sprintf("%s\n/\n%s\n%s\n%s\n%s", r.http.Method, encode(sorted(query), percentEncode), headers.String(), signed, digest(r.body))
	scope := "20201010/cn-beijing-6/kci/aws4_request"
	key := mac(mac(mac(mac([]byte("AWS4"+testSecret), "20201010"), "cn-beijing-6"), "kci"), "aws4_request")
	signature := hex.EncodeToString(mac(key, fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, digest(canonical))))
	r.http.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", testKey, scope, signed, signature))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func encode(pairs []pair, escape func(string) string) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, escape(p.name)+"="+escape(p.value))
	}
	return strings.Join(parts, "&")
}

func sorted(pairs []pair) []pair {
	return slices.SortedFunc(slices.Values(pairs), func(a, b pair) int { return strings.Compare(a.name, b.name) })
}

// percentEncode is RFC 3986 byte by byte.
func percentEncode(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// quotePlus is Python's, urlEncoder is Java's: the one keeps ~, the other *.
func quotePlus(text string) string { return strings.ReplaceAll(percentEncode(text), "%20", "+") }

func urlEncoder(text string) string {
	return strings.NewReplacer("%20", "+", "~", "%7E", "%2A", "*").Replace(percentEncode(text))
}

// TestInteropSigner ties the signer above to the vector that Kingsoft's own call
// of aws-sdk-go made.
func TestInteropSigner(t *testing.T) {
	r := newSDKRequest(http.MethodPost, "kci.cn-beijing-6.api.ksyun.com", "", vectorBody)
	r.sign("20201010T035504Z", "accept", "content-type", "host", "host", "x-amz-date")
	const want = "Signature=d4ba40bc513ae28230d0a017a75c54afc47c412caa4428793e0cfdbbecd7b7cd"
	if got := r.http.Header.Get("Authorization"); !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// awkward holds every character that the encodings treat differently.
const awkward = "a b+c*d~e/f=g&h%i'(j)!,周"

// createPairs is a group as an SDK's caller would build it.
func (c sdkClient) createPairs() []pair {
	list := func(name string, index int) string { return fmt.Sprintf("%s.%d", name, c.base+index) }
	container := list("Container", 0)
	pairs := []pair{
		{"ContainerGroupName", "interop"}, {"SubnetId", "s"}, {list("SecurityGroupId", 0), "g"},
		{"ChargeType", "HourlyInstantSettlement"}, {"KciType", "RBKCI"}, {"Cpu", c.whole}, {"Memory", "3"},
		{list("Volume", 0) + ".Type", "ConfigFileVolume"}, {list("Volume", 0) + ".Name", "files"},
		{list(list("Volume", 0)+".ConfigFileVolume.ConfigFileToPath", 0) + ".Path", "a.txt"},
		{list(list("Volume", 0)+".ConfigFileVolume.ConfigFileToPath", 0) + ".Content", base64.StdEncoding.EncodeToString([]byte(awkward))},
		{list(list("Volume", 0)+".ConfigFileVolume.ConfigFileToPath", 0) + ".mode", "420"},
		{container + ".Name", "main"}, {container + ".Image", "nginx"}, {container + ".Memory", "0.5"},
		{list(container+".VolumeMount", 0) + ".Name", "files"}, {list(container+".VolumeMount", 0) + ".MountPath", "/etc/app"},
		{list(container+".VolumeMount", 0) + ".ReadOnly", c.yes},
		{list(container+".EnvironmentVar", 0) + ".Key", "A"}, {list(container+".EnvironmentVar", 0) + ".Value", awkward},
		{container + ".LivenessProbe.HttpGet.Port", "80"}, {container + ".LivenessProbe.HttpGet.Path", "/live"},
	}
	for i := range 12 { // over ten, so that names sort unlike numbers
		pairs = append(pairs, pair{list(container+".Arg", i), fmt.Sprint(i)})
	}
	if c.settings {
		pairs = append(pairs, pair{list("DnsConfig.NameServer", 0), "10.0.0.2"})
	}
	return pairs
}

// goGroup is the part of the Go SDK's types that a wrong kind of value breaks.
type goGroup struct {
	Name          *string  `json:"ContainerGroupName"`
	Status        *string  `json:"Status"`
	KciMode       *string  `json:"KciMode"`
	CreateTime    *string  `json:"CreateTime"`
	CPU           *int     `json:"Cpu"`
	Memory        *int     `json:"Memory"`
	ProjectID     *int     `json:"ProjectId"`
	RetainIPHours *int     `json:"RetainIpHours"`
	GPU           *float64 `json:"Gpu"`
	RetainIP      *bool    `json:"RetainIp"`
	Interfaces    []struct {
		PrivateIP *string `json:"PrivateIpAddress"`
		PublicIP  *string `json:"PublicIp"`
	} `json:"NetworkInterfaceAttributes"`
	Labels      []struct{ Key, Value *string }            `json:"Labels"`
	DNS         struct{ NameServers, Searches []*string } `json:"DnsConfig"`
	HostAliases []struct{ Hostnames []*string }           `json:"HostAliases"`
	Containers  []goContainer                             `json:"Containers"`
	Volumes     []struct {
		ConfigFileVolume struct{ ConfigFileToPaths []struct{ Path *string } }
	} `json:"Volumes"`
}

type goContainer struct {
	Commands, Args              []*string
	CPU                         *float64 `json:"Cpu"`
	Memory, Gpu                 *float64
	RestartCount                *int
	CurrentState, PreviousState struct {
		StartTime, State *string
		ExitCode         *int
	}
	LivenessProbe struct {
		FailureThreshold *int
		HTTPGet          struct{ Port *int } `json:"HttpGet"`
	}
}

// TestInterop takes each SDK through the life of a group.
func TestInterop(t *testing.T) {
	for name, client := range sdkClients {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			server := httptest.NewServer(b)
			defer server.Close()
			call := func(action string, pairs ...pair) []byte {
				return exchange(t, server, client.send(server.Listener.Addr().String(), action, pairs))
			}
			var made document
			unmarshal(t, call("CreateContainerGroup", client.createPairs()...), &made)
			checkInteropSpec(t, b, client)
			start(b, made.ContainerGroupID)

			var page struct{ ContainerGroups []goGroup }
			unmarshal(t, call("DescribeContainerGroup", pair{fmt.Sprintf("ContainerGroupId.%d", client.base), made.ContainerGroupID},
				pair{fmt.Sprintf("Filter.%d.Name", client.base), "status"}, pair{fmt.Sprintf("Filter.%d.Value.%d", client.base, client.base), "Running"}), &page)
			checkInteropGroup(t, page.ContainerGroups)

			id, container := pair{"ContainerGroupId", made.ContainerGroupID}, pair{"ContainerName", "main"}
			b.groups.logs = []engine.LogLine{{Text: awkward}}
			var log struct{ Content string }
			unmarshal(t, call("DescribeContainerLog", id, container, pair{"Tail", "500"}), &log)
			if log.Content != awkward+"\n" {
				t.Errorf("log: got %q", log.Content)
			}
			call("DescribeContainerGroupEvents", id)
			call("DescribeContainerGroupCount", pair{"Label.Key", "cluster-id"}, pair{fmt.Sprintf("Label.Value.%d", client.base), "c"})
			call("DescribeRegions")
			call("DescribeKciPackages", pair{"ChargeType", "HourlyInstantSettlement"}, pair{"KciType", "RBKCI"})
			call("ExecContainerCommand", id, container, pair{fmt.Sprintf("Command.%d", client.base), "/bin/sh"}, pair{"TTY", client.yes})
			call("DeleteContainerGroup", id)
		})
	}
}

// exchange sends a request and returns the body of a success.
func exchange(t *testing.T, server *httptest.Server, r *http.Request) []byte {
	t.Helper()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", r.Method, r.URL, response.StatusCode, body, err)
	}
	return body
}

func unmarshal(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("the SDK's types do not take the answer: %v\n%s", err, body)
	}
}

// checkInteropSpec checks what came through.
func checkInteropSpec(t *testing.T, b *bench, client sdkClient) {
	t.Helper()
	spec := b.groups.groups[0].Spec
	want := engine.Container{
		Name: "main", Image: "nginx", Memory: 0.5, Env: []engine.EnvVar{{Name: "A", Value: awkward}},
		Args:   []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"},
		Mounts: []engine.Mount{{Volume: "files", Path: "/etc/app", ReadOnly: true}},
		Liveness: &engine.Probe{
			Handler: engine.Handler{HTTP: &engine.HTTPGet{Scheme: "HTTP", Path: "/live", Port: 80}},
			Period:  10 * time.Second, Timeout: time.Second, Success: 1, Failure: 1,
		},
	}
	if diff := cmp.Diff(want, spec.Containers[0]); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	wantFile := engine.File{Path: "a.txt", Content: []byte(awkward), Mode: 0o644}
	if diff := cmp.Diff(wantFile, spec.Volumes[0].Files.Items[0]); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if spec.CPU != 2 || spec.Memory != 4 || (spec.DNS != nil) != client.settings {
		t.Errorf("got %g cores, %g GiB, DNS %v", spec.CPU, spec.Memory, spec.DNS)
	}
}

// start lets the group run.
func start(b *bench, id string) {
	b.groups.change(id, func(g *engine.Group) {
		g.Status, g.IP, g.ENI = engine.Running, "10.0.0.5", "eni-5"
		g.Containers = []engine.ContainerState{{Name: "main", Current: engine.RunState{Kind: engine.KindRunning, StartedAt: testTime}}}
	})
}

// checkInteropGroup checks what an SDK's caller would look at.
func checkInteropGroup(t *testing.T, groups []goGroup) {
	t.Helper()
	if len(groups) != 1 {
		t.Fatalf("got %d groups", len(groups))
	}
	g := groups[0]
	c := g.Containers[0]
	got := fmt.Sprint(*g.Name, *g.Status, *g.KciMode, *g.CPU, *g.Memory, *g.Interfaces[0].PrivateIP,
		len(c.Args), *c.Memory, *c.CurrentState.State, *c.LivenessProbe.FailureThreshold, *g.Volumes[0].ConfigFileVolume.ConfigFileToPaths[0].Path)
	want := fmt.Sprint("interop", "Running", "STANDALONE", 2, 4, "10.0.0.5", 12, 0.5, "running", 1, "a.txt")
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
