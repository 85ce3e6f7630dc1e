package eci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/cumulet/cumulet/cloudapi"
)

// toSummary reads one item of the status sweep; pure.
func toSummary(w wireStatusItem) cloudapi.Summary {
	return cloudapi.Summary{
		ID:       string(w.ContainerGroupID),
		Name:     string(w.Name),
		Status:   statusOf(w.Status),
		Revision: revision(w),
		ImageIDs: imageIDs(w),
	}
}

// imageIDs are what DescribeContainerGroups does not tell.
func imageIDs(w wireStatusItem) map[string]string {
	var ids map[string]string
	for i := range w.PodStatus.ContainerStatuses {
		status := &w.PodStatus.ContainerStatuses[i]
		if status.ImageID == "" {
			continue
		}
		if ids == nil {
			ids = map[string]string{}
		}
		ids[string(status.Name)] = string(status.ImageID)
	}
	return ids
}

// revision digests what a sweep tells of a group. The times of conditions are
// not decoded and so not in it: they may move without anything to tell.
// Init containers and events are not in it either, for the sweep has none.
func revision(w wireStatusItem) string {
	// Encoding cannot fail: the struct holds strings, booleans and lists.
	data, err := json.Marshal(w)
	if err != nil {
		data = []byte(err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// MarshalJSON writes the boolean, so that digests see it.
func (f boolean) MarshalJSON() ([]byte, error) { return json.Marshal(f.value) }
