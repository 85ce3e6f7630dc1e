package translate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// dockerHub is the key under which credentials for Docker Hub are kept, and
// dockerHubHost the registry that an image without one comes from.
const (
	dockerHub     = "index.docker.io"
	dockerHubHost = "docker.io"
)

// registryKey is one credential as a pull secret holds it: for a registry, or
// for a path in it.
type registryKey struct {
	key    string // host[:port][/path]; the host may hold *
	secret string
	cred   cloudapi.PullCredential
}

// pullCredentials picks, for each registry that an image of the pod comes
// from, the credential that a kubelet would try first. Nothing that no image
// needs is handed to the cloud.
func (t *translation) pullCredentials() []cloudapi.PullCredential {
	at := field.NewPath("spec", "imagePullSecrets")
	keys := t.registryKeys(at)
	chosen := map[string]registryKey{}
	for _, image := range images(t.pod) {
		matches := t.whole(matching(keys, image), image, at)
		if len(matches) == 0 {
			continue
		}
		first := matches[0]
		server := first.server(image)
		before, seen := chosen[server]
		if seen && before.cred != first.cred {
			t.refusef(at, "images of the pod need different credentials for %s, from %s and %s; the cloud takes one for each registry",
				server, before.describe(), first.describe())
			continue
		}
		chosen[server] = first
		for _, other := range matches[1:] {
			if other.cred != first.cred {
				t.notef(at, DecisionIgnored, "the credential of %s for %s: the cloud takes one for each registry, and that of %s comes first",
					other.describe(), image, first.describe())
			}
		}
	}
	var out []cloudapi.PullCredential
	for _, server := range sortedKeys(chosen) {
		cred := chosen[server].cred
		cred.Server = server
		out = append(out, cred)
	}
	t.atMost(at, t.limits.MaxCredentials, len(out), "registries with credentials")
	return out
}

// whole leaves out the credentials that the clouds do not take: they want a user
// name and a password.
func (t *translation) whole(keys []registryKey, image string, at *field.Path) []registryKey {
	var out []registryKey
	for _, k := range keys {
		if k.cred.Username != "" && k.cred.Password != "" {
			out = append(out, k)
			continue
		}
		t.notef(at, DecisionIgnored, "the credential of %s for %s: the cloud takes a user name together with a password", k.describe(), image)
	}
	return out
}

// describe names a credential by its secret and key, never by its content.
func (k registryKey) describe() string { return fmt.Sprintf("secret %q, entry %q", k.secret, k.key) }

// server is the registry that the cloud is told: the key's host, or the
// image's where the key has a wildcard.
func (k registryKey) server(image string) string {
	host, _, _ := strings.Cut(k.key, "/")
	if strings.ContainsAny(host, "*?[") {
		host, _, _ = strings.Cut(image, "/")
	}
	return host
}

// registryKeys reads the pod's pull secrets, most specific keys first and for
// equal keys in the order of the secrets. A secret that is missing or cannot
// be read is told as an event: a kubelet goes on without it.
func (t *translation) registryKeys(at *field.Path) []registryKey {
	var keys []registryKey
	var failed []string
	for i, ref := range t.pod.Spec.ImagePullSecrets {
		if ref.Name == "" {
			continue
		}
		found, ok := readPullSecret(t.refs.Secrets[ref.Name])
		if !ok {
			failed = append(failed, ref.Name)
			t.notef(at.Index(i), DecisionIgnored, "the secret is missing or cannot be read; images may fail to be pulled")
		}
		keys = append(keys, found...)
	}
	if len(failed) > 0 {
		t.eventf(EventPullSecret, "Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.",
			strings.Join(failed, ", "))
	}
	slices.SortStableFunc(keys, func(a, b registryKey) int { return strings.Compare(b.key, a.key) })
	return keys
}

// dockerEntry is one entry of a docker configuration; Auth is the base64 form
// of username:password and wins.
type dockerEntry struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Auth     string `json:"auth"`
}

// readPullSecret reads a secret of either docker type. A secret of another
// type holds no credentials and is no error, as for a kubelet.
func readPullSecret(s *corev1.Secret) (keys []registryKey, ok bool) {
	if s == nil {
		return nil, false
	}
	var entries map[string]dockerEntry
	var err error
	switch s.Type {
	case corev1.SecretTypeDockerConfigJson:
		var config struct {
			Auths map[string]dockerEntry `json:"auths"`
		}
		err = unmarshalUnlessEmpty(s.Data[corev1.DockerConfigJsonKey], &config)
		entries = config.Auths
	case corev1.SecretTypeDockercfg:
		err = unmarshalUnlessEmpty(s.Data[corev1.DockerConfigKey], &entries)
	default:
	}
	if err != nil {
		return nil, false
	}
	for _, location := range sortedKeys(entries) {
		key, known := canonicalKey(location)
		cred, valid := entries[location].credential()
		if !known {
			continue // a kubelet passes over locations that are no address
		}
		if !valid {
			return nil, false
		}
		if cred == (cloudapi.PullCredential{}) {
			continue // a kubelet pulls with it as nobody, as without it
		}
		keys = append(keys, registryKey{key: key, secret: s.Name, cred: cred})
	}
	return keys, true
}

func unmarshalUnlessEmpty(data []byte, into any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, into)
}

func (e dockerEntry) credential() (cloudapi.PullCredential, bool) {
	if e.Auth == "" {
		return cloudapi.PullCredential{Username: e.Username, Password: e.Password}, true
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(e.Auth), "="))
	if err != nil {
		return cloudapi.PullCredential{}, false
	}
	user, password, ok := strings.Cut(string(decoded), ":")
	return cloudapi.PullCredential{Username: user, Password: password}, ok
}

// canonicalKey strips scheme, API version and a bare slash from a location.
func canonicalKey(location string) (string, bool) {
	if !strings.HasPrefix(location, "https://") && !strings.HasPrefix(location, "http://") {
		location = "https://" + location
	}
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "", false
	}
	p := u.Path
	if strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/v2/") {
		p = p[len("/v1"):]
	}
	if p == "/" {
		p = ""
	}
	return u.Host + p, true
}

// images lists the pod's images once each, with their registry spelt out.
func images(pod *corev1.Pod) []string {
	var out []string
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if image := fullImage(list[i].Image); !slices.Contains(out, image) {
				out = append(out, image)
			}
		}
	}
	return out
}

// fullImage puts the registry before an image that names none. The first part
// of a name is a registry only if it has a dot or a port, or is localhost.
func fullImage(image string) string {
	host, _, found := strings.Cut(image, "/")
	switch {
	case !found:
		return dockerHubHost + "/library/" + image
	case strings.ContainsAny(host, ".:") || host == "localhost":
		return image
	}
	return dockerHubHost + "/" + image
}

// matching are the keys for an image in order; those of Docker Hub count only
// if no other key fits.
func matching(keys []registryKey, image string) []registryKey {
	var fit, hub []registryKey
	host, _, _ := strings.Cut(image, "/")
	for _, k := range keys {
		if keyMatches(k.key, image) {
			fit = append(fit, k)
		} else if k.key == dockerHub && (host == dockerHubHost || host == dockerHub) {
			hub = append(hub, k)
		}
	}
	if len(fit) > 0 {
		return fit
	}
	return hub
}

// keyMatches tells whether a key covers an image: equal port, host equal label
// by label with wildcards, and the key's path a prefix.
func keyMatches(key, image string) bool {
	keyHost, keyPath, _ := strings.Cut(key, "/")
	imageHost, imagePath, _ := strings.Cut(image, "/")
	keyName, keyPort := splitPort(keyHost)
	imageName, imagePort := splitPort(imageHost)
	keyLabels, imageLabels := strings.Split(keyName, "."), strings.Split(imageName, ".")
	if keyPort != imagePort || len(keyLabels) != len(imageLabels) || !strings.HasPrefix(imagePath, keyPath) {
		return false
	}
	for i := range keyLabels {
		if ok, err := path.Match(keyLabels[i], imageLabels[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

func splitPort(hostport string) (host, port string) {
	if h, p, err := net.SplitHostPort(hostport); err == nil {
		return h, p
	}
	return hostport, ""
}
