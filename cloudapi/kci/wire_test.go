package kci

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNumber(t *testing.T) {
	cases := map[string]number{
		`2`:        {2, true},
		`2.5`:      {2.5, true},
		`"0.5"`:    {0.5, true},
		`" 4 "`:    {4, true},
		`-1`:       {-1, true},
		`1e3`:      {1000, true},
		`null`:     {},
		`""`:       {},
		`"many"`:   {},
		`"NaN"`:    {},
		`"Inf"`:    {},
		`"1e999"`:  {},
		`true`:     {},
		`{"a":1}`:  {},
		`[1]`:      {},
		`"\u0031"`: {}, // an escape is not worth unpacking
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			got := number{9, true}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("number(%s) = %+v, want %+v", text, got, want)
			}
		})
	}
}

func TestNumberBounds(t *testing.T) {
	cases := map[string]struct {
		value  float64
		narrow int32
		wide   int
	}{
		"Whole":    {7, 7, 7},
		"Cut":      {7.9, 7, 7},
		"Negative": {-7.9, -7, 0},
		"Huge":     {1e300, math.MaxInt32, 1 << 53},
		"Tiny":     {-1e300, math.MinInt32, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n := number{tc.value, true}
			if n.int32() != tc.narrow || n.int() != tc.wide {
				t.Errorf("%v gives %d and %d, want %d and %d", tc.value, n.int32(), n.int(), tc.narrow, tc.wide)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	cases := map[string]struct {
		text string
		want time.Time
	}{
		"UTC":              {"2020-10-10T03:55:07Z", utc("2020-10-10T03:55:07Z")},
		"Zone":             {"2020-10-10T11:55:07+08:00", utc("2020-10-10T03:55:07Z")},
		"Fraction":         {"2020-10-10T03:55:07.25Z", utc("2020-10-10T03:55:07.25Z")},
		"Beijing":          {"2020-10-10 11:55:04", utc("2020-10-10T03:55:04Z")},
		"BeijingOverNight": {"2020-10-10 07:00:00", utc("2020-10-09T23:00:00Z")},
		"BeijingWithT":     {"2020-10-10T11:55:04", utc("2020-10-10T03:55:04Z")},
		"Spaces":           {" 2020-10-10 11:55:04 ", utc("2020-10-10T03:55:04Z")},
		"Empty":            {"", time.Time{}},
		"Words":            {"soon", time.Time{}},
		"GoZero":           {"0001-01-01T00:00:00Z", time.Time{}},
		"Epoch":            {"1970-01-01 08:00:00", time.Time{}},
		"BeyondJSON":       {"9999-12-31T23:59:59-08:00", time.Time{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := parseTime(tc.text); !got.Equal(tc.want) || got.Location() != time.UTC {
				t.Errorf("parseTime(%q) = %v, want %v", tc.text, got, tc.want)
			}
		})
	}
}

// An answer that could make groups look gone is not taken for a page.
func TestDescribeAnswerLack(t *testing.T) {
	cases := map[string]struct{ body, want string }{
		"Page":            {`{"TotalCount":1,"ContainerGroups":[{"ContainerGroupId":"a"}]}`, ""},
		"EmptyList":       {`{"ContainerGroups":[]}`, ""},
		"NullList":        {`{"TotalCount":0,"ContainerGroups":null}`, ""},
		"NullListAlone":   {`{"ContainerGroups":null}`, "ContainerGroups"},
		"NullAndCount":    {`{"TotalCount":2,"ContainerGroups":null}`, "ContainerGroups"},
		"ZeroWithoutList": {`{"TotalCount":0}`, ""},
		"Nothing":         {`{"RequestId":"r"}`, "ContainerGroups"},
		"CountWithout":    {`{"TotalCount":3}`, "ContainerGroups"},
		"TextForList":     {`{"TotalCount":1,"ContainerGroups":"none"}`, "ContainerGroups"},
		"ObjectForList":   {`{"ContainerGroups":{"0":{}}}`, "ContainerGroups"},
		"NullGroup":       {`{"ContainerGroups":[{"ContainerGroupId":"a"},null]}`, "ContainerGroups[1].ContainerGroupId"},
		"TextForGroup":    {`{"ContainerGroups":["a"]}`, "ContainerGroups[0].ContainerGroupId"},
		"NoID":            {`{"ContainerGroups":[{"ContainerGroupName":"a"}]}`, "ContainerGroups[0].ContainerGroupId"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var page describeAnswer
			if err := decode([]byte(tc.body), &page); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, page.lack()); diff != "" {
				t.Errorf("lack (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"Empty": "", "Space": " \n", "HTML": "<html></html>", "List": "[]", "Text": `"ok"`, "Null": "null",
		"Truncated": `{"RequestId":"r","ContainerGroups":[{"ContainerGroupId":"a"`, "Twice": `{}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			page := describeAnswer{envelope: envelope{RequestID: "of an earlier attempt"}}
			if err := decode([]byte(body), &page); err == nil {
				t.Error("no error")
			}
			if page.RequestID != "" {
				t.Errorf("request id %q is left over", page.RequestID)
			}
		})
	}
}

// FuzzDecode feeds every decoder: none may panic, and what is read can always
// be converted and digested.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"RequestId":"r","Marker":0,"TotalCount":1,"ContainerGroups":[{"ContainerGroupId":"g","CreateTime":"2020-10-10 11:55:04",` +
			`"Containers":[{"Name":"c","CurrentState":{"State":"running","ExitCode":null}}],"Events":[{"Count":"1"}]}]}`,
		`{"RequestID":"r","Error":{"Type":"Sender","Code":"LimitExceeded","Message":"m"}}`,
		`{"code":400,"message":"m","codeDesc":"d"}`, `{"Error":"text"}`, `{"Error":[1]}`, `{"Content":null}`, `{"Content":"a\n"}`,
		`{"ContainerGroups":[{"ContainerGroupId":"g","Cpu":1e999}]}`, `{"WebSocketUri":"ws://x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rq := request{action: actionCreate, secrets: []string{"secret"}}
		for _, out := range []answer{&createAnswer{}, &logAnswer{}, &execAnswer{}, &eventsAnswer{}, &deleteAnswer{}} {
			if decode(body, out) == nil {
				_ = out.lack()
				if e := failed(rq, reply{status: 200}, out.head()); e != nil {
					_ = e.Error()
				}
			}
		}
		var page describeAnswer
		if decode(body, &page) != nil || page.lack() != "" {
			return
		}
		if _, err := newSheaf(5).add(0, &page); err != nil {
			_ = err.Error()
		}
		for i := range page.ContainerGroups {
			if _, err := summarize(convertGroup(&page.ContainerGroups[i])); err != nil {
				t.Errorf("a decoded group has no digest: %v", err)
			}
		}
	})
}
