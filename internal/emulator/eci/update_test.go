package eci

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const updateFull = "POST Action=UpdateContainerGroup&RegionId=cn-hangzhou&ContainerGroupId=eci-0001"

func TestUpdate(t *testing.T) {
	incremental := updateFull + "&UpdateType=IncrementalUpdate"
	cases := map[string]struct {
		reason, request string
		code            string
		calls           []string
		check           func(*engine.Group) any
		want            any
	}{
		"Image": {"an incremental update of an image leaves the rest",
			incremental + "&Container.1.Name=app&Container.1.Image=nginx:1.26", "", []string{"update eci-0001"},
			func(g *engine.Group) any {
				c := g.Spec.Containers[0]
				return []any{c.Image, c.Command, c.PreStop.Exec, c.MessagePath, len(c.Env), g.Spec.Containers[1].Image}
			}, []any{"nginx:1.26", []string{"serve"}, []string{"stop"}, "/t", 2, "proxy"}},
		"Renewed": {"a renewed list replaces all that Update can say, and keeps the rest",
			updateFull + "&Container.1.Name=hidden&Container.1.Image=proxy:2", "", []string{"update eci-0001"},
			func(g *engine.Group) any {
				c := g.Spec.Containers[0]
				return []any{len(g.Spec.Containers), c.Name, c.Image, len(c.Env), c.Security.Privileged}
			}, []any{1, "hidden", "proxy:2", 0, true}},
		"FileModes": {"modes, which Update cannot say, stay",
			incremental + "&Volume.1.Name=files&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=conf/a&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content=eA==" +
				"&Volume.1.ConfigFileVolume.ConfigFileToPath.2.Path=new&Volume.1.ConfigFileVolume.ConfigFileToPath.2.Mode=511", "", []string{"update eci-0001"},
			func(g *engine.Group) any { return *g.Spec.Volumes[0].Files },
			engine.Files{DefaultMode: 256, Items: []engine.File{{Path: "conf/a", Content: []byte("x"), Mode: 420}, {Path: "new", Content: []byte{}, Mode: 256}}}},
		"PluralHeaders": {"Update has another name for postStart headers",
			incremental + "&Container.1.Name=app&Container.1.LifecyclePostStartHandlerHttpGetPort=81" +
				"&Container.1.LifecyclePostStartHandlerHttpGetHttpHeaders.1.Name=X-B&Container.1.LifecyclePostStartHandlerHttpGetHttpHeader.1.Name=X-C",
			"", []string{"update eci-0001"},
			func(g *engine.Group) any { return *g.Spec.Containers[0].PostStart.HTTP },
			engine.HTTPGet{Scheme: "HTTP", Port: 81, Headers: []engine.NameValue{{Name: "X-B"}}}},
		"TagsOnly": {"tags alone restart nothing",
			incremental + "&Tag.1.Key=team&Tag.1.Value=blue&Tag.2.Key=new", "", []string{"tag eci-0001"},
			func(g *engine.Group) any { return g.Tags },
			[]engine.NameValue{{Name: "team", Value: "blue"}, {Name: "empty"}, {Name: "new"}}},
		"TagsRenewed": {"a renewed tag list replaces the old one",
			updateFull + "&Tag.1.Key=only", "", []string{"tag eci-0001"},
			func(g *engine.Group) any { return g.Tags }, []engine.NameValue{{Name: "only"}}},
		"Size": {"a new size is sold",
			updateFull + "&Cpu=2&Memory=4", "", []string{"update eci-0001"},
			func(g *engine.Group) any { return []float64{g.Spec.CPU, g.Spec.Memory} }, []float64{2, 4}},
		"TooBig":        {"containers may not outgrow the group", incremental + "&Container.1.Name=app&Container.1.Cpu=4", "InvalidParam.CpuOrMemorySpec", nil, nil, nil},
		"Nothing":       {"an update needs something to do", updateFull, "NoNeedUpdate", nil, nil, nil},
		"Same":          {"what is so already needs no update", incremental + "&Container.1.Name=app&Container.1.Image=nginx:1.25", "NoNeedUpdate", nil, nil, nil},
		"NotUpdatable":  {"parameters that Update has not are ignored", updateFull + "&HostName=x&Container.1.EnvironmentVarHide=true", "MissingParameter", nil, nil, nil},
		"OtherName":     {"an incremental update adds no container", incremental + "&Container.1.Name=new&Container.1.Image=i", "InvalidParameter.NotFound", nil, nil, nil},
		"NoImage":       {"a renewed container needs an image", updateFull + "&Container.1.Name=app", "MissingParameter", nil, nil, nil},
		"LostVolume":    {"the result is checked as a whole", updateFull + "&Volume.1.Name=other&Volume.1.Type=EmptyDirVolume", "InvalidParameter", nil, nil, nil},
		"Twenty-One":    {"Update's own bounds hold", updateFull + many(22, "Container.%d.Name=c%d&Container.%d.Image=i"), "InvalidParameter.ValueExceeded", nil, nil, nil},
		"SixteenFiles":  {"a file volume has 16 files in Update", incremental + "&Volume.1.Name=files" + many(17, "Volume.1.ConfigFileVolume.ConfigFileToPath.%d.Path=f%d"), "InvalidParameter.ValueExceeded", nil, nil, nil},
		"DuplicateName": {"names stay unique", updateFull + "&Container.1.Name=a&Container.1.Image=i&Container.2.Name=a&Container.2.Image=i", "InvalidParameter.DuplicatedName", nil, nil, nil},
		"ClientToken":   {"tokens are held to their limit", updateFull + "&ClientToken=" + strings.Repeat("t", 65), "InvalidParameter", nil, nil, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.must(full)
			r.groups.Run("eci-0001")
			before := given(t, *wireOf(r.groups.groups[0]))
			old := wireOf(r.groups.groups[0])
			status, body := r.do(c.request)
			if (status == 200) != (c.code == "") || status != 200 && codeOf(t, body) != c.code {
				t.Fatalf("%s: got %d %s; want %q", c.reason, status, body, c.code)
			}
			if diff := cmp.Diff(c.calls, r.groups.Calls); diff != "" {
				t.Errorf("%s: calls (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, given(t, *old)); diff != "" {
				t.Errorf("%s: the old request was changed (-before +after):\n%s", c.reason, diff)
			}
			if c.check != nil {
				if diff := cmp.Diff(c.want, c.check(r.groups.groups[0])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.reason, diff)
				}
			}
		})
	}
}
