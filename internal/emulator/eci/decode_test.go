package eci

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   string       `wire:"Name" req:"update" len:"2-4"`
	Policy string       `wire:"Policy" enum:"Always,Never"`
	Flag   *bool        `wire:"Flag"`
	Small  *int32       `wire:"Small" range:"-10"`
	Big    *int64       `wire:"Big" range:"5-"`
	Share  *float64     `wire:"Share"`
	Words  []string     `wire:"Word" max:"3/1"`
	Items  []sampleItem `wire:"Item" max:"2"`
	Nested *sampleItem  `wire:"Nested"`
	Inner  sampleItem   `wire:"Inner"`
	Hook   sampleItem   `prefix:"Hook"`
	Later  string       `wire:"Later" only:"update"`
}

type sampleItem struct {
	Key   string   `wire:"Key" req:"create"`
	Parts []string `wire:"Part"`
}

func TestDecode(t *testing.T) {
	required := "&Inner.Key=i&HookKey=h"
	base := sample{Inner: sampleItem{Key: "i"}, Hook: sampleItem{Key: "h"}}
	with := func(change func(*sample)) sample {
		s := base
		change(&s)
		return s
	}
	cases := map[string]struct {
		reason, query string
		mode          mode
		want          sample
		wantCode      string
		wantMessage   string
	}{
		"Scalars": {
			"each kind is parsed", "Name=abc&Policy=Never&Flag=True&Small=-3&Big=5000000000&Share=0.1", modeCreate,
			with(func(s *sample) {
				s.Name, s.Policy, s.Flag, s.Small, s.Big, s.Share = "abc", "Never", new(true), new(int32(-3)), new(int64(5000000000)), new(0.1)
			}), "", "",
		},
		"EmptyIsAbsent": {"an empty value counts as absent", "Flag=&Small=&Policy=&Word=", modeCreate, base, "", ""},
		"Unknown":       {"unknown parameters and shapes are ignored", "X=1&Name.1=a&Item.x.Key=1&Item.01.Key=1&Word.0=z&....=1&.=", modeCreate, base, "", ""},
		"Lists": {
			"lists go by number, not by order, and gaps close", "Word.10=c&Word.2=&Word.1=a&Item.3.Key=k&Item.3.Part.1=p", modeCreate,
			with(func(s *sample) {
				s.Words, s.Items = []string{"a", "", "c"}, []sampleItem{{Key: "k", Parts: []string{"p"}}}
			}), "", "",
		},
		"Nested": {
			"a struct appears with its first parameter", "Nested.Key=n&HookPart.1=x", modeCreate,
			with(func(s *sample) { s.Nested, s.Hook.Parts = &sampleItem{Key: "n"}, []string{"x"} }), "", "",
		},
		"OnlyOther":     {"what another action knows is ignored", "Later=1", modeCreate, base, "", ""},
		"OnlyHere":      {"what only this action knows is read", "Later=1&Name=ab", modeUpdate, with(func(s *sample) { s.Later, s.Name = "1", "ab" }), "", ""},
		"Required":      {"a required parameter is missed by its path", "Item.2.Part.1=p", modeCreate, sample{}, "MissingParameter", "Item.1.Key"},
		"RequiredElse":  {"what is required depends on the action", "", modeUpdate, sample{}, "MissingParameter", "Name"},
		"TooMany":       {"lists are bounded", "Word.1=a&Word.2=a&Word.3=a&Word.4=a", modeCreate, sample{}, "InvalidParameter.ValueExceeded", "at most 3"},
		"TooManyUpdate": {"and by action", "Name=ab&Word.1=a&Word.2=a", modeUpdate, sample{}, "InvalidParameter.ValueExceeded", "at most 1"},
		"Length":        {"characters are counted, not bytes", "Name=äöüß", modeCreate, with(func(s *sample) { s.Name = "äöüß" }), "", ""},
		"TooLong":       {"strings are bounded", "Name=abcde", modeCreate, sample{}, "InvalidParameter.LengthExceeded", "5 characters"},
		"Enum":          {"words are given", "Policy=always", modeCreate, sample{}, "InvalidParameter", "Always,Never"},
		"Bool":          {"a switch is true or false", "Flag=1", modeCreate, sample{}, "InvalidParameter", "true or false"},
		"Int32":         {"numbers have a width", "Small=-2147483649", modeCreate, sample{}, "InvalidParameter", "32 bits"},
		"High":          {"numbers have an upper bound", "Small=11", modeCreate, sample{}, "InvalidParameter", "Small"},
		"Low":           {"and a lower bound", "Big=4", modeCreate, sample{}, "InvalidParameter", "Big"},
		"NaN":           {"NaN is no number", "Share=NaN", modeCreate, sample{}, "InvalidParameter", "a number"},
		"Infinite":      {"neither is infinity", "Share=1e999", modeCreate, sample{}, "InvalidParameter", "a number"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			query := c.query
			if c.mode == modeCreate && c.wantCode == "" {
				query += required
			}
			if c.mode == modeUpdate && c.wantCode == "" {
				c.want.Inner, c.want.Hook = sampleItem{}, sampleItem{}
			}
			var got sample
			err := decode(paramsOf(t, query), c.mode, &got)
			var refusal *apiError
			switch {
			case c.wantCode == "" && err != nil:
				t.Fatalf("%s: %v", c.reason, err)
			case c.wantCode != "":
				if !errors.As(err, &refusal) || refusal.name != c.wantCode || !strings.Contains(refusal.message, c.wantMessage) {
					t.Errorf("%s: got error %v; want %s with %q", c.reason, err, c.wantCode, c.wantMessage)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func paramsOf(t *testing.T, query string) map[string]string {
	t.Helper()
	parsed, err := url.ParseQuery(query)
	if err != nil {
		t.Fatalf("parsing query of test: %v", err)
	}
	params := map[string]string{}
	for name := range parsed {
		params[name] = parsed.Get(name)
	}
	return params
}

// FuzzDecode: no parameters make the decoder crash, and what it accepts can be
// checked, sized and translated without a crash.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		strings.SplitN(simple, " ", 2)[1],
		strings.SplitN(full, " ", 2)[1] + "&ContainerGroupId=eci-1",
		strings.SplitN(full, " ", 2)[1] + "&ContainerGroupId=eci-1&UpdateType=IncrementalUpdate",
		"RegionId=cn-hangzhou&ContainerGroupName=ab&Container.1.Name=a&Container.1.Image=i&Container.1.Port.1.Port=80" +
			"&Container.1.LivenessProbe.TcpSocket.Port=1&Container.1.LifecyclePreStopHandlerTcpSocketPort=2" +
			"&Volume.1.Name=v&Volume.1.Type=ConfigFileVolume&Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path=p" +
			"&Container.1.VolumeMount.1.Name=v&Container.1.VolumeMount.1.MountPath=/m&InstanceType=ecs.c6.xlarge",
		"Volume.1.FlexVolume.Options={\"volumeSize\":1}&DnsConfig.Option.1.Name=&Container.99999999999999999999.Name=x",
		"....&Container.-1=&Container.1.1.1.1=&Container=1&Cpu=1e308&Memory=1e308",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		query, _ := url.ParseQuery(text)
		params := map[string]string{}
		for name := range query {
			params[name] = query.Get(name)
		}
		s := New(Options{HostPath: true})
		var created createRequest
		if decode(params, modeCreate, &created) == nil {
			created.unfold(modeCreate)
			_, _ = s.admit(&created)
		}
		var updated updateRequest
		if decode(params, modeUpdate, &updated) == nil {
			updated.unfold(modeUpdate)
			if merged, err := apply(&created, nil, &updated); err == nil {
				_, _ = s.admit(merged)
			}
		}
	})
}
