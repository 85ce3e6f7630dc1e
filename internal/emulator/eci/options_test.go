package eci

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// TestOptions holds the options of a group to their rules.
func TestOptions(t *testing.T) {
	const gpu = "&InstanceType=ecs.gn6i-c4g1.xlarge"
	cases := map[string]struct {
		reason, params, code, text string
	}{
		"Family":           {"shapes follow from names", "&InstanceType=ecs.c6.xlarge,ecs.c5.xlarge", "", ""},
		"SixTypes":         {"five may be named", "&InstanceType=" + strings.Repeat("ecs.c6.large,", 5) + "ecs.c6.large", "InvalidParameter.ValueExceeded", "InstanceType"},
		"UnknownSecond":    {"the first is too small, the next not sold", "&InstanceType=ecs.c6.large,ecs.zz.large&Container.1.Cpu=4", "InvalidInstanceTypeForEciBuy", "ecs.zz.large"},
		"Card":             {"a type with cards", gpu + "&Container.1.Gpu=1", "", ""},
		"TwoCards":         {"of which it has one", gpu + "&Container.1.Gpu=2", "InvalidParameter.CPU.Memory", "2 GPU"},
		"CardAlone":        {"no size has cards", "&Container.1.Gpu=1", "InvalidParameter", "Gpu"},
		"CardElsewhere":    {"nor has this type", "&InstanceType=ecs.c6.xlarge&Container.1.Gpu=1", "InvalidParameter", "Gpu"},
		"Driver":           {"one of two", gpu + "&GpuDriverVersion=tesla=525.85.12", "", ""},
		"DriverOther":      {"of no other version", gpu + "&GpuDriverVersion=tesla=1", "InvalidParameter", "GpuDriverVersion"},
		"DriverAlone":      {"without cards", "&GpuDriverVersion=tesla=525.85.12", "InvalidParameter", "GpuDriverVersion"},
		"Threads":          {"hyper-threading off", "&InstanceType=ecs.c6.xlarge&CpuOptionsThreadsPerCore=1&CpuOptionsCore=2", "", ""},
		"ThreeThreads":     {"no processor has them", "&InstanceType=ecs.c6.xlarge&CpuOptionsThreadsPerCore=3", "InvalidParameter", "1 or 2"},
		"ThreadsAlone":     {"of no machine", "&CpuOptionsThreadsPerCore=1", "InvalidParameter", "InstanceType"},
		"Spot":             {"an hour is safe", "&SpotStrategy=SpotAsPriceGo&SpotDuration=1", "", ""},
		"LimitAlone":       {"a limit of nothing", "&SpotPriceLimit=0.5", "InvalidParameter", "SpotPriceLimit"},
		"LimitAsPriceGo":   {"a contradiction", "&SpotStrategy=SpotAsPriceGo&SpotPriceLimit=0.5", "InvalidParameter", "SpotPriceLimit"},
		"FourDecimals":     {"three are documented", "&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0.0255", "InvalidParameter", "3 decimals"},
		"NoPrice":          {"0 is no price", "&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0", "InvalidParameter", "SpotPriceLimit"},
		"DurationAlone":    {"of what is never taken back", "&SpotDuration=1", "InvalidParameter", "SpotDuration"},
		"EipForm":          {"an id of an EIP", "&EipInstanceId=i-1", "InvalidParameter", "EipInstanceId"},
		"TwoEips":          {"one or the other", "&EipInstanceId=eip-1&AutoCreateEip=true", "InvalidParameter", "exclude"},
		"EipSpeed":         {"of the EIP that is made", "&AutoCreateEip=true&EipBandwidth=5&EipISP=BGP_PRO&EipCommonBandwidthPackage=cbwp-1", "", ""},
		"EipSpeedAlone":    {"of none", "&EipBandwidth=5", "InvalidParameter", "AutoCreateEip"},
		"EipLine":          {"a word of two", "&AutoCreateEip=true&EipISP=DSL", "InvalidParameter", "EipISP"},
		"IPv6Gateway":      {"to the internet", "&Ipv6AddressCount=1&Ipv6GatewayBandwidthEnable=true&Ipv6GatewayBandwidth=100", "", ""},
		"IPv6GatewayAlone": {"of no address", "&Ipv6GatewayBandwidthEnable=true", "InvalidParameter", "Ipv6AddressCount"},
		"IPv6Speed":        {"of no gateway", "&Ipv6AddressCount=1&Ipv6GatewayBandwidth=100", "InvalidParameter", "Ipv6GatewayBandwidthEnable"},
		"IPv6TooFast":      {"2000 Mbit/s is the most", "&Ipv6AddressCount=1&Ipv6GatewayBandwidthEnable=true&Ipv6GatewayBandwidth=2001", "InvalidParameter", "Ipv6GatewayBandwidth"},
		"FixedIP":          {"for two days", "&FixedIp=true&FixedIpRetainHour=48", "", ""},
		"HoursAlone":       {"of no address", "&FixedIpRetainHour=48", "InvalidParameter", "FixedIp"},
		"NoHours":          {"not at all", "&FixedIp=true&FixedIpRetainHour=0", "InvalidParameter", "1 or more"},
		"PrivateForm":      {"an address", "&PrivateIpAddress=web", "InvalidParameter", "IPv4"},
		"Registries":       {"hosts with ports", "&PlainHttpRegistry=a.example.com,192.168.0.2:5000&InsecureRegistry=b.example.com", "", ""},
		"RegistryScheme":   {"without scheme", "&PlainHttpRegistry=http://a", "InvalidParameter", "PlainHttpRegistry"},
		"Acr":              {"an instance with roles", "&AcrRegistryInfo.1.InstanceId=cri-1&AcrRegistryInfo.1.ArnService=acs:ram::1:role/a", "", ""},
		"AcrNothing":       {"which one?", "&AcrRegistryInfo.1.RegionId=cn-beijing", "MissingParameter", "AcrRegistryInfo.1.InstanceId"},
		"AcrForm":          {"an id", "&AcrRegistryInfo.1.InstanceId=x", "InvalidParameter", "cri-abc"},
		"AcrRole":          {"an ARN", "&AcrRegistryInfo.1.InstanceId=cri-1&AcrRegistryInfo.1.ArnUser=me", "InvalidParameter", "ArnUser"},
		"Role":             {"a name", "&RamRoleName=reader", "", ""},
		"RoleForm":         {"an ARN is no name", "&RamRoleName=acs:ram::1:role/a", "InvalidParameter", "RamRoleName"},
		"ResourceGroup":    {"an id", "&ResourceGroupId=rg-acfm1", "", ""},
		"ResourceForm":     {"a name is no id", "&ResourceGroupId=shop", "InvalidParameter", "ResourceGroupId"},
		"SixGroups":        {"five are allowed", "&SecurityGroupId=a,b,c,d,e,f", "InvalidParameter.ValueExceeded", "SecurityGroupId"},
		"TimeServer":       {"a host", "&NtpServer.1=ntp.example.com", "", ""},
		"TimeServerForm":   {"no address of the web", "&NtpServer.1=http://x", "InvalidParameter", "NtpServer.1"},
		"DataCache":        {"a disk for it", "&DataCacheBucket=b&DataCachePL=PL1&DataCacheProvisionedIops=50000&DataCacheBurstingEnabled=true", "", ""},
		"DataCacheIops":    {"50000 is the most", "&DataCacheProvisionedIops=50001", "InvalidParameter", "DataCacheProvisionedIops"},
		"DryRun":           {"a success is told as an error", "&DryRun=true&AutoCreateEip=true", "DryRunOperation", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			status, body := r.do(override(simple, c.params))
			got := ""
			if status != 200 {
				got = codeOf(t, body)
			}
			if got != c.code || !strings.Contains(body, c.text) {
				t.Errorf("%s: got %d %s; want %q with %q", c.reason, status, body, c.code, c.text)
			}
		})
	}
}

// TestOptionsAreTold holds what DescribeContainerGroups tells of options.
func TestOptionsAreTold(t *testing.T) {
	r := newRig(t)
	r.must(override(simple, "&InstanceType=ecs.c6.large,ecs.c6.xlarge&Container.1.Cpu=4&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0.5"+
		"&EphemeralStorage=50&RamRoleName=reader&ResourceGroupId=rg-1&ComputeCategory.1=general&EipInstanceId=eip-1&Ipv6AddressCount=1"+
		"&SecurityGroupId=sg-1,sg-2&VSwitchId=vsw-1,vsw-2"))
	r.groups.groups[0].IP = "10.0.0.9"
	answer := r.must("GET Action=DescribeContainerGroups&RegionId=cn-hangzhou")
	groups, _ := answer["ContainerGroups"].([]any)
	if len(groups) != 1 {
		t.Fatalf("the answer is %v", answer)
	}
	got, _ := groups[0].(map[string]any)
	for name, want := range map[string]any{
		"InstanceType": "ecs.c6.xlarge", "Cpu": 4.0, "Memory": 8.0, "SpotStrategy": "SpotWithPriceLimit", "SpotPriceLimit": 0.5,
		"EphemeralStorage": 80.0, "RamRoleName": "reader", "ResourceGroupId": "rg-1", "ComputeCategory": "general",
		"SecurityGroupId": "sg-1,sg-2", "VSwitchId": "vsw-1",
	} {
		if got[name] != want {
			t.Errorf("%s is %v; want %v", name, got[name], want)
		}
	}
	// RFC 5737 and RFC 3849 keep these ranges for documents.
	for name, within := range map[string]string{"InternetIp": "203.0.113.0/24", "Ipv6Address": "2001:db8::/32"} {
		text, _ := got[name].(string)
		if a, err := netip.ParseAddr(text); err != nil || !netip.MustParsePrefix(within).Contains(a) {
			t.Errorf("%s is %q; want an address of %s", name, text, within)
		}
	}
}

// TestOneGroupPerEip: an EIP that is bound is refused until its group has ended.
func TestOneGroupPerEip(t *testing.T) {
	r := newRig(t)
	r.must(override(simple, "&EipInstanceId=eip-1&ClientToken=a"))
	r.must(override(simple, "&EipInstanceId=eip-1&ClientToken=a")) // the same group
	if _, body := r.do(override(simple, "&EipInstanceId=eip-1")); codeOf(t, body) != "IncorrectStatus" {
		t.Errorf("a second group gets %s; want IncorrectStatus", body)
	}
	r.groups.groups[0].Status = engine.Succeeded
	r.must(override(simple, "&EipInstanceId=eip-1"))
}
