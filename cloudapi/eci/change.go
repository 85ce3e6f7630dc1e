package eci

import (
	"context"
	"encoding/base64"
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

// UpdateFiles replaces the files of volumes of a running group, by the volumes'
// names. Of each volume only the paths and contents of its files are told, for
// the action has no parameters for modes; a file keeps its mode, and a new one
// gets the volume's default. A volume has 1 to 15 files. Whether the cloud
// restarts containers for it, is documented nowhere. token is as in Restart.
func (c *Client) UpdateFiles(ctx context.Context, id string, volumes []cloudapi.Volume, token string) error {
	switch {
	case id == "":
		return invalid(opUpdate, "id: is empty")
	case len(volumes) == 0:
		return invalid(opUpdate, "volumes: is empty")
	}
	kind := incremental
	request := &sdk.UpdateContainerGroupRequest{
		RegionId: &c.region, ContainerGroupId: &id, ClientToken: text1(token), UpdateType: &kind,
	}
	for i := range volumes {
		v, err := updatedFiles(&volumes[i])
		if err != nil {
			return err
		}
		request.Volume = append(request.Volume, v)
	}
	cl := call{action: opUpdate, parameters: openapiutil.Query(request), writes: true, repeatable: token != ""}
	_, err := do[plainAnswer](ctx, c, cl)
	if vendorCode(err) == noNeedUpdate {
		return nil
	}
	return err
}

func updatedFiles(v *cloudapi.Volume) (*sdk.UpdateContainerGroupRequestVolume, error) {
	if v.Files == nil {
		return nil, invalid(opUpdate, "volume %s: is none of files", v.Name)
	}
	if n := len(v.Files.Items); n == 0 || n > maxUpdateFiles {
		return nil, invalid(opUpdate, "volume %s: has %d files; the cloud takes 1 to %d", v.Name, n, maxUpdateFiles)
	}
	kind := typeFiles
	files := &sdk.UpdateContainerGroupRequestVolumeConfigFileVolume{}
	for i := range v.Files.Items {
		item := &v.Files.Items[i]
		content := base64.StdEncoding.EncodeToString(item.Content)
		files.ConfigFileToPath = append(files.ConfigFileToPath,
			&sdk.UpdateContainerGroupRequestVolumeConfigFileVolumeConfigFileToPath{Path: &item.Path, Content: &content})
	}
	return &sdk.UpdateContainerGroupRequestVolume{Name: &v.Name, Type: &kind, ConfigFileVolume: files}, nil
}

// vendorCode is the cloud's own word for an error.
func vendorCode(err error) string {
	if e, ok := errors.AsType[*cloudapi.Error](err); ok {
		return e.VendorCode
	}
	return ""
}
