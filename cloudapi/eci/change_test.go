package eci

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestRestart(t *testing.T) {
	done := says(200, `{"RequestId":"R-1"}`)
	for name, tc := range map[string]struct {
		reason  string
		answers []func(http.ResponseWriter, *http.Request)
		want    cloudapi.Code // empty: success
	}{
		"Success": {"", []func(http.ResponseWriter, *http.Request){done}, ""},
		"Lost":    {"the token makes the repetition safe", []func(http.ResponseWriter, *http.Request){hangsUp, done}, ""},
		"Gone":    {"there is nothing to be restarted", []func(http.ResponseWriter, *http.Request){refuses(404, "InvalidParameter.NotFound")}, cloudapi.CodeNotFound},
		"Refused": {"not in this way", []func(http.ResponseWriter, *http.Request){refuses(400, "InvalidParameter")}, cloudapi.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			var steps []step
			for _, answer := range tc.answers {
				steps = append(steps, step{action: opRestart, answer: answer, check: func(t *testing.T, form url.Values, _ http.Header) {
					want := url.Values{"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "ClientToken": {"once"}}
					if diff := cmp.Diff(want, form); diff != "" {
						t.Errorf("parameters (-want +got):\n%s", diff)
					}
				}})
			}
			client, _ := play(t, steps...)
			err := client.Restart(t.Context(), "eci-1", "once")
			if tc.want == "" && err != nil || tc.want != "" && !cloudapi.Is(err, tc.want) {
				t.Errorf("%s: got %v, want code %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestUpdateImages(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   cloudapi.Code
	}{
		"Success":   {says(200, `{"RequestId":"R-1"}`), ""},
		"NoNeed":    {refuses(400, "NoNeedUpdate"), ""},
		"TooLarge":  {refuses(400, "InvalidParam.CpuOrMemorySpec"), cloudapi.CodeInvalid},
		"Forbidden": {refuses(403, "NoPermission"), cloudapi.CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := play(t, step{action: opUpdate, answer: tc.answer, check: func(t *testing.T, form url.Values, _ http.Header) {
				want := url.Values{
					"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "ClientToken": {"once"}, "UpdateType": {"IncrementalUpdate"},
					"Container.1.Name": {"main"}, "Container.1.Image": {"app:2"}, "Container.2.Name": {"side"}, "Container.2.Image": {"side:3"},
				}
				if diff := cmp.Diff(want, form); diff != "" {
					t.Errorf("parameters (-want +got):\n%s", diff)
				}
			}})
			err := client.UpdateImages(t.Context(), "eci-1", map[string]string{"side": "side:3", "main": "app:2"}, "once")
			if tc.want == "" && err != nil || tc.want != "" && !cloudapi.Is(err, tc.want) {
				t.Errorf("got %v, want code %q", err, tc.want)
			}
		})
	}
}

func TestUpdateFiles(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   cloudapi.Code
	}{
		"Success":  {says(200, `{"RequestId":"R-1"}`), ""},
		"NoNeed":   {refuses(400, "NoNeedUpdate"), ""},
		"NotNow":   {refuses(400, "IncorrectStatus"), cloudapi.CodeConflict},
		"TooLarge": {refuses(400, "InvalidParameter.LengthExceeded"), cloudapi.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := play(t, step{action: opUpdate, answer: tc.answer, check: func(t *testing.T, form url.Values, _ http.Header) {
				want := url.Values{
					"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "ClientToken": {"once"}, "UpdateType": {"IncrementalUpdate"},
					"Volume.1.Name": {"config"}, "Volume.1.Type": {"ConfigFileVolume"},
					"Volume.1.ConfigFileVolume.ConfigFileToPath.1.Path":    {"a"},
					"Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content": {"AAE="},
					"Volume.1.ConfigFileVolume.ConfigFileToPath.2.Path":    {"d/b"},
					"Volume.1.ConfigFileVolume.ConfigFileToPath.2.Content": {""},
				}
				if diff := cmp.Diff(want, form); diff != "" {
					t.Errorf("parameters (-want +got):\n%s", diff)
				}
			}})
			err := client.UpdateFiles(t.Context(), "eci-1", []cloudapi.Volume{{Name: "config", Files: &cloudapi.Files{
				DefaultMode: 0o600, Items: []cloudapi.File{{Path: "a", Content: []byte{0, 1}, Mode: 0o600}, {Path: "d/b", Mode: 0o600}},
			}}}, "once")
			if tc.want == "" && err != nil || tc.want != "" && !cloudapi.Is(err, tc.want) {
				t.Errorf("got %v, want code %q", err, tc.want)
			}
		})
	}
}

func TestUpdateFilesRefuses(t *testing.T) {
	files := func(n int) []cloudapi.Volume {
		return []cloudapi.Volume{{Name: "config", Files: &cloudapi.Files{Items: make([]cloudapi.File, n)}}}
	}
	for name, tc := range map[string]struct {
		id      string
		volumes []cloudapi.Volume
	}{
		"NoGroup":  {"", files(1)},
		"NoVolume": {"eci-1", nil},
		"NoFiles":  {"eci-1", files(0)},
		"TooMany":  {"eci-1", files(16)},
		"EmptyDir": {"eci-1", []cloudapi.Volume{{Name: "config", EmptyDir: &cloudapi.EmptyDir{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := play(t)
			if err := client.UpdateFiles(t.Context(), tc.id, tc.volumes, "once"); !cloudapi.Is(err, cloudapi.CodeInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestChangeNothing(t *testing.T) {
	client, _ := play(t)
	if err := client.Restart(t.Context(), "", "once"); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("restart without an id: %v", err)
	}
	if err := client.UpdateImages(t.Context(), "eci-1", nil, "once"); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("update without images: %v", err)
	}
	if err := client.UpdateImages(t.Context(), "", map[string]string{"main": "app:2"}, "once"); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("update without an id: %v", err)
	}
}
