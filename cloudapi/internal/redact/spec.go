package redact

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/cumulet/cumulet/cloudapi"
)

// Parameters are the names of the parameters of a create request that hold
// secrets: passwords of registries, values of variables and contents of files
// that came from Secrets. The two clouds spell them alike but for the list of
// a volume's files, which is given.
func Parameters(s cloudapi.GroupSpec, fileList string) []string {
	var names []string
	for i := range s.PullCredentials {
		names = append(names, fmt.Sprintf("ImageRegistryCredential.%d.Password", i+1))
	}
	names = append(names, variables("InitContainer", s.InitContainers)...)
	names = append(names, variables("Container", s.Containers)...)
	for i, v := range s.Volumes {
		if v.Files == nil {
			continue
		}
		for j, f := range v.Files.Items {
			if f.Secret {
				names = append(names, fmt.Sprintf("Volume.%d.ConfigFileVolume.%s.%d.Content", i+1, fileList, j+1))
			}
		}
	}
	return names
}

func variables(list string, containers []cloudapi.Container) []string {
	var names []string
	for i, c := range containers {
		for j, env := range c.Env {
			if env.Secret {
				names = append(names, fmt.Sprintf("%s.%d.EnvironmentVar.%d.Value", list, i+1, j+1))
			}
		}
	}
	return names
}

// Values are the secrets that Parameters tells of, and the keys of buckets.
func Values(s cloudapi.GroupSpec) []string {
	var values []string
	for _, c := range s.PullCredentials {
		values = append(values, c.Password)
	}
	for _, c := range slices.Concat(s.InitContainers, s.Containers) {
		for _, env := range c.Env {
			if env.Secret {
				values = append(values, env.Value)
			}
		}
	}
	for _, v := range s.Volumes {
		if v.Bucket != nil {
			values = append(values, v.Bucket.AccessKeySecret)
		}
		if v.Files == nil {
			continue
		}
		for _, f := range v.Files.Items {
			if f.Secret {
				values = append(values, string(f.Content))
			}
		}
	}
	return values
}

// Encoded are secrets as they are and in Base64, in which files are sent.
func Encoded(secrets []string) []string {
	out := slices.Clone(secrets)
	for _, s := range secrets {
		out = append(out, base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return out
}
