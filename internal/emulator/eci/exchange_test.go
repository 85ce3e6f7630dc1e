package eci

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

var update = flag.Bool("update", false, "rewrite golden files")

// full is a create request that uses most of the API.
const full = "POST Action=CreateContainerGroup&RegionId=cn-hangzhou&ContainerGroupName=full-1" +
	"&ZoneId=cn-hangzhou-h&VSwitchId=vsw-1,vsw-2&SecurityGroupId=sg-1&ResourceGroupId=rg-1&RestartPolicy=OnFailure" +
	"&RamRoleName=role&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0.025&EphemeralStorage=10&ComputeCategory.1=economy" +
	"&DnsPolicy=None&DnsConfig.NameServer.1=10.0.0.10&DnsConfig.Search.1=svc.cluster.local&DnsConfig.Option.1.Name=ndots" +
	"&DnsConfig.Option.1.Value=5&HostAliase.1.Ip=10.1.2.3&HostAliase.1.Hostname.1=a&HostAliase.1.Hostname.2=b" +
	"&SecurityContext.Sysctl.1.Name=net.ipv4.ip_unprivileged_port_start&SecurityContext.Sysctl.1.Value=0" +
	"&HostName=full&ShareProcessNamespace=true&TerminationGracePeriodSeconds=5&ActiveDeadlineSeconds=600" +
	"&ImageRegistryCredential.1.Server=r.test&ImageRegistryCredential.1.UserName=u&ImageRegistryCredential.1.Password=p" +
	"&Tag.1.Key=team&Tag.1.Value=red&Tag.2.Key=empty&Tag.2.Value=" +
	"&InitContainer.1.Name=prepare&InitContainer.1.Image=busybox&InitContainer.1.Command.1=sh&InitContainer.1.Arg.1=-c" +
	"&InitContainer.1.VolumeMount.1.Name=scratch&InitContainer.1.VolumeMount.1.MountPath=/s&InitContainer.1.VolumeMount.1.SubPath=x" +
	"&Container.1.Name=app&Container.1.Image=nginx:1.25&Container.1.ImagePullPolicy=IfNotPresent&Container.1.WorkingDir=/w" +
	"&Container.1.Cpu=0.5&Container.1.Memory=1&Container.1.Command.1=serve&Container.1.Arg.1=&Container.1.Arg.2=-v" +
	"&Container.1.EnvironmentVar.1.Key=A&Container.1.EnvironmentVar.1.Value=1" +
	"&Container.1.EnvironmentVar.2.Key=IP&Container.1.EnvironmentVar.2.FieldRef.FieldPath=status.podIP" +
	"&Container.1.Port.1.Port=80&Container.1.VolumeMount.1.Name=files&Container.1.VolumeMount.1.MountPath=/etc/app" +
	"&Container.1.VolumeMount.1.ReadOnly=true&Container.1.SecurityContext.Capability.Add.1=NET_ADMIN" +
	"&Container.1.SecurityContext.ReadOnlyRootFilesystem=true&Container.1.SecurityContext.RunAsUser=1000" +
	"&Container.1.SecurityContextRunAsGroup=1001&Container.1.SecurityContextRunAsNonRoot=true" +
	"&Container.1.LivenessProbe.HttpGet.Path=/live&Container.1.LivenessProbe.HttpGet.Port=80" +
	"&Container.1.LivenessProbe.InitialDelaySeconds=3&Container.1.ReadinessProbe.Exec.Command.1=true" +
	"&Container.1.LifecyclePostStartHandlerHttpGetPort=80&Container.1.LifecyclePostStartHandlerHttpGetHttpHeader.1.Name=X-A" +
	"&Container.1.LifecyclePostStartHandlerHttpGetHttpHeader.1.Value=1&Container.1.LifecyclePreStopHandlerExec.1=stop" +
	"&Container.1.TerminationMessagePath=/t&Container.1.TerminationMessagePolicy=FallbackToLogsOnError&Container.1.Tty=true" +
	"&Container.2.Name=hidden&Container.2.Image=proxy&Container.2.EnvironmentVarHide=true" +
	"&Container.2.EnvironmentVar.1.Key=SECRET&Container.2.EnvironmentVar.1.Value=s3cret&Container.2.SecurityContextPrivileged=true" +
	"&Volume.1.Name=files&Volume.1.Type=ConfigFileVolume&Volume.1.ConfigFileVolume.DefaultMode=256" +
	"&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=conf/a&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content=aGVsbG8=" +
	"&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Mode=420&Volume.1.ConfigFileVolume.ConfigFileToPath.2.Path=b" +
	"&Volume.2.Name=scratch&Volume.2.Type=EmptyDirVolume&Volume.2.EmptyDirVolume.Medium=Memory&Volume.2.EmptyDirVolume.SizeLimit=2Gi" +
	"&Volume.3.Name=share&Volume.3.Type=NFSVolume&Volume.3.NFSVolume.Server=nas.test&Volume.3.NFSVolume.Path=/x" +
	"&Volume.4.Name=disk&Volume.4.Type=DiskVolume&Volume.4.DiskVolume.DiskId=d-1&Volume.4.DiskVolume.DiskSize=40"

// golden compares JSON with testdata/name.json.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".json")
	if *update {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(got), "", "  "); err != nil {
			t.Fatalf("indenting answer: %v", err)
		}
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatalf("writing golden file: %v", err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("reading golden file: %v", err)
	}
	if diff := diffJSON(t, string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestGoldenAnswers(t *testing.T) {
	const query = "&RegionId=cn-hangzhou"
	fail := func(g *engine.Group) {
		g.Status, g.EndedAt = engine.Failed, Start.Add(time.Minute)
		g.Containers[0].Previous = &engine.RunState{Kind: engine.KindTerminated, ExitCode: 1, Reason: "Error", StartedAt: Start, FinishedAt: Start}
		g.Containers[0].Current = engine.RunState{Kind: engine.KindTerminated, ExitCode: 137, Signal: 9, Reason: "OOMKilled",
			Message: "killed", StartedAt: Start, FinishedAt: Start.Add(time.Minute)}
		g.Containers[0].Ready, g.Containers[0].RestartCount = false, 1
	}
	events := func(g *engine.Group) {
		g.Events = []engine.Event{
			{Type: "Warning", Reason: "NoStock", Message: "no stock in zone", Count: 2, First: Start, Last: Start.Add(time.Second)},
			{Type: "Normal", Reason: "Started", Message: "Started container", Container: "app", Count: 1, First: Start, Last: Start},
		}
	}
	cases := map[string]struct {
		create, request string
		run             bool
		change          func(*engine.Group)
	}{
		"groups_full_running": {full, "GET Action=DescribeContainerGroups&WithEvent=true" + query, true, events},
		"groups_scheduling":   {simple, "POST Action=DescribeContainerGroups" + query, false, nil},
		"groups_failed":       {simple, "POST Action=DescribeContainerGroups" + query, true, fail},
		"status_running":      {full, "POST Action=DescribeContainerGroupStatus" + query, true, nil},
		"status_scheduling":   {simple, "POST Action=DescribeContainerGroupStatus" + query, false, nil},
		"status_failed":       {simple, "POST Action=DescribeContainerGroupStatus" + query, true, fail},
		"status_no_stock":     {simple, "POST Action=DescribeContainerGroupStatus" + query, false, func(g *engine.Group) { g.Status, g.Reason, g.Message = engine.ScheduleFailed, "NoStock", "sold out" }},
		"events":              {simple, "POST Action=DescribeContainerGroupEvents" + query, true, events},
		"metric":              {full, `POST Action=DescribeMultiContainerGroupMetric&ContainerGroupIds=["eci-0001","eci-0009"]` + query, true, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.must(c.create)
			if c.run {
				r.groups.Run("eci-0001")
			}
			if c.change != nil {
				r.groups.Set("eci-0001", c.change)
			}
			status, body := r.do(c.request)
			if status != 200 {
				t.Fatalf("answered %d %s", status, body)
			}
			golden(t, name, body)
		})
	}
}

// What the engine is asked to run, of a request that uses most of the API.
func TestSpecOfFullRequest(t *testing.T) {
	r := newRig(t)
	r.must(full)
	spec := *r.groups.groups[0].Spec
	spec.Wire = nil
	text, err := json.Marshal(map[string]any{"RequestId": "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "Spec": given(t, spec)})
	if err != nil {
		t.Fatalf("encoding spec: %v", err)
	}
	golden(t, "spec_full", string(text))
}

// given is a value as JSON without what is zero, so that a new field of the
// engine that this front leaves alone changes no golden file.
func given(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encoding value: %v", err)
	}
	return prune(parse(t, string(text)))
}

func prune(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		if items, ok := v.([]any); ok {
			for i := range items {
				items[i] = prune(items[i])
			}
		}
		return v
	}
	for name, field := range fields {
		field = prune(field)
		inner, isMap := field.(map[string]any)
		if field == nil || field == false || field == "" || field == 0.0 || isMap && len(inner) == 0 {
			delete(fields, name)
		}
	}
	return fields
}

// exchange is one raw request with the whole answer to it.
type exchange struct {
	request string
	status  int
	want    string
}

// Each table runs against a server with eci-0001 running, eci-0002 scheduling, and
// log lines.
func TestExchanges(t *testing.T) {
	const (
		at       = "&RegionId=cn-hangzhou"
		group    = at + "&ContainerGroupId="
		none     = `{"Code":"InvalidParameter.NotFound","Message":"The specified container group does not exist."}`
		noBox    = `{"Code":"InvalidParameter.NotFound","Message":"The specified container does not exist."}`
		badState = `{"Code":"IncorrectStatus","Message":"The current status of the resource does not support this operation."}`
	)
	missing := func(name string) string {
		return `{"Code":"MissingParameter","Message":"The parameter ` + name + ` is required."}`
	}
	tables := map[string][]exchange{
		"Gateway": {
			{"POST Version=2018-08-08", 400, missing("Action")},
			{"POST Action=Nothing" + at, 404, `{"Code":"InvalidAction.NotFound","Message":"The specified action \"Nothing\" is not found."}`},
			{"POST Action=DescribeRegions&Version=2017-01-01", 400, `{"Code":"InvalidVersion","Message":"The specified version \"2017-01-01\" is not valid; it must be 2018-08-08."}`},
			{"PUT Action=DescribeRegions", 403, `{"Code":"UnsupportedHTTPMethod","Message":"The HTTP method \"PUT\" is not supported for DescribeRegions."}`},
			{"GET Action=DescribeContainerGroupStatus" + at, 403, `{"Code":"UnsupportedHTTPMethod","Message":"The HTTP method \"GET\" is not supported for DescribeContainerGroupStatus."}`},
			{"GET Action=DescribeContainerGroupEvents" + at, 403, `{"Code":"UnsupportedHTTPMethod","Message":"The HTTP method \"GET\" is not supported for DescribeContainerGroupEvents."}`},
			{"POST Action=DescribeRegions&Format=XML", 400, `{"Code":"InvalidParameter","Message":"The parameter Format is \"XML\"; it must be JSON."}`},
		},
		"DescribeRegions": {
			{"GET Action=DescribeRegions", 200, `{"Regions":[{"RegionId":"cn-hangzhou","RegionEndpoint":"eci.test","Zones":["cn-hangzhou-b","cn-hangzhou-h"],"RecommendZones":["cn-hangzhou-b","cn-hangzhou-h"],"UnavailableZones":[]}]}`},
			{"POST Action=DescribeRegions&RegionId=cn-nowhere", 404, `{"Code":"InvalidRegionId.NotFound","Message":"The region \"cn-nowhere\" does not exist; this is cn-hangzhou."}`},
		},
		"CreateContainerGroup": {
			{simple, 200, `{"ContainerGroupId":"eci-0003"}`},
			{"POST Action=CreateContainerGroup RegionId=cn-hangzhou&ContainerGroupName=web-2&Container.1.Name=app&Container.1.Image=nginx", 200, `{"ContainerGroupId":"eci-0004"}`},
			{"POST RegionId=cn-hangzhou Action=CreateContainerGroup&ContainerGroupName=web-2&Container.1.Name=app&Container.1.Image=nginx", 200, `{"ContainerGroupId":"eci-0005"}`},
			{"GET Action=CreateContainerGroup&RegionId=cn-hangzhou&ContainerGroupName=web-1", 400, missing("Container.1")},
		},
		"DeleteContainerGroup": {
			{"POST Action=DeleteContainerGroup&Force=true" + group + "eci-0001", 200, `{}`},
			{"POST Action=DeleteContainerGroup" + group + "eci-0001", 404, none},
			{"GET Action=DeleteContainerGroup" + group + "eci-0002", 200, `{}`},
			{"POST Action=DeleteContainerGroup" + at, 400, missing("ContainerGroupId")},
		},
		"RestartContainerGroup": {
			{"POST Action=RestartContainerGroup" + group + "eci-0001", 200, `{}`},
			{"POST Action=RestartContainerGroup" + group + "eci-0002", 400, badState},
			{"POST Action=RestartContainerGroup" + group + "eci-0009", 404, none},
		},
		"UpdateContainerGroup": {
			{"POST Action=UpdateContainerGroup&Container.1.Name=app&Container.1.Image=nginx:1.26" + group + "eci-0001", 200, `{}`},
			{"POST Action=UpdateContainerGroup&Container.1.Name=app&Container.1.Image=nginx:1.26" + group + "eci-0001", 400, `{"Code":"NoNeedUpdate","Message":"The container group is already as requested."}`},
			{"POST Action=UpdateContainerGroup" + group + "eci-0002", 400, badState},
			{"POST Action=UpdateContainerGroup" + group + "eci-0009", 404, none},
			{"POST Action=UpdateContainerGroup&UpdateType=Some" + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter UpdateType is \"Some\"; it must be one of RenewUpdate,IncrementalUpdate."}`},
		},
		"DescribeContainerGroups": {
			{`GET Action=DescribeContainerGroups&ContainerGroupIds=["eci-0009"]` + at, 200, `{"TotalCount":0,"ContainerGroups":[]}`},
			{"GET Action=DescribeContainerGroups&Limit=21" + at, 400, `{"Code":"InvalidParameter","Message":"The parameter Limit is \"21\"; it must be 1 to 20."}`},
			{"GET Action=DescribeContainerGroups&NextToken=x" + at, 400, `{"Code":"InvalidParameter","Message":"The parameter NextToken is not one of this service."}`},
			{"GET Action=DescribeContainerGroups&ContainerGroupIds=eci-1" + at, 400, `{"Code":"InvalidParameter","Message":"The parameter ContainerGroupIds must be a JSON list of strings."}`},
		},
		"DescribeContainerGroupStatus": {
			{"POST Action=DescribeContainerGroupStatus&SinceSecond=59" + at, 400, `{"Code":"InvalidParameter","Message":"The parameter SinceSecond is \"59\"; it must be in the range 60-3600."}`},
			{"POST Action=DescribeContainerGroupStatus&Limit=201" + at, 400, `{"Code":"InvalidParameter","Message":"The parameter Limit is \"201\"; it must be 1 to 200."}`},
		},
		"DescribeContainerLog": {
			{"GET Action=DescribeContainerLog&ContainerName=app&ContainerGroupId=eci-0001", 200, `{"ContainerName":"app","Content":"one\ntwo\nthree\n"}`},
			{"POST Action=DescribeContainerLog&Tail=1&Timestamps=true&ContainerName=app" + group + "eci-0001", 200, `{"ContainerName":"app","Content":"2026-01-02T03:04:05.000000000Z three\n"}`},
			{"POST Action=DescribeContainerLog&SinceSeconds=60&ContainerName=app" + group + "eci-0001", 200, `{"ContainerName":"app","Content":"two\nthree\n"}`},
			{"POST Action=DescribeContainerLog&SinceSeconds=60&StartTime=2026-01-02T03:04:05Z&ContainerName=app" + group + "eci-0001", 200, `{"ContainerName":"app","Content":"three\n"}`},
			{"POST Action=DescribeContainerLog&LimitBytes=5&ContainerName=app" + group + "eci-0001", 200, `{"ContainerName":"app","Content":"one\nt"}`},
			{"POST Action=DescribeContainerLog&LastTime=true&ContainerName=app" + group + "eci-0001", 200, `{"ContainerName":"app","Content":"the run before\n"}`},
			{"POST Action=DescribeContainerLog&Tail=2001&ContainerName=app" + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter Tail is \"2001\"; it must be in the range 1-2000."}`},
			{"POST Action=DescribeContainerLog&LimitBytes=1048577&ContainerName=app" + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter LimitBytes is \"1048577\"; it must be in the range 1-1048576."}`},
			{"POST Action=DescribeContainerLog&StartTime=now&ContainerName=app" + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter StartTime is \"now\"; it must be a time of RFC 3339, such as 2018-08-02T15:00:00Z."}`},
			{"POST Action=DescribeContainerLog&ContainerName=app" + group + "eci-0002", 400, badState},
			{"POST Action=DescribeContainerLog&ContainerName=other" + group + "eci-0001", 404, noBox},
			{"POST Action=DescribeContainerLog&ContainerName=app" + group + "eci-0009", 404, none},
		},
		"ExecContainerCommand": {
			{`POST Action=ExecContainerCommand&Sync=true&ContainerName=app&Command=["ls","-a"]` + group + "eci-0001", 200, `{"SyncResponse":"ls -a tty=false\non stderr\n"}`},
			{`POST Action=ExecContainerCommand&Sync=true&TTY=true&ContainerName=app&Command=["ls"]` + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter TTY must be false with Sync."}`},
			{`POST Action=ExecContainerCommand&Sync=true&ContainerName=app&Command=["/bin/bash"]` + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter Command must not be a shell alone with Sync."}`},
			{`POST Action=ExecContainerCommand&ContainerName=app&Command=ls` + group + "eci-0001", 400, `{"Code":"InvalidParameter","Message":"The parameter Command must be a JSON list of strings, such as [\"ls\", \"-a\"]."}`},
			{`POST Action=ExecContainerCommand&ContainerName=app&Command=["` + strings.Repeat("x", 257) + `"]` + group + "eci-0001", 400, `{"Code":"InvalidParameter.ValueExceeded","Message":"The parameter Command has 257 characters in element 1; at most 256 are allowed."}`},
			{`POST Action=ExecContainerCommand&ContainerName=app&Command=["x"` + strings.Repeat(`,"x"`, 20) + `]` + group + "eci-0001", 400, `{"Code":"InvalidParameter.ValueExceeded","Message":"The parameter Command has 21 elements and 21 characters; at most 20 and 2048 are allowed."}`},
			{`POST Action=ExecContainerCommand&ContainerName=app&Command=["ls"]` + group + "eci-0002", 400, badState},
			{`POST Action=ExecContainerCommand&Sync=true&ContainerName=app&Command=["ls"]` + group + "eci-0002", 400, badState},
			{`POST Action=ExecContainerCommand&ContainerName=other&Command=["ls"]` + group + "eci-0001", 404, noBox},
			{`POST Action=ExecContainerCommand&ContainerName=app&Command=["ls"]` + group + "eci-0009", 404, none},
		},
		"DescribeMultiContainerGroupMetric": {
			{`POST Action=DescribeMultiContainerGroupMetric&ContainerGroupIds=["eci-0002","eci-0009"]` + at, 200, `{"MonitorDatas":[]}`},
			{`POST Action=DescribeMultiContainerGroupMetric` + at, 400, missing("ContainerGroupIds")},
			{`POST Action=DescribeMultiContainerGroupMetric&ContainerGroupIds=["a"` + strings.Repeat(`,"a"`, 20) + `]` + at, 400, `{"Code":"InvalidParameter","Message":"The parameter ContainerGroupIds has 21 ids; at most 20 are allowed."}`},
		},
		"Tags": {
			{"POST Action=TagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001&ResourceId.2=eci-0002&Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=b" + at, 200, `{}`},
			{"POST Action=TagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001&Tag.1.Key=a&Tag.1.Value=2" + at, 200, `{}`},
			{"GET Action=ListTagResources&ResourceType=ContainerGroup&Limit=3" + at, 200, `{"NextToken":"eyJ0IjoxNzY3MzIzMDQ1MDAwMDAwMDAwLCJpIjoiZWNpLTAwMDIiLCJzIjoxfQ","TagResources":[
				{"ResourceId":"eci-0001","ResourceType":"ContainerGroup","TagKey":"b","TagValue":""},
				{"ResourceId":"eci-0001","ResourceType":"ContainerGroup","TagKey":"a","TagValue":"2"},
				{"ResourceId":"eci-0002","ResourceType":"ContainerGroup","TagKey":"a","TagValue":"1"}]}`},
			{"GET Action=ListTagResources&ResourceType=ContainerGroup&Limit=3&NextToken=eyJ0IjoxNzY3MzIzMDQ1MDAwMDAwMDAwLCJpIjoiZWNpLTAwMDIiLCJzIjoxfQ" + at, 200, `{"TagResources":[
				{"ResourceId":"eci-0002","ResourceType":"ContainerGroup","TagKey":"b","TagValue":""}]}`},
			{"GET Action=ListTagResources&ResourceType=ContainerGroup&Tag.1.Key=a&Tag.1.Value=2&Limit=1" + at, 200, `{"NextToken":"eyJ0IjoxNzY3MzIzMDQ1MDAwMDAwMDAwLCJpIjoiZWNpLTAwMDEiLCJzIjoxfQ","TagResources":[
				{"ResourceId":"eci-0001","ResourceType":"ContainerGroup","TagKey":"b","TagValue":""}]}`},
			{"POST Action=UntagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001&TagKey.1=b" + at, 200, `{}`},
			{"POST Action=UntagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0002&All=true" + at, 200, `{}`},
			{"GET Action=ListTagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001&ResourceId.2=eci-0002" + at, 200, `{"TagResources":[
				{"ResourceId":"eci-0001","ResourceType":"ContainerGroup","TagKey":"a","TagValue":"2"}]}`},
			{"POST Action=UntagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0002" + at, 400, missing("TagKey.1")},
			{"POST Action=TagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0009&Tag.1.Key=a" + at, 404, `{"Code":"InvalidParameter.NotFound","Message":"The specified resource \"eci-0009\" does not exist."}`},
			{"POST Action=TagResources&ResourceType=ImageCache&ResourceId.1=eci-0001&Tag.1.Key=a" + at, 404, `{"Code":"InvalidParameter.NotFound","Message":"The specified resource \"eci-0001\" does not exist."}`},
			{"POST Action=TagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001" + many(20, "Tag.%d.Key=k%d") + at, 400, `{"Code":"NumberExceed.Tags","Message":"The resource \"eci-0001\" would have 21 tags; at most 20 are allowed."}`},
			{"POST Action=TagResources&ResourceType=ContainerGroup&ResourceId.1=eci-0001" + many(21, "Tag.%d.Key=k%d") + at, 400, `{"Code":"NumberExceed.Tags","Message":"A resource has at most 20 tags; 21 are given."}`},
		},
	}
	for name, exchanges := range tables {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.must(simple)
			r.must(simple)
			r.groups.Run("eci-0001")
			r.groups.Lines = []engine.LogLine{
				{Time: Start.Add(-time.Hour), Text: "one"}, {Time: Start.Add(-time.Minute), Text: "two"}, {Time: Start, Text: "three"},
			}
			for i, e := range exchanges {
				status, body := r.do(e.request)
				if diff := diffJSON(t, e.want, body); status != e.status || diff != "" {
					t.Errorf("exchange %d, %.120s: status %d, want %d (-want +got):\n%s", i+1, e.request, status, e.status, diff)
				}
			}
		})
	}
}

// The error answer has the gateway's five fields.
func TestWriteError(t *testing.T) {
	r := newRig(t)
	w := httptest.NewRecorder()
	r.server.WriteError(w, 503, "ServiceUnavailable", "The service is down.")
	got := parse(t, w.Body.String())
	id, _ := got["RequestId"].(string)
	want := map[string]any{
		"RequestId": id, "HostId": "eci.cn-hangzhou.aliyuncs.com", "Code": "ServiceUnavailable", "Message": "The service is down.",
		"Recommend": "https://api.aliyun.com/troubleshoot?q=ServiceUnavailable&product=Eci&requestId=" + id,
	}
	if diff := cmp.Diff(want, got); diff != "" || w.Code != 503 || len(id) != 36 {
		t.Errorf("status %d (-want +got):\n%s", w.Code, diff)
	}
}

// Action reads the name wherever it stands and leaves the body readable.
func TestAction(t *testing.T) {
	r := newRig(t)
	inForm := r.request("POST RegionId=cn-hangzhou Action=CreateContainerGroup&ContainerGroupName=web-2&Container.1.Name=app&Container.1.Image=nginx", testKey)
	cases := map[string]struct {
		got, want string
	}{
		"query":  {r.server.Action(r.request(simple, testKey)), "CreateContainerGroup"},
		"header": {r.server.Action(acs3Request()), "CreateContainerGroup"},
		"body":   {r.server.Action(inForm), "CreateContainerGroup"},
		"none":   {r.server.Action(httptest.NewRequest(http.MethodGet, "/", nil)), ""},
		"exec":   {r.server.Action(httptest.NewRequest(http.MethodGet, "/exec/?s=1&Action=x", nil)), ""},
	}
	for name, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: action is %q; want %q", name, c.got, c.want)
		}
	}
	if status, body := r.send(inForm); status != 200 {
		t.Errorf("after Action the request answered %d %s", status, body)
	}
}
