package eci_test

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/eci"
	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The vendor's own SDK, unmodified, drives every action with either signature.
func TestSDK(t *testing.T) {
	for name, algorithm := range map[string]string{"ACS3": "", "RPC": "v2"} {
		t.Run(name, func(t *testing.T) {
			client, groups := connect(t, algorithm, eci.AccessKey{ID: "key-1", Secret: "secret-1"})
			id := create(t, client)
			groups.Run(id)
			t.Run("Describe", func(t *testing.T) { describe(t, client, id) })
			t.Run("Status", func(t *testing.T) { status(t, client, id) })
			t.Run("Events", func(t *testing.T) { events(t, client, groups, id) })
			t.Run("Log", func(t *testing.T) { logs(t, client, groups, id) })
			t.Run("Exec", func(t *testing.T) { exec(t, client, id) })
			t.Run("Metric", func(t *testing.T) { metric(t, client, id) })
			t.Run("Regions", func(t *testing.T) { regions(t, client) })
			t.Run("Tags", func(t *testing.T) { tags(t, client, id) })
			t.Run("Update", func(t *testing.T) { update(t, client, groups, id) })
			t.Run("Restart", func(t *testing.T) { restart(t, client, id) })
			t.Run("Delete", func(t *testing.T) { remove(t, client, id) })
		})
		t.Run(name+"WithSTS", func(t *testing.T) {
			key := eci.AccessKey{ID: "STS.key-2", Secret: "secret-2", SecurityToken: "token/+= ä", Expires: time.Now().Add(time.Hour)}
			client, _ := connect(t, algorithm, key)
			regions(t, client)
		})
	}
}

// connect serves a fake engine and makes a client of it.
func connect(t *testing.T, algorithm string, key eci.AccessKey) (*sdk.Client, *eci.FakeGroups) {
	t.Helper()
	groups := eci.NewFakeGroups(clock.RealClock{})
	server := httptest.NewUnstartedServer(eci.New(eci.Options{
		Groups: groups, Region: "cn-hangzhou", Zones: []string{"cn-hangzhou-b"}, Keys: []eci.AccessKey{key},
	}))
	server.Config.MaxHeaderBytes = 16 << 20 // the SDK puts everything into the URL
	server.Start()
	t.Cleanup(server.Close)
	config := &openapi.Config{
		AccessKeyId: &key.ID, AccessKeySecret: &key.Secret, SignatureAlgorithm: &algorithm,
		Endpoint: new(strings.TrimPrefix(server.URL, "http://")), Protocol: new("http"),
	}
	if key.SecurityToken != "" {
		config.SecurityToken = &key.SecurityToken
	}
	client, err := sdk.NewClient(config)
	if err != nil {
		t.Fatalf("making client: %v", err)
	}
	return client, groups
}

var region = new("cn-hangzhou")

// wantCode checks for a refusal with a code and an HTTP status.
func wantCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	var refusal *tea.SDKError
	if !errors.As(err, &refusal) || tea.StringValue(refusal.Code) != code || tea.IntValue(refusal.StatusCode) != status {
		t.Errorf("error is %v; want %s with status %d", err, code, status)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("calling the emulator: %v", err)
	}
}

// create makes a group with more than 1 MiB of files: far more than a URL usually
// carries.
func create(t *testing.T, client *sdk.Client) string {
	t.Helper()
	request := &sdk.CreateContainerGroupRequest{
		RegionId: region, ContainerGroupName: new("web-1"), ClientToken: new("token-1"),
		Cpu: tea.Float32(0.3), Memory: tea.Float32(0.6),
		DnsConfig: &sdk.CreateContainerGroupRequestDnsConfig{NameServer: tea.StringSlice([]string{"10.0.0.10"})},
		DnsPolicy: new("None"),
		Tag:       []*sdk.CreateContainerGroupRequestTag{{Key: new("ключ"), Value: new("a b*c~d/e+&=")}},
		Container: []*sdk.CreateContainerGroupRequestContainer{{
			Name: new("app"), Image: new("nginx:1.25"), Arg: tea.StringSlice([]string{"", "-v"}),
			EnvironmentVar: []*sdk.CreateContainerGroupRequestContainerEnvironmentVar{{Key: new("A"), Value: new("1")}},
			LivenessProbe: &sdk.CreateContainerGroupRequestContainerLivenessProbe{
				HttpGet: &sdk.CreateContainerGroupRequestContainerLivenessProbeHttpGet{Path: new("/"), Port: tea.Int32(80)},
			},
		}},
		InitContainer: []*sdk.CreateContainerGroupRequestInitContainer{{
			Name: new("prepare"), Image: new("busybox"), Command: tea.StringSlice([]string{"true"}),
		}},
	}
	content := base64.StdEncoding.EncodeToString(make([]byte, 32<<10))
	volume := &sdk.CreateContainerGroupRequestVolume{Name: new("files"), Type: new("ConfigFileVolume"),
		ConfigFileVolume: &sdk.CreateContainerGroupRequestVolumeConfigFileVolume{}}
	for i := range 30 {
		volume.ConfigFileVolume.ConfigFileToPath = append(volume.ConfigFileVolume.ConfigFileToPath,
			&sdk.CreateContainerGroupRequestVolumeConfigFileVolumeConfigFileToPath{
				Path: new("f" + string(rune('a'+i))), Content: &content, Mode: tea.Int32(0o644)})
	}
	request.Volume = []*sdk.CreateContainerGroupRequestVolume{volume}
	first, err := client.CreateContainerGroup(request)
	ok(t, err)
	again, err := client.CreateContainerGroup(request)
	ok(t, err)
	if diff := cmp.Diff(tea.StringValue(first.Body.ContainerGroupId), tea.StringValue(again.Body.ContainerGroupId)); diff != "" {
		t.Errorf("a repeat with the same token made another group (-first +again):\n%s", diff)
	}
	request.Cpu = tea.Float32(1)
	_, err = client.CreateContainerGroup(request)
	wantCode(t, err, "IdempotentParameterMismatch", 400)
	return tea.StringValue(first.Body.ContainerGroupId)
}

func describe(t *testing.T, client *sdk.Client, id string) {
	answer, err := client.DescribeContainerGroups(&sdk.DescribeContainerGroupsRequest{
		RegionId: region, ContainerGroupIds: new(`["` + id + `"]`), WithEvent: new(true),
		Tag: []*sdk.DescribeContainerGroupsRequestTag{{Key: new("ключ"), Value: new("a b*c~d/e+&=")}},
	})
	ok(t, err)
	if len(answer.Body.ContainerGroups) != 1 {
		t.Fatalf("%d groups; want 1", len(answer.Body.ContainerGroups))
	}
	g := answer.Body.ContainerGroups[0]
	app, prepare := g.Containers[0], g.InitContainers[0]
	got := []any{
		*g.Status, *g.Cpu, *g.Memory, *g.IntranetIp, *g.Tags[0].Value, *app.Args[0], *app.Args[1],
		*app.EnvironmentVars[0].Key, *app.LivenessProbe.HttpGet.Port, *app.CurrentState.State, *prepare.Command[0],
		*prepare.CurrentState.ExitCode, len(g.Volumes[0].ConfigFileVolumeConfigFileToPaths), *g.DnsConfig.NameServers[0],
	}
	want := []any{
		"Running", float32(0.5), float32(1), "172.16.0.7", "a b*c~d/e+&=", "", "-v",
		"A", int32(80), "Running", "true", int32(0), 30, "10.0.0.10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
}

func status(t *testing.T, client *sdk.Client, id string) {
	answer, err := client.DescribeContainerGroupStatus(&sdk.DescribeContainerGroupStatusRequest{
		RegionId: region, Limit: tea.Int32(200), SinceSecond: tea.Int32(60),
	})
	ok(t, err)
	data := answer.Body.Data[0]
	container := data.PodStatus.ContainerStatuses[0]
	got := []any{
		*data.ContainerGroupId, *data.Uuid, *data.Namespace, *data.PodStatus.Phase, *data.PodStatus.PodIps[0].Ip,
		*data.PodStatus.Conditions[0].Type, *data.PodStatus.Conditions[0].Status, *container.Name, *container.Ready,
		container.State.Running.StartedAtstartedAt != nil,
	}
	want := []any{id, id, "default", "Running", "172.16.0.7", "ContainerInstanceCreated", "True", "app", true, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func events(t *testing.T, client *sdk.Client, groups *eci.FakeGroups, id string) {
	now := time.Now()
	groups.Set(id, func(g *engine.Group) {
		g.Events = []engine.Event{{Type: "Normal", Reason: "Pulled", Message: "m", Count: 1, First: now, Last: now}}
	})
	answer, err := client.DescribeContainerGroupEvents(&sdk.DescribeContainerGroupEventsRequest{RegionId: region})
	ok(t, err)
	event := answer.Body.Data[0].Events[0]
	got := []string{*event.Reason, *event.InvolvedObject.Uid, *event.Source.Component, *event.Metadata.Namespace}
	if diff := cmp.Diff([]string{"Pulled", id, "kubelet", "default"}, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func logs(t *testing.T, client *sdk.Client, groups *eci.FakeGroups, id string) {
	groups.Lines = []engine.LogLine{{Time: time.Now(), Text: "hello <world> ä"}}
	answer, err := client.DescribeContainerLog(&sdk.DescribeContainerLogRequest{
		RegionId: region, ContainerGroupId: &id, ContainerName: new("app"), LimitBytes: tea.Int64(1000),
	})
	ok(t, err)
	if got := tea.StringValue(answer.Body.Content); got != "hello <world> ä\n" {
		t.Errorf("log is %q", got)
	}
	_, err = client.DescribeContainerLog(&sdk.DescribeContainerLogRequest{ContainerGroupId: &id, ContainerName: new("x")})
	wantCode(t, err, "InvalidParameter.NotFound", 404)
}

func exec(t *testing.T, client *sdk.Client, id string) {
	request := &sdk.ExecContainerCommandRequest{
		RegionId: region, ContainerGroupId: &id, ContainerName: new("app"), Command: new(`["echo","a b"]`),
		Sync: new(true),
	}
	answer, err := client.ExecContainerCommand(request)
	ok(t, err)
	if got := tea.StringValue(answer.Body.SyncResponse); got != "echo a b tty=false\non stderr\n" {
		t.Errorf("output is %q", got)
	}
	request.Sync, request.TTY = nil, new(true)
	answer, err = client.ExecContainerCommand(request)
	ok(t, err)
	want := "ws://" + tea.StringValue(client.Endpoint) + "/exec/?s="
	if got := tea.StringValue(answer.Body.WebSocketUri); !strings.HasPrefix(got, want) {
		t.Errorf("WebSocketUri is %q; want %s…", got, want)
	}
}

func metric(t *testing.T, client *sdk.Client, id string) {
	answer, err := client.DescribeMultiContainerGroupMetric(&sdk.DescribeMultiContainerGroupMetricRequest{
		RegionId: region, ContainerGroupIds: new(`["` + id + `"]`), MetricType: new("summary"),
	})
	ok(t, err)
	record := answer.Body.MonitorDatas[0].Records[0]
	got := []int64{*record.CPU.Limit, *record.CPU.UsageNanoCores, *record.Memory.WorkingSet, *record.Network.Interfaces[0].RxBytes}
	if diff := cmp.Diff([]int64{500, 250e6, 48 << 20, 100}, got); diff != "" {
		t.Errorf("metric (-want +got):\n%s", diff)
	}
}

func regions(t *testing.T, client *sdk.Client) {
	answer, err := client.DescribeRegions(&sdk.DescribeRegionsRequest{})
	ok(t, err)
	got := []string{*answer.Body.Regions[0].RegionId, *answer.Body.Regions[0].RegionEndpoint, *answer.Body.Regions[0].Zones[0]}
	if diff := cmp.Diff([]string{"cn-hangzhou", *client.Endpoint, "cn-hangzhou-b"}, got); diff != "" {
		t.Errorf("region (-want +got):\n%s", diff)
	}
}

func tags(t *testing.T, client *sdk.Client, id string) {
	kind, ids := new("ContainerGroup"), []*string{&id}
	_, err := client.TagResources(&sdk.TagResourcesRequest{RegionId: region, ResourceType: kind, ResourceId: ids,
		Tag: []*sdk.TagResourcesRequestTag{{Key: new("new"), Value: new("1")}}})
	ok(t, err)
	_, err = client.UntagResources(&sdk.UntagResourcesRequest{RegionId: region, ResourceType: kind, ResourceId: ids,
		TagKey: tea.StringSlice([]string{"ключ"})})
	ok(t, err)
	answer, err := client.ListTagResources(&sdk.ListTagResourcesRequest{RegionId: region, ResourceType: kind, ResourceId: ids, Limit: new("5")})
	ok(t, err)
	got := []string{}
	for _, r := range answer.Body.TagResources {
		got = append(got, *r.ResourceId, *r.TagKey, *r.TagValue)
	}
	if diff := cmp.Diff([]string{id, "new", "1"}, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func update(t *testing.T, client *sdk.Client, groups *eci.FakeGroups, id string) {
	request := &sdk.UpdateContainerGroupRequest{
		RegionId: region, ContainerGroupId: &id, UpdateType: new("IncrementalUpdate"),
		Container: []*sdk.UpdateContainerGroupRequestContainer{{Name: new("app"), Image: new("nginx:1.26")}},
	}
	_, err := client.UpdateContainerGroup(request)
	ok(t, err)
	g, err := groups.Get(id)
	ok(t, err)
	if got := g.Spec.Containers[0].Image; got != "nginx:1.26" {
		t.Errorf("image is %s; want nginx:1.26", got)
	}
	_, err = client.UpdateContainerGroup(request)
	wantCode(t, err, "NoNeedUpdate", 400)
}

func restart(t *testing.T, client *sdk.Client, id string) {
	_, err := client.RestartContainerGroup(&sdk.RestartContainerGroupRequest{RegionId: region, ContainerGroupId: &id})
	ok(t, err)
}

func remove(t *testing.T, client *sdk.Client, id string) {
	request := &sdk.DeleteContainerGroupRequest{RegionId: region, ContainerGroupId: &id, Force: new(true)}
	_, err := client.DeleteContainerGroup(request)
	ok(t, err)
	_, err = client.DeleteContainerGroup(request)
	wantCode(t, err, "InvalidParameter.NotFound", 404)
}

// Parameters may travel in a form body, which keeps them out of the URL.
func TestSDKWithFormBody(t *testing.T) {
	for name, algorithm := range map[string]string{"ACS3": "", "RPC": "v2"} {
		t.Run(name, func(t *testing.T) {
			client, groups := connect(t, algorithm, eci.AccessKey{ID: "key-1", Secret: "secret-1"})
			params := &openapi.Params{
				Action: new("CreateContainerGroup"), Version: new("2018-08-08"), Protocol: new("HTTP"),
				Pathname: new("/"), Method: new("POST"), AuthType: new("AK"), Style: new("RPC"),
				ReqBodyType: new("formData"), BodyType: new("json"),
			}
			_, err := client.CallApi(params, &openapi.OpenApiRequest{Body: map[string]any{
				"RegionId": "cn-hangzhou", "ContainerGroupName": "web-1", "Container.1.Name": "app",
				"Container.1.Image": "nginx", "Container.1.EnvironmentVar.1.Key": "A",
				"Container.1.EnvironmentVar.1.Value": "a b*c~d/ä+&=%",
			}}, &dara.RuntimeOptions{})
			ok(t, err)
			made := groups.List(nil)
			if len(made) != 1 || made[0].Spec.Containers[0].Env[0].Value != "a b*c~d/ä+&=%" {
				t.Errorf("groups are %+v; want one with the environment of the request", made)
			}
		})
	}
}

// The SDK reads the time to wait from a throttled answer.
func TestSDKSeesThrottling(t *testing.T) {
	key := eci.AccessKey{ID: "key-1", Secret: "secret-1"}
	server := httptest.NewServer(eci.New(eci.Options{
		Groups: eci.NewFakeGroups(clock.RealClock{}), Keys: []eci.AccessKey{key},
		Quotas: map[string]eci.Quota{"DescribeRegions": {Burst: 1, Rate: 0.001}},
	}))
	t.Cleanup(server.Close)
	client, err := sdk.NewClient(&openapi.Config{AccessKeyId: &key.ID, AccessKeySecret: &key.Secret,
		Endpoint: new(strings.TrimPrefix(server.URL, "http://")), Protocol: new("http")})
	ok(t, err)
	_, err = client.DescribeRegions(&sdk.DescribeRegionsRequest{})
	ok(t, err)
	_, err = client.DescribeRegions(&sdk.DescribeRegionsRequest{})
	wantCode(t, err, "Throttling.User", 400)
}
