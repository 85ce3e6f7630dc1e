package kci

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// created posts a create call and returns the spec that the engine got.
func created(t *testing.T, b *bench, values url.Values) engine.Spec {
	t.Helper()
	w := b.post("CreateContainerGroup", values)
	if w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	group, err := b.groups.Get(decode(t, w).ContainerGroupID)
	if err != nil {
		t.Fatal(err)
	}
	return *group.Spec
}

// TestCreateSeed sends every parameter of the KCI document. Indices start at
// 1 or 0 and have gaps; their order is that of numbers.
func TestCreateSeed(t *testing.T) {
	values := minimal(
		"RestartPolicy", "OnFailure", "IngressBandwidth", "100", "EgressBandwidth", "1024",
		"SecurityGroupId.3", "sg-3",
		"ImageRegistryCredential.1.Server", "hub.example.com", "ImageRegistryCredential.1.Username", "me",
		"ImageRegistryCredential.1.Password", "secret",
		"Volume.1.Name", "files", "Volume.1.Type", "ConfigFileVolume",
		"Volume.1.ConfigFileVolume.ConfigFilePath.1.Path", "/conf/app.ini",
		"Volume.1.ConfigFileVolume.ConfigFilePath.1.Content", "a=b\n",
		"Volume.2.Name", "scratch", "Volume.2.Type", "EmptyDirVolume",
		"Volume.10.Name", "disk", "Volume.10.Type", "EBSVolume",
		"Volume.10.EBSVolume.FsType", "xfs", "Volume.10.EBSVolume.VolumeId", "0f2c9d4e-5b7a-4c1d-8e3f-9a6b2c1d0e5f",
		"DnsConfig.NameServer.1", "10.0.0.2", "DnsConfig.Search.1", "a.local", "DnsConfig.Search.2", "b.local",
		"DnsConfig.Option.1.Name", "ndots", "DnsConfig.Option.1.Value", "5", "DnsConfig.Option.2.Name", "rotate",
		"HostAlias.0.Ip", "10.0.0.9", "HostAlias.0.Hostname.0", "db", "HostAlias.0.Hostname.1", "db.local",
		"Container.2.Name", "sidecar", "Container.2.Image", "busybox",
		"Container.1.Command.0", "/bin/sh", "Container.1.Arg.2", "-c", "Container.1.Arg.10", "", "Container.1.Arg.1", "-x",
		"Container.1.EnvironmentVar.1.Key", ".A-b_1", "Container.1.EnvironmentVar.1.Value", "x=y & z",
		"Container.1.EnvironmentVar.2.Key", "EMPTY",
		"Container.1.Cpu", "0.125", "Container.1.Memory", "1.5", "Container.1.WorkingDir", "/scratch",
		"Container.1.Port.1.Port", "80", "Container.1.Port.2.Port", "53", "Container.1.Port.2.Protocol", "UDP",
		"Container.1.VolumeMount.1.Name", "files", "Container.1.VolumeMount.1.MountPath", "/etc/app",
		"Container.1.VolumeMount.1.ReadOnly", "true",
		"Container.1.VolumeMount.2.Name", "disk", "Container.1.VolumeMount.2.MountPath", "/data",
	)
	want := engine.Spec{
		Name: "nginx-kci", Region: "cn-beijing-6", Zone: "cn-beijing-6a",
		Subnet: "f2ac1919-0e34-4812-8290-000000000001", VPC: "00000000-0000-4000-8000-000000000001",
		SecurityGroups: []string{"d46c7672-7ca9-4f51-8290-000000000002", "sg-3"},
		CPU:            2, Memory: 4, RestartPolicy: "OnFailure", Grace: 30 * time.Second,
		PullCredentials: []engine.PullCredential{{Server: "hub.example.com", Username: "me", Password: "secret"}},
		Volumes: []engine.Volume{
			{Name: "files", Type: "ConfigFileVolume", Files: &engine.Files{
				DefaultMode: 0o644, Items: []engine.File{{Path: "conf/app.ini", Content: []byte("a=b\n"), Mode: 0o644}},
			}},
			{Name: "scratch", Type: "EmptyDirVolume", EmptyDir: &engine.EmptyDir{}},
			{Name: "disk", Type: "EBSVolume", Flex: &engine.Flex{
				Driver: "ksyun/ebs", FSType: "xfs", Options: map[string]string{"volumeId": "0f2c9d4e-5b7a-4c1d-8e3f-9a6b2c1d0e5f"},
			}},
		},
		DNS: &engine.DNS{
			NameServers: []string{"10.0.0.2"}, Searches: []string{"a.local", "b.local"},
			Options: []engine.NameValue{{Name: "ndots", Value: "5"}, {Name: "rotate"}},
		},
		HostAliases: []engine.HostAlias{{IP: "10.0.0.9", Names: []string{"db", "db.local"}}},
		Containers: []engine.Container{
			{
				Name: "nginx-container", Image: "nginx", Command: []string{"/bin/sh"}, Args: []string{"-x", "-c", ""},
				CPU: 0.125, Memory: 1.5, WorkingDir: "/scratch",
				Env:    []engine.EnvVar{{Name: ".A-b_1", Value: "x=y & z"}, {Name: "EMPTY"}},
				Ports:  []engine.Port{{Port: 80, Protocol: "TCP"}, {Port: 53, Protocol: "UDP"}},
				Mounts: []engine.Mount{{Volume: "files", Path: "/etc/app", ReadOnly: true}, {Volume: "disk", Path: "/data"}},
			},
			{Name: "sidecar", Image: "busybox"},
		},
	}
	for _, dialect := range []Dialect{Seed, Extended} {
		got := created(t, newBench(t, func(o *Options) { o.Dialect = dialect }), values)
		want.Volumes[2].Flex.Options = map[string]string{"volumeId": "0f2c9d4e-5b7a-4c1d-8e3f-9a6b2c1d0e5f"}
		if dialect == Extended {
			want.Volumes[2].Flex.Options["deleteWithInstance"] = "false"
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(engine.Spec{}, "Wire"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("dialect %s: spec (-want +got):\n%s", dialect, diff)
		}
	}
}

// TestCreateExtended sends what only the SDKs have.
func TestCreateExtended(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	values := minimal(
		"ChargeType", "Spot", "SpotStrategy", "SpotAsPriceGo", "KciType", "RBKCI", "InstanceType", "N3.4B",
		"InstanceFamily", "S6,X7", "ProjectId", "7", "Gpu", "1", "RetainIp", "True", "RetainIpHours", "48",
		"AutoMatchImageCache", "false", "HostPID", "true", "KlogEnabled", "False", "KubeProxy.Enabled", "false",
		"MultiSubnetId.0", "subnet-a", "MultiSubnetId.1", "subnet-b",
		"AdvanceSettings.ImageId", "i", "AdvanceSettings.DataDiskGb", "20",
		"AdvanceSettings.SystemDisk.Type", "SSD3.0", "AdvanceSettings.SystemDisk.Size", "20",
		"MachineDnsConfig.NameServer.0", "10.0.0.1", "MachineHostAliase.0.Ip", "10.0.0.3", "MachineHostAliase.0.Hostname.0", "hub",
		"Label.0.Key", "cluster-id", "Label.0.Value", "c1", "Label.1.Key", "pod-name", "Label.1.Value", "p",
		"HostAliase.0.Ip", "fe80::1", "HostAliase.0.Hostname.0", "six",
		"Volume.0.Name", "files", "Volume.0.Type", "ConfigFileVolume", "Volume.0.ConfigFileVolume.DefaultMode", "0600",
		"Volume.0.ConfigFileVolume.ConfigFileToPath.0.Path", "a", "Volume.0.ConfigFileVolume.ConfigFileToPath.0.Content", encode("\x00\xff"),
		"Volume.0.ConfigFileVolume.ConfigFileToPath.1.Path", "b/c", "Volume.0.ConfigFileVolume.ConfigFileToPath.1.mode", "420",
		"Volume.1.Name", "share", "Volume.1.Type", "NFSVolume", "Volume.1.NFSVolume.Server", "10.0.0.4",
		"Volume.1.NFSVolume.Path", "/x", "Volume.1.NFSVolume.ReadOnly", "true",
		"Volume.2.Name", "host", "Volume.2.Type", "HostPathVolume", "Volume.2.HostPathVolume.Path", "/var/log",
		"Volume.3.Name", "disk", "Volume.3.Type", "EBSVolume", "Volume.3.EBSVolume.FsType", "ext4",
		"Volume.3.EBSVolume.Type", "ESSD_PL0", "Volume.3.EBSVolume.Size", "40", "Volume.3.EBSVolume.DeleteWithInstance", "true",
		"Container.1.ImagePullPolicy", "Always", "Container.1.Gpu", "1", "Container.1.SecurityContext.Privileged", "true",
		"Container.1.Port.0.Port", "8080", "Container.1.Port.0.Protocol", "HTTP",
		"Container.1.EnvironmentVar.0.Key", "IP", "Container.1.EnvironmentVar.0.ValueFrom.FieldRef.FieldPath", "status.podIP",
		"Container.1.LivenessProbe.TcpSocket.Port", "8080",
		"Container.1.ReadinessProbe.HttpGet.Port", "8080", "Container.1.ReadinessProbe.InitialDelaySeconds", "3",
		"Container.1.ReadinessProbe.PeriodSeconds", "4", "Container.1.ReadinessProbe.TimeoutSeconds", "5",
		"Container.1.ReadinessProbe.SuccessThreshold", "2", "Container.1.ReadinessProbe.HttpGet.Scheme", "HTTPS",
		"InitContainer.0.Name", "first", "InitContainer.0.Image", "busybox", "InitContainer.0.Command.0", "true",
		"InitContainer.0.VolumeMount.0.Name", "share", "InitContainer.0.VolumeMount.0.MountPath", "/share",
		"InitContainer.0.SecurityContext.Privileged", "false",
	)
	values.Del("SubnetId")
	got := created(t, newBench(t, nil), values)
	yes, hours, gpu := true, 48, 1.0
	want := engine.Spec{
		Name: "nginx-kci", Region: "cn-beijing-6", Zone: "cn-beijing-6a", Subnet: "subnet-a",
		VPC: "00000000-0000-4000-8000-000000000001", SecurityGroups: []string{"d46c7672-7ca9-4f51-8290-000000000002"},
		CPU: 2, Memory: 4, RestartPolicy: "Always", InstanceType: "N3.4B", HostPID: true, Grace: 30 * time.Second,
		Tags:        []engine.NameValue{{Name: "cluster-id", Value: "c1"}, {Name: "pod-name", Value: "p"}},
		HostAliases: []engine.HostAlias{{IP: "fe80::1", Names: []string{"six"}}},
		Volumes: []engine.Volume{
			{Name: "files", Type: "ConfigFileVolume", Files: &engine.Files{DefaultMode: 0o600, Items: []engine.File{
				{Path: "a", Content: []byte("\x00\xff"), Mode: 0o600}, {Path: "b/c", Mode: 0o644},
			}}},
			{Name: "share", Type: "NFSVolume", NFS: &engine.NFS{Server: "10.0.0.4", Path: "/x", ReadOnly: true}},
			{Name: "host", Type: "HostPathVolume", HostPath: "/var/log"},
			{Name: "disk", Type: "EBSVolume", Flex: &engine.Flex{Driver: "ksyun/ebs", FSType: "ext4", Options: map[string]string{
				"type": "ESSD_PL0", "size": "40", "deleteWithInstance": "true",
			}}},
		},
		Containers: []engine.Container{{
			Name: "nginx-container", Image: "nginx", PullPolicy: "Always", GPU: 1, Security: engine.Security{Privileged: true},
			Ports: []engine.Port{{Port: 8080, Protocol: "TCP"}},
			Env:   []engine.EnvVar{{Name: "IP", FieldPath: "status.podIP"}},
			Liveness: &engine.Probe{
				Handler: engine.Handler{TCP: &engine.TCPSocket{Port: 8080}},
				Period:  10 * time.Second, Timeout: time.Second, Success: 1, Failure: 1,
			},
			Readiness: &engine.Probe{
				Handler:      engine.Handler{HTTP: &engine.HTTPGet{Scheme: "HTTPS", Path: "/", Port: 8080}},
				InitialDelay: 3 * time.Second, Period: 4 * time.Second, Timeout: 5 * time.Second, Success: 2, Failure: 3,
			},
		}},
		InitContainers: []engine.Container{{
			Name: "first", Image: "busybox", Command: []string{"true"},
			Mounts: []engine.Mount{{Volume: "share", Path: "/share"}},
		}},
		Wire: &wire{chargeType: "Spot", projectID: 7, retainIP: &yes, retainIPHours: &hours, gpu: &gpu},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(wire{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

// TestCreateRefusals changes one thing in a good call. want is the code and the
// parameter, with its reason, that the message names.
func TestCreateRefusals(t *testing.T) {
	const value, missing, query = "InvalidParameterValue", "MissingParameter", "InvalidQueryParameter"
	pattern := "must have at most 63 characters and match "
	tests := map[string]struct {
		set, del  []string
		seed      bool // in dialect seed
		code      string
		parameter string
	}{
		"NoName":          {del: []string{"ContainerGroupName"}, code: missing, parameter: "ContainerGroupName"},
		"EmptyName":       {set: []string{"ContainerGroupName", ""}, code: missing, parameter: "ContainerGroupName"},
		"UpperCaseName":   {set: []string{"ContainerGroupName", "Nginx"}, code: value, parameter: `ContainerGroupName: "Nginx" ` + pattern + `^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`},
		"NameEndsInDot":   {set: []string{"ContainerGroupName", "nginx."}, code: value, parameter: `ContainerGroupName: "nginx." ` + pattern + `^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`},
		"LongName":        {set: []string{"ContainerGroupName", strings.Repeat("a", 64)}, code: value, parameter: `ContainerGroupName: "` + strings.Repeat("a", 64) + `" ` + pattern + `^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`},
		"NoSubnet":        {del: []string{"SubnetId"}, code: missing, parameter: "SubnetId"},
		"NoSecurityGroup": {del: []string{"SecurityGroupId.1"}, code: missing, parameter: "SecurityGroupId.1"},
		"SecurityGroups":  {set: []string{"SecurityGroupId.2", "b", "SecurityGroupId.3", "c", "SecurityGroupId.4", "d"}, code: value, parameter: "SecurityGroupId: 4 were given, at most 3 are allowed"},
		"NoChargeType":    {del: []string{"ChargeType"}, code: missing, parameter: "ChargeType"},
		"SeedSpot":        {seed: true, set: []string{"ChargeType", "Spot"}, code: value, parameter: `ChargeType: "Spot" must be one of HourlyInstantSettlement`},
		"Monthly":         {set: []string{"ChargeType", "Monthly"}, code: value, parameter: `ChargeType: "Monthly" must be one of HourlyInstantSettlement, Spot`},
		"SpotStrategy":    {set: []string{"SpotStrategy", "SpotAsPriceGo"}, code: value, parameter: `SpotStrategy: it needs ChargeType Spot`},
		"NoCPU":           {del: []string{"Cpu"}, code: missing, parameter: "Cpu"},
		"ZeroCPU":         {set: []string{"Cpu", "0"}, code: value, parameter: `Cpu: "0" must be above 0`},
		"NegativeCPU":     {set: []string{"Cpu", "-1"}, code: value, parameter: `Cpu: "-1" must be a number from 0 to 256 with at most 3 decimals`},
		"NotANumber":      {set: []string{"Cpu", "NaN"}, code: value, parameter: `Cpu: "NaN" must be a number from 0 to 256 with at most 3 decimals`},
		"HexCPU":          {set: []string{"Cpu", "0x1p1"}, code: value, parameter: `Cpu: "0x1p1" must be a number from 0 to 256 with at most 3 decimals`},
		"TooMuchCPU":      {set: []string{"Cpu", "256.001"}, code: value, parameter: `Cpu: "256.001" must be a number from 0 to 256 with at most 3 decimals`},
		"FourDecimals":    {set: []string{"Memory", "1.2345"}, code: value, parameter: `Memory: "1.2345" must be a number from 0 to 512 with at most 3 decimals`},
		"RestartPolicy":   {set: []string{"RestartPolicy", "always"}, code: value, parameter: `RestartPolicy: "always" must be one of Always, OnFailure, Never`},
		"Bandwidth":       {set: []string{"EgressBandwidth", "1025"}, code: value, parameter: `EgressBandwidth: "1025" must be an integer from 1 to 1024`},
		"NoContainer":     {del: []string{"Container.1.Name", "Container.1.Image"}, code: missing, parameter: "Container.1.Name"},
		"NoContainerName": {del: []string{"Container.1.Name"}, code: missing, parameter: "Container.1.Name"},
		"ContainerName":   {set: []string{"Container.1.Name", "a.b"}, code: value, parameter: `Container.1.Name: "a.b" ` + pattern + `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`},
		"NoImage":         {del: []string{"Container.1.Image"}, code: missing, parameter: "Container.1.Image"},
		"SameContainer":   {set: []string{"Container.2.Name", "nginx-container", "Container.2.Image", "b"}, code: value, parameter: `Container.2.Name: "nginx-container" is the name of another container`},
		"SameInit":        {set: []string{"InitContainer.1.Name", "nginx-container", "InitContainer.1.Image", "b"}, code: value, parameter: `InitContainer.1.Name: "nginx-container" is the name of another container`},
		"PullPolicy":      {set: []string{"Container.1.ImagePullPolicy", "Sometimes"}, code: value, parameter: `Container.1.ImagePullPolicy: "Sometimes" must be one of Always, IfNotPresent, Never`},
		"NoPort":          {set: []string{"Container.1.Port.1.Protocol", "TCP"}, code: missing, parameter: "Container.1.Port.1.Port"},
		"Port":            {set: []string{"Container.1.Port.1.Port", "65536"}, code: value, parameter: `Container.1.Port.1.Port: "65536" must be an integer from 1 to 65535`},
		"Protocol":        {seed: true, set: []string{"Container.1.Port.1.Port", "1", "Container.1.Port.1.Protocol", "HTTP"}, code: value, parameter: `Container.1.Port.1.Protocol: "HTTP" must be one of TCP, UDP`},
		"EnvKey":          {set: []string{"Container.1.EnvironmentVar.1.Key", "1A"}, code: value, parameter: `Container.1.EnvironmentVar.1.Key: "1A" ` + pattern + `^[-._a-zA-Z][-._a-zA-Z0-9]*$`},
		"EnvTwice":        {set: []string{"Container.1.EnvironmentVar.1.Key", "A", "Container.1.EnvironmentVar.1.Value", "v", "Container.1.EnvironmentVar.1.ValueFrom.FieldRef.FieldPath", "status.podIP"}, code: value, parameter: `Container.1.EnvironmentVar.1.Value: it excludes ValueFrom`},
		"FieldPath":       {set: []string{"Container.1.EnvironmentVar.1.Key", "A", "Container.1.EnvironmentVar.1.ValueFrom.FieldRef.FieldPath", "spec.nodeName"}, code: value, parameter: `Container.1.EnvironmentVar.1.ValueFrom.FieldRef.FieldPath: "spec.nodeName" must be one of status.podIP`},
		"NoVolume":        {set: []string{"Container.1.VolumeMount.1.Name", "v", "Container.1.VolumeMount.1.MountPath", "/v"}, code: value, parameter: `Container.1.VolumeMount.1.Name: there is no volume "v"`},
		"NoMountPath":     {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Container.1.VolumeMount.1.Name", "v"}, code: missing, parameter: "Container.1.VolumeMount.1.MountPath"},
		"MountPath":       {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Container.1.VolumeMount.1.Name", "v", "Container.1.VolumeMount.1.MountPath", "v"}, code: value, parameter: `Container.1.VolumeMount.1.MountPath: "v" must be an absolute path`},
		"ReadOnly":        {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Container.1.VolumeMount.1.Name", "v", "Container.1.VolumeMount.1.MountPath", "/v", "Container.1.VolumeMount.1.ReadOnly", "yes"}, code: value, parameter: `Container.1.VolumeMount.1.ReadOnly: "yes" must be true or false`},
		"VolumeType":      {seed: true, set: []string{"Volume.1.Name", "v", "Volume.1.Type", "NFSVolume"}, code: value, parameter: `Volume.1.Type: "NFSVolume" must be one of ConfigFileVolume, EmptyDirVolume, EBSVolume`},
		"NoVolumeType":    {set: []string{"Volume.1.Name", "v"}, code: missing, parameter: "Volume.1.Type"},
		"SameVolume":      {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Volume.2.Name", "v", "Volume.2.Type", "EmptyDirVolume"}, code: value, parameter: `Volume.2.Name: "v" is the name of another volume`},
		"OtherSource":     {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EmptyDirVolume", "Volume.1.NFSVolume.Path", "/x"}, code: query, parameter: "Volume.1.NFSVolume.Path"},
		"NoFiles":         {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "ConfigFileVolume"}, code: missing, parameter: "Volume.1.ConfigFileVolume.ConfigFilePath.1.Path"},
		"FilePath":        {set: file("ConfigFilePath", "../x", ""), code: value, parameter: `Volume.1.ConfigFileVolume.ConfigFilePath.1.Path: "../x" must name a file below the mount path`},
		"LongPath":        {set: file("ConfigFilePath", strings.Repeat("a/", 2049), ""), code: value, parameter: "Volume.1.ConfigFileVolume.ConfigFilePath.1.Path: it must have at most 4096 bytes"},
		"BigFile":         {set: file("ConfigFilePath", "x", strings.Repeat("s", 24*1024+1)), code: value, parameter: "Volume.1.ConfigFileVolume.ConfigFilePath.1.Content: it has 24577 bytes, at most 24576 are allowed"},
		"NotBase64":       {set: file("ConfigFileToPath", "x", "se-cret"), code: value, parameter: "Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content: it must be Base64"},
		"SeedBase64":      {seed: true, set: file("ConfigFileToPath", "x", "eA=="), code: missing, parameter: "Volume.1.ConfigFileVolume.ConfigFilePath.1.Path"},
		"Mode":            {set: append(file("ConfigFileToPath", "x", ""), "Volume.1.ConfigFileVolume.ConfigFileToPath.1.mode", "644"), code: value, parameter: `Volume.1.ConfigFileVolume.ConfigFileToPath.1.mode: "644" must be octal with a leading zero, as 0644, or decimal, as 420, and at most 0777`},
		"SameFile":        {set: append(file("ConfigFilePath", "x", ""), "Volume.1.ConfigFileVolume.ConfigFilePath.2.Path", "/x/y"), code: value, parameter: `Volume.1.ConfigFileVolume.ConfigFilePath.2.Path: "x/y" is in the way of another file`},
		"DiskId":          {seed: true, set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EBSVolume", "Volume.1.EBSVolume.FsType", "ext4"}, code: missing, parameter: "Volume.1.EBSVolume.VolumeId"},
		"DiskType":        {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EBSVolume", "Volume.1.EBSVolume.FsType", "ext4"}, code: missing, parameter: "Volume.1.EBSVolume.Type"},
		"DiskSize":        {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EBSVolume", "Volume.1.EBSVolume.FsType", "ext4", "Volume.1.EBSVolume.Type", "ESSD_PL2", "Volume.1.EBSVolume.Size", "40"}, code: value, parameter: `Volume.1.EBSVolume.Size: "40" must be an integer from 461 to 32000`},
		"FsType":          {set: []string{"Volume.1.Name", "v", "Volume.1.Type", "EBSVolume", "Volume.1.EBSVolume.FsType", "btrfs"}, code: value, parameter: `Volume.1.EBSVolume.FsType: "btrfs" must be one of ext3, ext4, xfs`},
		"HostAlias":       {set: []string{"HostAlias.1.Ip", "db", "HostAlias.1.Hostname.1", "10.0.0.1"}, code: value, parameter: `HostAlias.1.Ip: "db" must be an IP address`},
		"HostAliasName":   {set: []string{"HostAlias.1.Ip", "10.0.0.1"}, code: missing, parameter: "HostAlias.1.Hostname.1"},
		"NameServer":      {set: []string{"DnsConfig.NameServer.1", "dns.local"}, code: value, parameter: `DnsConfig.NameServer.1: "dns.local" must be an IP address`},
		"Option":          {set: []string{"DnsConfig.Option.1.Value", "5"}, code: missing, parameter: "DnsConfig.Option.1.Name"},
		"NoPassword":      {set: []string{"ImageRegistryCredential.1.Server", "a", "ImageRegistryCredential.1.Username", "b"}, code: missing, parameter: "ImageRegistryCredential.1.Password"},
		"SameServer": {set: []string{"ImageRegistryCredential.1.Server", "a", "ImageRegistryCredential.1.Username", "b", "ImageRegistryCredential.1.Password", "c",
			"ImageRegistryCredential.2.Server", "a", "ImageRegistryCredential.2.Username", "b", "ImageRegistryCredential.2.Password", "c"}, code: value, parameter: `ImageRegistryCredential.2.Server: "a" has a credential already`},
		"NoHandler":      {set: []string{"Container.1.LivenessProbe.PeriodSeconds", "1"}, code: value, parameter: "Container.1.LivenessProbe: it must have one of HttpGet, TcpSocket and Exec, not 0"},
		"TwoHandlers":    {set: []string{"Container.1.ReadinessProbe.TcpSocket.Port", "1", "Container.1.ReadinessProbe.Exec.Command.1", "x"}, code: value, parameter: "Container.1.ReadinessProbe: it must have one of HttpGet, TcpSocket and Exec, not 2"},
		"LivenessTwice":  {set: []string{"Container.1.LivenessProbe.TcpSocket.Port", "1", "Container.1.LivenessProbe.SuccessThreshold", "2"}, code: value, parameter: `Container.1.LivenessProbe.SuccessThreshold: "2" must be an integer from 1 to 1`},
		"EmptyExec":      {set: []string{"Container.1.LivenessProbe.Exec.Command", "x"}, code: missing, parameter: "Container.1.LivenessProbe.Exec.Command.1"},
		"LabelKey":       {set: []string{"Label.1.Key", "app", "Label.1.Value", "x"}, code: value, parameter: `Label.1.Key: "app" must be one of cluster-id, namespace, pod-name, node-name`},
		"LabelValue":     {set: []string{"Label.1.Key", "namespace", "Label.1.Value", "-x"}, code: value, parameter: `Label.1.Value: "-x" ` + pattern + `^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?$`},
		"KciType":        {set: []string{"KciType", "X"}, code: value, parameter: `KciType: "X" must be one of RBKCI`},
		"RetainIPHours":  {set: []string{"RetainIpHours", "8761"}, code: value, parameter: `RetainIpHours: "8761" must be an integer from 1 to 8760`},
		"SystemDisk":     {set: []string{"AdvanceSettings.SystemDisk.Type", "Local_SSD", "AdvanceSettings.SystemDisk.Size", "101"}, code: value, parameter: `AdvanceSettings.SystemDisk.Size: "101" must be an integer from 20 to 100`},
		"Klog":           {set: []string{"KlogEnabled", "true"}, code: value, parameter: "KlogEnabled: cluster mode is not emulated"},
		"KubeProxy":      {set: []string{"KubeProxy.Enabled", "true"}, code: value, parameter: "KubeProxy.Enabled: cluster mode is not emulated"},
		"Eip":            {set: []string{"EipAllocationId", "e"}, code: value, parameter: `EipAllocationId: elastic IP address "e" does not exist`},
		"EipTwice":       {set: []string{"MultiEipAllocationId.1", eipID, "MultiEipAllocationId.2", eipID}, code: value, parameter: `MultiEipAllocationId: "` + eipID + `" was given already`},
		"EipBoth":        {set: []string{"EipAllocationId", eipID, "MultiEipAllocationId.1", eipID}, code: value, parameter: "MultiEipAllocationId: it excludes EipAllocationId"},
		"InstanceType":   {set: []string{"InstanceType", "n3"}, code: value, parameter: `InstanceType: "n3" must be a type such as N3.4B`},
		"InstanceFamily": {set: []string{"InstanceFamily", "S6,"}, code: value, parameter: `InstanceFamily: "S6," must be a comma list of families such as S6,X7`},
		"HoursAlone":     {set: []string{"RetainIpHours", "24"}, code: value, parameter: "RetainIpHours: it needs RetainIp"},
		"ImageCache":     {set: []string{"ImageCacheId", "e"}, code: value, parameter: "ImageCacheId: the image cache does not exist"},
		"Unknown":        {set: []string{"Colour", "red"}, code: query, parameter: "Colour"},
		"UnknownDeep":    {set: []string{"Container.1.Colour", "red"}, code: query, parameter: "Container.1.Colour"},
		"NoIndex":        {set: []string{"Container.Name", "red"}, code: query, parameter: "Container.Name"},
		"LeadingZero":    {set: []string{"Container.01.Name", "red"}, code: query, parameter: "Container.01"},
		"EmptyPart":      {set: []string{"Container..Name", "red"}, code: query, parameter: "Container..Name"},
		"TextAndList":    {set: []string{"Container.1", "red"}, code: query, parameter: "Container.1"},
		"TooDeep":        {set: []string{"a.b.c.d.e.f.g.h.i", "red"}, code: query, parameter: "a.b.c.d.e.f.g.h.i"},
		"SeedSubnets":    {seed: true, set: []string{"MultiSubnetId.1", "a"}, code: query, parameter: "MultiSubnetId.1"},
		"SeedHostPID":    {seed: true, set: []string{"HostPID", "true"}, code: query, parameter: "HostPID"},
		"SeedInit":       {seed: true, set: []string{"InitContainer.1.Name", "a"}, code: query, parameter: "InitContainer.1.Name"},
		"SeedAliase":     {seed: true, set: []string{"HostAliase.1.Ip", "10.0.0.1"}, code: query, parameter: "HostAliase.1.Ip"},
		"SeedPrivileged": {seed: true, set: []string{"Container.1.SecurityContext.Privileged", "true"}, code: query, parameter: "Container.1.SecurityContext.Privileged"},
		"SeedLabel":      {seed: true, set: []string{"Label.1.Key", "namespace"}, code: query, parameter: "Label.1.Key"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			values := minimal(tc.set...)
			for _, gone := range tc.del {
				values.Del(gone)
			}
			b := newBench(t, func(o *Options) {
				if tc.seed {
					o.Dialect = Seed
				}
			})
			want := "400 Sender " + tc.code + " " + map[string]string{
				value:   "An invalid or out-of-range value was supplied for the input parameter " + tc.parameter + ".",
				missing: "An value must be supplied for the input parameter " + tc.parameter + ".",
				query:   "The query parameter " + tc.parameter + " is malformed or does not adhere to KSC standards.",
			}[tc.code]
			if diff := cmp.Diff(want, errorText(t, b.post("CreateContainerGroup", values))); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(b.groups.groups) != 0 {
				t.Error("a group was created")
			}
		})
	}
}

// file is a volume with one configuration file.
func file(list, path, content string) []string {
	prefix := "Volume.1.ConfigFileVolume." + list + ".1."
	return []string{"Volume.1.Name", "v", "Volume.1.Type", "ConfigFileVolume", prefix + "Path", path, prefix + "Content", content}
}

func TestSubnets(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.VPC = "vpc-default"
		o.Subnets = map[string]Subnet{"known": {VPC: "vpc-1", Zone: "cn-beijing-6b"}, "bare": {}}
	})
	known, bare := created(t, b, minimal("SubnetId", "known")), created(t, b, minimal("SubnetId", "bare"))
	got := []string{known.VPC, known.Zone, bare.VPC, bare.Zone}
	if diff := cmp.Diff([]string{"vpc-1", "cn-beijing-6b", "vpc-default", "cn-beijing-6a"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := errorText(t, b.post("CreateContainerGroup", minimal("SubnetId", "other")))
	if want := `400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter SubnetId: subnet "other" does not exist.`; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

func TestStandardSize(t *testing.T) {
	tests := map[string]struct{ cpu, memory, wantCPU, wantMemory float64 }{
		"Exact":      {2, 4, 2, 4},
		"RoundBoth":  {2.5, 3, 4, 4},
		"Tiny":       {0.001, 0.001, 1, 1},
		"MuchMemory": {1, 7.8, 2, 8},
		"MoreMemory": {1, 100, 16, 128},
		"Largest":    {256, 512, 256, 512},
		"AllMemory":  {0.5, 512, 64, 512},
		"ManyCores":  {200, 1, 256, 256},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if cpu, memory := standardSize(tc.cpu, tc.memory); cpu != tc.wantCPU || memory != tc.wantMemory {
				t.Errorf("got %g cores %g GiB, want %g and %g", cpu, memory, tc.wantCPU, tc.wantMemory)
			}
		})
	}
}
