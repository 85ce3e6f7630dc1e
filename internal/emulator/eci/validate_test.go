package eci

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// many writes n parameters, with %d replaced by 1 to n.
func many(n int, format string) string {
	var out strings.Builder
	for i := 1; i <= n; i++ {
		out.WriteString("&" + strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
	}
	return out.String()
}

const (
	volume  = "&Volume.1.Name=v&Volume.1.Type="
	file    = volume + "ConfigFileVolume&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=f"
	content = "&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content="
	mount   = "&Container.1.VolumeMount.1.Name=v&Container.1.VolumeMount.1.MountPath="
	probe   = "&Container.1.LivenessProbe."
	tcp     = probe + "TcpSocket.Port=80"
)

func base64Of(n int) string {
	return strings.NewReplacer("+", "%2B", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(make([]byte, n)))
}

// Each case adds parameters to the simple create request; wantCode "" passes.
func TestCreateLimits(t *testing.T) {
	cases := map[string]struct{ added, wantCode, wantMessage string }{
		"name too short":         {"&ContainerGroupName=a", "InvalidParameter", "ContainerGroupName"},
		"name with dot":          {"&ContainerGroupName=a.b", "InvalidParameter", "ContainerGroupName"},
		"name with hyphen last":  {"&ContainerGroupName=ab-", "InvalidParameter", "ContainerGroupName"},
		"name of 128":            {"&ContainerGroupName=" + strings.Repeat("a", 128), "", ""},
		"name of 129":            {"&ContainerGroupName=" + strings.Repeat("a", 129), "InvalidParameter", "ContainerGroupName"},
		"no name":                {"&ContainerGroupName=", "MissingParameter", "ContainerGroupName"},
		"no region":              {"&RegionId=", "MissingParameter", "RegionId"},
		"other region":           {"&RegionId=cn-nowhere", "InvalidRegionId.NotFound", "cn-nowhere"},
		"zone":                   {"&ZoneId=cn-hangzhou-h", "", ""},
		"other zone":             {"&ZoneId=cn-hangzhou-z", "Zone.NotOnSale", "cn-hangzhou-z"},
		"10 vSwitches":           {"&VSwitchId=a,b,c,d,e,f,g,h,i,j", "", ""},
		"11 vSwitches":           {"&VSwitchId=a,b,c,d,e,f,g,h,i,j,k", "InvalidParameter.ValueExceeded", "VSwitchId"},
		"restart policy":         {"&RestartPolicy=Sometimes", "InvalidParameter", "RestartPolicy"},
		"dns policy":             {"&DnsPolicy=ClusterFirst", "InvalidParameter", "None,Default"},
		"dns None without":       {"&DnsPolicy=None", "MissingParameter", "DnsConfig.NameServer.1"},
		"dns None":               {"&DnsPolicy=None&DnsConfig.NameServer.1=10.0.0.10", "", ""},
		"dns 21 servers":         {many(21, "DnsConfig.NameServer.%d=10.0.0.10"), "InvalidParameter.ValueExceeded", "DnsConfig.NameServer"},
		"dns server":             {"&DnsConfig.NameServer.1=dns", "InvalidParameter", "DnsConfig.NameServer.1"},
		"host alias":             {"&HostAliase.1.Ip=1.2.3&HostAliase.1.Hostname.1=a", "InvalidParameter", "HostAliase.1.Ip"},
		"host name":              {"&HostName=a_b", "InvalidParameter", "HostName"},
		"core pattern":           {"&CorePattern=|/bin/x", "InvalidParameter", "CorePattern"},
		"pending 9 minutes":      {"&MaxPendingMinute=9", "InvalidParameter", "MaxPendingMinute"},
		"storage 5001":           {"&EphemeralStorage=5001", "InvalidParameter", "EphemeralStorage"},
		"spot without limit":     {"&SpotStrategy=SpotWithPriceLimit", "MissingParameter", "SpotPriceLimit"},
		"spot":                   {"&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0.025", "", ""},
		"windows":                {"&OsType=Windows", "Forbidden.OnlyForInvitedTest", "Windows"},
		"arm":                    {"&CpuArchitecture=ARM64", "FeatureAccessRestricted", "ARM64"},
		"eip":                    {"&AutoCreateEip=true", "", ""},
		"ipv6":                   {"&Ipv6AddressCount=1", "", ""},
		"two ipv6":               {"&Ipv6AddressCount=2", "InvalidParameter", "Ipv6AddressCount"},
		"private address":        {"&PrivateIpAddress=172.16.0.9", "FeatureAccessRestricted", "PrivateIpAddress"},
		"image cache":            {"&ImageSnapshotId=imc-1", "ImageSnapshot.NotFound", ""},
		"65 cores":               {"&Cpu=65&Memory=128", "InvalidParameter.CPU.Memory", "64"},
		"negative cores":         {"&Cpu=-1", "InvalidParameter", "Cpu"},
		"20 tags":                {many(20, "Tag.%d.Key=k%d"), "", ""},
		"21 tags":                {many(21, "Tag.%d.Key=k%d"), "NumberExceed.Tags", "20"},
		"tag key 64":             {"&Tag.1.Key=" + strings.Repeat("ü", 64), "", ""},
		"tag key 65":             {"&Tag.1.Key=" + strings.Repeat("k", 65), "InvalidParameter", "Tag.1.Key"},
		"tag value 129":          {"&Tag.1.Key=k&Tag.1.Value=" + strings.Repeat("v", 129), "InvalidParameter", "Tag.1.Value"},
		"tag acs":                {"&Tag.1.Key=ACS:k", "InvalidParameter", "acs:"},
		"tag aliyun":             {"&Tag.1.Key=aliyun.x", "InvalidParameter", "aliyun"},
		"tag http":               {"&Tag.1.Key=see-https://x", "InvalidParameter", "https"},
		"tag value acs":          {"&Tag.1.Key=k&Tag.1.Value=acs:x", "InvalidParameter", "Tag.1.Value"},
		"tag twice":              {"&Tag.1.Key=k&Tag.2.Key=k", "InvalidParameter", "Tag.2.Key"},
		"sysctl safe":            {"&SecurityContext.Sysctl.1.Name=net.ipv4.ip_unprivileged_port_start&SecurityContext.Sysctl.1.Value=0", "", ""},
		"sysctl unsafe as safe":  {"&SecurityContext.Sysctl.1.Name=kernel.msgmax", "InvalidParameter", "kernel.msgmax"},
		"sysctl unsafe":          {"&HostSecurityContext.Sysctl.1.Name=kernel.msgmax&HostSecurityContext.Sysctl.1.Value=1", "", ""},
		"sysctl other":           {"&HostSecurityContext.Sysctl.1.Name=vm.swappiness", "InvalidParameter", "vm.swappiness"},
		"sysctl never":           {"&HostSecurityContext.Sysctl.1.Name=kernel.shm_rmid_forced", "InvalidParameter", "shm_rmid"},
		"credential":             {"&ImageRegistryCredential.1.Server=r&ImageRegistryCredential.1.UserName=u&ImageRegistryCredential.1.Password=p", "", ""},
		"credential scheme":      {"&ImageRegistryCredential.1.Server=https://r&ImageRegistryCredential.1.UserName=u&ImageRegistryCredential.1.Password=p", "InvalidParameter", "Server"},
		"credential password":    {"&ImageRegistryCredential.1.Server=r&ImageRegistryCredential.1.UserName=u", "MissingParameter", "Password"},
		"11 credentials":         {many(11, "ImageRegistryCredential.%d.Server=r&ImageRegistryCredential.%d.UserName=u&ImageRegistryCredential.%d.Password=p"), "InvalidParameter.ValueExceeded", "10"},
		"token 64":               {"&ClientToken=" + strings.Repeat("t", 64), "", ""},
		"token 65":               {"&ClientToken=" + strings.Repeat("t", 65), "InvalidParameter", "ClientToken"},
		"token not ASCII":        {"&ClientToken=é", "InvalidParameter", "ClientToken"},
		"20 containers":          {many(20, "Container.%d.Name=c%d&Container.%d.Image=i"), "", ""},
		"21 containers":          {many(21, "Container.%d.Name=c%d&Container.%d.Image=i"), "InvalidParameter.ValueExceeded", "20"},
		"42 containers":          {many(42, "Container.%d.Name=c%d&Container.%d.Image=i"), "InvalidParameter.ValueExceeded", "41"},
		"21 init containers":     {many(21, "InitContainer.%d.Name=c%d&InitContainer.%d.Image=i"), "InvalidParameter.ValueExceeded", "20"},
		"container twice":        {"&Container.2.Name=app&Container.2.Image=i", "InvalidParameter.DuplicatedName", "app"},
		"init container twice":   {"&InitContainer.1.Name=app&InitContainer.1.Image=i", "InvalidParameter.DuplicatedName", "app"},
		"container name":         {"&Container.1.Name=A", "InvalidParameter", "Container.1.Name"},
		"no image":               {"&Container.1.Image=", "MissingParameter", "Container.1.Image"},
		"no init image":          {"&InitContainer.1.Name=i", "MissingParameter", "InitContainer.1.Image"},
		"image 256":              {"&Container.1.Image=" + strings.Repeat("i", 256), "InvalidParameter.LengthExceeded", "Container.1.Image"},
		"pull policy":            {"&Container.1.ImagePullPolicy=Maybe", "InvalidParameter", "ImagePullPolicy"},
		"20 words of command":    {many(20, "Container.1.Command.%d=w"), "", ""},
		"21 words of command":    {many(21, "Container.1.Command.%d=w"), "InvalidParameter.ValueExceeded", "Command"},
		"257 characters of word": {"&Container.1.Command.1=" + strings.Repeat("w", 257), "InvalidParameter.LengthExceeded", "Command.1"},
		"11 arguments":           {many(11, "Container.1.Arg.%d=w"), "InvalidParameter.ValueExceeded", "Arg"},
		"env":                    {"&Container.1.EnvironmentVar.1.Key=_A1&Container.1.EnvironmentVar.1.Value=" + strings.Repeat("v", 256), "", ""},
		"env value 257":          {"&Container.1.EnvironmentVar.1.Key=A&Container.1.EnvironmentVar.1.Value=" + strings.Repeat("v", 257), "InvalidParameter.LengthExceeded", "EnvironmentVar.1.Value"},
		"env key digit":          {"&Container.1.EnvironmentVar.1.Key=1A", "InvalidParameter", "EnvironmentVar.1.Key"},
		"env key dot":            {"&Container.1.EnvironmentVar.1.Key=a.b", "InvalidParameter", "EnvironmentVar.1.Key"},
		"env key 129":            {"&Container.1.EnvironmentVar.1.Key=" + strings.Repeat("A", 129), "InvalidParameter", "EnvironmentVar.1.Key"},
		"env no key":             {"&Container.1.EnvironmentVar.1.Value=v", "MissingParameter", "EnvironmentVar.1.Key"},
		"env field":              {"&Container.1.EnvironmentVar.1.Key=IP&Container.1.EnvironmentVar.1.FieldRef.FieldPath=status.podIP", "", ""},
		"env other field":        {"&Container.1.EnvironmentVar.1.Key=IP&Container.1.EnvironmentVar.1.FieldRef.FieldPath=spec.nodeName", "InvalidParameter", "status.podIP"},
		"env field and value":    {"&Container.1.EnvironmentVar.1.Key=IP&Container.1.EnvironmentVar.1.Value=v&Container.1.EnvironmentVar.1.FieldRef.FieldPath=status.podIP", "InvalidParameter", "exclude"},
		"242 env":                {many(242, "Container.1.EnvironmentVar.%d.Key=K%d"), "InvalidParameter.ValueExceeded", "241"},
		"port":                   {"&Container.1.Port.1.Port=80&Container.1.Port.1.Protocol=UDP", "", ""},
		"port 0":                 {"&Container.1.Port.1.Port=0", "InvalidParameter", "Port.1.Port"},
		"port 65536":             {"&Container.1.Port.1.Port=65536", "InvalidParameter", "Port.1.Port"},
		"port reserved":          {"&Container.1.Port.1.Port=10250", "InvalidParameter", "reserved"},
		"port SCTP":              {"&Container.1.Port.1.Port=80&Container.1.Port.1.Protocol=SCTP", "InvalidParameter", "TCP,UDP"},
		"probe":                  {tcp + probe + "PeriodSeconds=1", "", ""},
		"probe without handler":  {probe + "PeriodSeconds=1", "InvalidParameter", "exactly one"},
		"probe with two":         {tcp + probe + "Exec.Command.1=x", "InvalidParameter", "exactly one"},
		"probe without port":     {probe + "HttpGet.Path=/", "MissingParameter", "HttpGet.Port"},
		"probe scheme":           {probe + "HttpGet.Port=80" + probe + "HttpGet.Scheme=FTP", "InvalidParameter", "HTTP,HTTPS"},
		"probe success 2":        {tcp + probe + "SuccessThreshold=2", "InvalidParameter", "SuccessThreshold"},
		"probe period 0":         {tcp + probe + "PeriodSeconds=0", "InvalidParameter", "PeriodSeconds"},
		"probe timeout 0":        {tcp + probe + "TimeoutSeconds=0", "InvalidParameter", "TimeoutSeconds"},
		"liveness of 21 words":   {many(21, "Container.1.LivenessProbe.Exec.Command.%d=x"), "", ""},
		"readiness of 21 words":  {many(21, "Container.1.ReadinessProbe.Exec.Command.%d=x"), "InvalidParameter.ValueExceeded", "20"},
		"hook":                   {"&Container.1.LifecyclePreStopHandlerExec.1=x", "", ""},
		"hook with two":          {"&Container.1.LifecyclePreStopHandlerExec.1=x&Container.1.LifecyclePreStopHandlerTcpSocketPort=1", "InvalidParameter", "PreStop"},
		"hook without port":      {"&Container.1.LifecyclePostStartHandlerHttpGetPath=/", "MissingParameter", "LifecyclePostStartHandlerHttpGetPort"},
		"capability":             {"&Container.1.SecurityContext.Capability.Add.1=NET_ADMIN", "", ""},
		"other capability":       {"&Container.1.SecurityContext.Capability.Add.1=SYS_ADMIN", "InvalidParameter", "NET_ADMIN,NET_RAW"},
		"writable root":          {"&Container.1.SecurityContext.ReadOnlyRootFilesystem=false", "InvalidParameter", "ReadOnlyRootFilesystem"},
		"message policy":         {"&Container.1.TerminationMessagePolicy=Never", "InvalidParameter", "TerminationMessagePolicy"},
		"20 volumes":             {many(20, "Volume.%d.Name=v%d&Volume.%d.Type=EmptyDirVolume"), "", ""},
		"21 volumes":             {many(21, "Volume.%d.Name=v%d&Volume.%d.Type=EmptyDirVolume"), "InvalidParameter.ValueExceeded", "20"},
		"volume twice":           {volume + "EmptyDirVolume&Volume.2.Name=v&Volume.2.Type=EmptyDirVolume", "InvalidParameter.DuplicatedVolumeName", "v"},
		"volume type":            {volume + "Tape", "InvalidParameter", "Volume.1.Type"},
		"volume size":            {volume + "EmptyDirVolume&Volume.1.EmptyDirVolume.SizeLimit=256Mi", "", ""},
		"volume size bare":       {volume + "EmptyDirVolume&Volume.1.EmptyDirVolume.SizeLimit=2", "InvalidParameter", "SizeLimit"},
		"volume size wrong":      {volume + "EmptyDirVolume&Volume.1.EmptyDirVolume.SizeLimit=much", "InvalidParameter", "SizeLimit"},
		"local disk":             {volume + "EmptyDirVolume&Volume.1.EmptyDirVolume.Medium=LocalRaid0", "InvalidParameter", "LocalRaid0"},
		"nfs":                    {volume + "NFSVolume&Volume.1.NFSVolume.Server=s&Volume.1.NFSVolume.Path=/", "", ""},
		"nfs without server":     {volume + "NFSVolume&Volume.1.NFSVolume.Path=/", "InvalidParameter", "NFSVolume"},
		"host path":              {volume + "HostPathVolume&Volume.1.HostPathVolume.Path=/", "Forbidden.OnlyForInvitedTest", "HostPathVolume"},
		"flex":                   {volume + "FlexVolume&Volume.1.FlexVolume.Driver=alicloud/disk&Volume.1.FlexVolume.Options={\"volumeSize\":\"20\"}", "", ""},
		"flex too small":         {volume + "FlexVolume&Volume.1.FlexVolume.Driver=alicloud/disk&Volume.1.FlexVolume.Options={\"volumeSize\":19}", "InvalidParameter", "volumeSize"},
		"flex no JSON":           {volume + "FlexVolume&Volume.1.FlexVolume.Driver=alicloud/disk&Volume.1.FlexVolume.Options=x", "InvalidParameter", "JSON"},
		"flex driver":            {volume + "FlexVolume&Volume.1.FlexVolume.Driver=x", "InvalidParameter", "Driver"},
		"disk":                   {volume + "DiskVolume&Volume.1.DiskVolume.DiskId=d-1", "", ""},
		"file":                   {file + content + base64Of(32<<10), "", ""},
		"file too large":         {file + content + base64Of(32<<10+1), "InvalidParameter.LengthExceeded", "32768"},
		"file not base64":        {file + content + "a", "InvalidParameter", "base64"},
		"file mode":              {file + "&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Mode=420", "", ""},
		"file mode octal":        {file + "&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Mode=0755", "InvalidParameter", "Mode"},
		"file outside":           {volume + "ConfigFileVolume&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=a/../../b", "InvalidParameter", "Path"},
		"file absolute":          {volume + "ConfigFileVolume&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=/a", "InvalidParameter", "Path"},
		"file twice":             {file + "&Volume.1.ConfigFileVolume.ConfigFileToPath.2.Path=./f", "InvalidParameter", "twice"},
		"90 files":               {volume + "ConfigFileVolume" + many(90, "Volume.1.ConfigFileVolume.ConfigFileToPath.%d.Path=f%d"), "", ""},
		"91 files":               {volume + "ConfigFileVolume" + many(91, "Volume.1.ConfigFileVolume.ConfigFileToPath.%d.Path=f%d"), "InvalidParameter.ValueExceeded", "90"},
		"mount":                  {volume + "EmptyDirVolume" + mount + "/a&Container.1.VolumeMount.1.MountPropagation=HostToCotainer", "", ""},
		"mount without volume":   {mount + "/a", "InvalidParameter", "no volume"},
		"mount relative":         {volume + "EmptyDirVolume" + mount + "a", "InvalidParameter", "MountPath"},
		"mount twice":            {volume + "EmptyDirVolume" + mount + "/a&Container.1.VolumeMount.2.Name=v&Container.1.VolumeMount.2.MountPath=/a/", "InvalidParameter", "twice"},
		"sub path outside":       {volume + "EmptyDirVolume" + mount + "/a&Container.1.VolumeMount.1.SubPath=../b", "InvalidParameter", "SubPath"},
		"dry run":                {"&DryRun=true", "DryRunOperation", "DryRun"},
		"unknown parameters":     {"&Container.1.StartupProbe.PeriodSeconds=1&Whatever=1", "", ""},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			status, body := r.do(override(simple, c.added))
			got := ""
			if status != 200 {
				got = codeOf(t, body)
			}
			if got != c.wantCode || !strings.Contains(body, c.wantMessage) {
				t.Errorf("%s: got %d %s; want %q with %q", name, status, body, c.wantCode, c.wantMessage)
			}
			if want := map[bool]int{true: 1, false: 0}[c.wantCode == ""]; r.groups.Creates != want {
				t.Errorf("%s: %d groups were created; want %d", name, r.groups.Creates, want)
			}
		})
	}
}

// override adds parameters to a request; those it has already are replaced.
func override(request, added string) string {
	head, query, _ := strings.Cut(request, " ")
	given := map[string]bool{}
	for term := range strings.SplitSeq(added, "&") {
		name, _, _ := strings.Cut(term, "=")
		given[name] = true
	}
	kept := []string{}
	for term := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(term, "="); !given[name] {
			kept = append(kept, term)
		}
	}
	return head + " " + strings.Join(kept, "&") + added
}

func TestHostPathForInvitedAccounts(t *testing.T) {
	r := newRig(t, func(o *Options) { o.HostPath = true })
	r.must(simple + volume + "HostPathVolume&Volume.1.HostPathVolume.Path=/data")
	if got := r.groups.groups[0].Spec.Volumes[0].HostPath; got != "/data" {
		t.Errorf("host path is %q; want /data", got)
	}
}
