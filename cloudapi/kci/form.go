package kci

import (
	"encoding/base64"
	"maps"
	"net/url"
	"strconv"

	"github.com/cumulet/cumulet/cloudapi"
)

// version is the API's version, sent with every action.
const version = "2020-07-02"

// form collects the parameters of one request. Each name is set once, and they
// are encoded in the order of their names, so equal requests have equal bodies.
type form struct {
	values url.Values
	// path is put before every name.
	path string
}

func newForm() form { return form{values: url.Values{}} }

// in is the form of a nested structure.
func (f form) in(name string) form {
	return form{values: f.values, path: f.path + name + "."}
}

// at is the form of an element of a list of structures. index counts from 0;
// the wire counts from 1 (document, "Filter.N和ID.N规则").
func (f form) at(list string, index int) form {
	return f.in(list + "." + strconv.Itoa(index+1))
}

// set states a text, be it empty.
func (f form) set(name, value string) { f.values.Set(f.path+name, value) }

// text states a text unless it is empty.
func (f form) text(name, value string) {
	if value != "" {
		f.set(name, value)
	}
}

// list states a list of texts, empty ones included.
func (f form) list(name string, values []string) {
	for i, value := range values {
		f.set(name+"."+strconv.Itoa(i+1), value)
	}
}

func (f form) int(name string, value int) { f.set(name, strconv.Itoa(value)) }

func (f form) flag(name string, value bool) { f.set(name, strconv.FormatBool(value)) }

// float states a number as the shortest decimal without exponent.
func (f form) float(name string, value float64) {
	f.set(name, strconv.FormatFloat(value, 'f', -1, 64))
}

// encode is the request's body for an action.
func (f form) encode(action string) string {
	all := make(url.Values, len(f.values)+2)
	maps.Copy(all, f.values)
	all.Set("Action", action)
	all.Set("Version", version)
	return all.Encode()
}

// secretsOf lists what of a spec must appear in no error, whatever the cloud
// quotes: passwords, values from Secrets, and files, which may be from Secrets.
func secretsOf(spec cloudapi.GroupSpec) []string {
	var secrets []string
	for _, credential := range spec.PullCredentials {
		secrets = append(secrets, credential.Password)
	}
	for _, containers := range [][]cloudapi.Container{spec.InitContainers, spec.Containers} {
		for _, container := range containers {
			for _, env := range container.Env {
				if env.Secret {
					secrets = append(secrets, env.Value)
				}
			}
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Files == nil {
			continue
		}
		for _, file := range volume.Files.Items {
			secrets = append(secrets, string(file.Content), base64.StdEncoding.EncodeToString(file.Content))
		}
	}
	return secrets
}
