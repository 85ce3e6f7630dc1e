package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/cumulet/cumulet/internal/controlplane/process"
)

// Clouds is what cloud-emulator writes of itself.
type Clouds struct {
	ECI   Cloud `json:"eci"`
	KCI   Cloud `json:"kci"`
	Admin Admin `json:"admin"`
}

// Cloud is one emulated cloud with the key to it.
type Cloud struct {
	Endpoint        string `json:"endpoint"`
	Region          string `json:"region"`
	AccessKeyID     string `json:"accessKeyId"`
	AccessKeySecret string `json:"accessKeySecret"`
}

// Admin is the port at which people and tests look behind the clouds.
type Admin struct {
	Endpoint string `json:"endpoint"`
}

// Group is a container group that exists or existed, as the admin port tells.
type Group struct {
	Cloud     string    `json:"cloud"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	// EndedAt is when compute was freed; DeletedAt when it left the API.
	EndedAt   *time.Time `json:"endedAt"`
	DeletedAt *time.Time `json:"deletedAt"`
}

const (
	startTimeout = 30 * time.Second
	poll         = 50 * time.Millisecond
	adminTimeout = 10 * time.Second
)

// waitForClouds reads the file once the emulator has written it.
func waitForClouds(ctx context.Context, path string, p *process.Process) (Clouds, error) {
	var clouds Clouds
	written := func(context.Context) (bool, error) {
		if err := p.EndError(); err != nil {
			return false, err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("reading clouds' addresses: %w", err)
		}
		return true, json.Unmarshal(data, &clouds)
	}
	if err := wait.PollUntilContextTimeout(ctx, poll, startTimeout, true, written); err != nil {
		return clouds, fmt.Errorf("waiting for the clouds: %w", err)
	}
	return clouds, nil
}

// Groups asks the admin port which groups exist and existed.
func (c Clouds) Groups(ctx context.Context) ([]Group, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Admin.Endpoint+"/groups", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for groups: %w", err)
	}
	client := http.Client{Timeout: adminTimeout}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking for groups: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for groups: %s", answer.Status)
	}
	var groups []Group
	if err := json.NewDecoder(answer.Body).Decode(&groups); err != nil {
		return nil, fmt.Errorf("reading groups: %w", err)
	}
	return groups, nil
}

// Alive are the groups of one cloud that have not left its API.
func (c Clouds) Alive(ctx context.Context, cloud string) ([]Group, error) {
	all, err := c.Groups(ctx)
	var alive []Group
	for _, g := range all {
		if g.Cloud == cloud && g.DeletedAt == nil {
			alive = append(alive, g)
		}
	}
	return alive, err
}
