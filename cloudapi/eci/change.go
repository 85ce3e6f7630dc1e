package eci

import (
	"context"
	"errors"
	"maps"
	"slices"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// The actions that change a running group.
const (
	opRestart = "RestartContainerGroup"
	opUpdate  = "UpdateContainerGroup"
)

// incremental makes an update leave alone what it does not name; the default
// replaces all lists.
const incremental = "IncrementalUpdate"

// noNeedUpdate is the code of an update that finds nothing to be changed.
const noNeedUpdate = "NoNeedUpdate"

// plainAnswer is the answer of actions that return nothing.
type plainAnswer struct {
	RequestID text `json:"RequestId"`
}

func (plainAnswer) list() (string, int) { return "", 0 }

func (a plainAnswer) fault(bool) string {
	if a.RequestID == "" {
		return "it names no request"
	}
	return ""
}

// Restart restarts every container of a running group in place: the group keeps
// its id. What else it keeps, its address and its scratch volumes above all, is
// documented nowhere. token is the idempotency token, at most 64 ASCII
// characters. A group that does not run is a Conflict.
func (c *Client) Restart(ctx context.Context, id, token string) error {
	if id == "" {
		return invalid(opRestart, "id: is empty")
	}
	request := &sdk.RestartContainerGroupRequest{RegionId: &c.region, ContainerGroupId: &id, ClientToken: text1(token)}
	cl := call{action: opRestart, parameters: openapiutil.Query(request), writes: true, repeatable: token != ""}
	_, err := do[plainAnswer](ctx, c, cl)
	return err
}

// UpdateImages changes the images of a running group's containers, by their
// names; the cloud restarts what it changes. Images that are what they should
// be already are success. token is as in Restart.
func (c *Client) UpdateImages(ctx context.Context, id string, images map[string]string, token string) error {
	switch {
	case id == "":
		return invalid(opUpdate, "id: is empty")
	case len(images) == 0:
		return invalid(opUpdate, "images: is empty")
	}
	kind := incremental
	request := &sdk.UpdateContainerGroupRequest{
		RegionId: &c.region, ContainerGroupId: &id, ClientToken: text1(token), UpdateType: &kind,
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		image := images[name]
		request.Container = append(request.Container, &sdk.UpdateContainerGroupRequestContainer{Name: &name, Image: &image})
	}
	cl := call{action: opUpdate, parameters: openapiutil.Query(request), writes: true, repeatable: token != ""}
	_, err := do[plainAnswer](ctx, c, cl)
	if vendorCode(err) == noNeedUpdate {
		return nil
	}
	return err
}

// vendorCode is the cloud's own word for an error.
func vendorCode(err error) string {
	if e, ok := errors.AsType[*cloudapi.Error](err); ok {
		return e.VendorCode
	}
	return ""
}
