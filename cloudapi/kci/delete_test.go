package kci

import (
	"errors"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestDelete(t *testing.T) {
	byID := map[string]string{"ContainerGroupId": "g-1"}
	lookUp := map[string]string{"ContainerGroupId.1": "g-1"}
	done := answers(200, `{"RequestId":"r"}`)
	missing := refuses(400, "InvalidParameterValue", "ContainerGroup g-1 does not exist")
	cases := map[string]struct {
		steps []step
		want  string
	}{
		"Done": {steps: []step{{actionDelete, byID, done}}},
		"Repeated": {steps: []step{
			{actionDelete, byID, refuses(500, "ServiceTimeout", "t")}, {actionDelete, byID, hangUp}, {actionDelete, byID, done}}},
		"GoneForSure": {steps: []step{{actionDelete, byID, missing}, {actionDescribe, lookUp, answers(200, emptyPage)}}},
		"SaidGoneButThere": {
			steps: []step{{actionDelete, byID, missing}, {actionDescribe, lookUp, answers(200, pageOf(aGroup("g-1", "n", "Running", "")))}},
			want:  "DeleteContainerGroup: Invalid: InvalidParameterValue: ContainerGroup g-1 does not exist (request req-err)"},
		"SaidGoneAndNobodyKnows": {
			steps: []step{{actionDelete, byID, missing}, {actionDescribe, lookUp, refuses(403, "AccessDenied", "no")}},
			want:  "DeleteContainerGroup: Invalid: InvalidParameterValue: ContainerGroup g-1 does not exist (request req-err)"},
		"ForeignGroupsDoNotCount": {steps: []step{{actionDelete, byID, missing},
			{actionDescribe, lookUp, answers(200, pageOf(aGroup("g-2", "n", "Running", "")))}}},
		"NoSuchEntity": {
			steps: []step{{actionDelete, byID, refuses(404, "NoSuchEntity", "referenced an 'InnerApi' that does not exist.")}},
			want:  "DeleteContainerGroup: Unavailable: NoSuchEntity: referenced an 'InnerApi' that does not exist. (request req-err)"},
		"Forbidden": {
			steps: []step{{actionDelete, byID, refuses(403, "AccessDenied", "no")}},
			want:  "DeleteContainerGroup: Forbidden: AccessDenied: no (request req-err)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := connect(t, script(t, tc.steps...)).Delete(t.Context(), "g-1", cloudapi.DeleteOptions{Force: true})
			if errorText(err) != tc.want {
				t.Errorf("error %q, want %q", errorText(err), tc.want)
			}
			var e *cloudapi.Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("error %T is no *cloudapi.Error", err)
			}
		})
	}
}

func TestDeleteWithoutID(t *testing.T) {
	if err := connect(t, script(t)).Delete(t.Context(), "", cloudapi.DeleteOptions{}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("error %v, want Invalid", err)
	}
}
