package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// loginInfix ends the names of the secrets with logins to registries.
const loginInfix = "-logins"

// dockerConfig is the content of a kubernetes.io/dockerconfigjson secret.
type dockerConfig struct {
	Auths map[string]dockerLogin `json:"auths"`
}

type dockerLogin struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Auth     string `json:"auth"`
}

// logins are the secrets with the group's logins to registries: one, or several
// if there are several logins to one registry, all of which a kubelet then tries.
func (b *builder) logins(id, pod string, credentials []engine.PullCredential) ([]*corev1.Secret, error) {
	var configs []dockerConfig
	times := map[string]int{}
	for _, c := range credentials {
		server := serverKey(c.Server)
		n := times[server]
		times[server]++
		if n == len(configs) {
			configs = append(configs, dockerConfig{Auths: map[string]dockerLogin{}})
		}
		configs[n].Auths[server] = dockerLogin{
			Username: c.Username, Password: c.Password,
			Auth: base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password)),
		}
	}
	var secrets []*corev1.Secret
	for i, config := range configs {
		content, err := json.Marshal(config)
		if err != nil {
			return nil, fmt.Errorf("encoding the logins to registries: %w", err)
		}
		secret := b.secret(id, pod+loginInfix+strconv.Itoa(i+1))
		secret.Type = corev1.SecretTypeDockerConfigJson
		secret.Data[corev1.DockerConfigJsonKey] = content
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// dockerHub is the key under which a kubelet finds logins to Docker Hub.
const dockerHub = "https://index.docker.io/v1/"

// serverKey is a server as a kubelet looks it up.
func serverKey(server string) string {
	switch strings.TrimSuffix(server, "/") {
	case "docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return dockerHub
	default:
		return server
	}
}
