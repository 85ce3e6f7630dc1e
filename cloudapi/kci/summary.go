package kci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cumulet/cumulet/cloudapi"
)

// summarize wraps a group for a sweep.
func summarize(group cloudapi.Group) (cloudapi.Summary, error) {
	revision, err := revisionOf(group)
	return cloudapi.Summary{
		ID: group.ID, Name: group.Name, Status: group.Status,
		Revision: revision, Group: &group,
	}, err
}

// revisionOf is a digest over all that a poller sees of a group. KCI has no
// version or time of change of its own.
func revisionOf(group cloudapi.Group) (string, error) {
	text, err := json.Marshal(group)
	if err != nil {
		return "", fmt.Errorf("digesting group %s: %w", group.ID, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
