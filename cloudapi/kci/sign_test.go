package kci

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi/internal/credential"
)

// The vectors were computed with the stock AWS signer and checked with an
// independent verifier.
func TestSign(t *testing.T) {
	const body = "Action=DescribeContainerGroup&ContainerGroupId.1=9f0c0be6-f6fe-4e29-af1a-000000000001&Version=2020-07-02"
	cases := map[string]struct {
		token string
		want  http.Header
	}{
		"LongLivedKey": {
			want: http.Header{
				"Accept":       {"application/json"},
				"Content-Type": {"application/x-www-form-urlencoded"},
				"X-Amz-Date":   {"20201010T035504Z"},
				"Authorization": {"AWS4-HMAC-SHA256 Credential=AKTEST/20201010/cn-beijing-6/kci/aws4_request, " +
					"SignedHeaders=accept;content-length;content-type;host;x-amz-date, " +
					"Signature=51052c0fd4e59b16e82a9c4661d10a3788feb99cdd7ab397f90e7f8c5901f161"},
			},
		},
		"TemporaryKey": {
			token: "TOKEN",
			want: http.Header{
				"Accept":               {"application/json"},
				"Content-Type":         {"application/x-www-form-urlencoded"},
				"X-Amz-Date":           {"20201010T035504Z"},
				"X-Ksc-Security-Token": {"TOKEN"},
				"Authorization": {"AWS4-HMAC-SHA256 Credential=AKTEST/20201010/cn-beijing-6/kci/aws4_request, " +
					"SignedHeaders=accept;content-length;content-type;host;x-amz-date;x-ksc-security-token, " +
					"Signature=74db6d800ee2fc17636b44d26a27b0d64b23935970d8b984318bc5e0358c7ba7"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rq, err := http.NewRequest(http.MethodPost, "https://kci.cn-beijing-6.api.ksyun.com/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			s := seal{
				key:    credential.AccessKey{ID: "AKTEST", Secret: "SKTEST==", Token: tc.token},
				region: "cn-beijing-6",
				at:     time.Date(2020, 10, 10, 3, 55, 4, 0, time.UTC),
			}
			if err := s.sign(t.Context(), rq, body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, rq.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// The vector's body is what the form of that request encodes to.
func TestFormEncodesTheVectorsBody(t *testing.T) {
	f := newForm()
	f.list("ContainerGroupId", []string{"9f0c0be6-f6fe-4e29-af1a-000000000001"})
	want := "Action=DescribeContainerGroup&ContainerGroupId.1=9f0c0be6-f6fe-4e29-af1a-000000000001&Version=2020-07-02"
	if got := f.encode(actionDescribe); got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}
