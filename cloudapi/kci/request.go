package kci

import (
	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/redact"
)

// Request is the request by which Create asks for a group. It is pure, and
// drops nothing: what the dialect has no word for is an error of code
// Unsupported or Invalid that names every such field of the spec.
func Request(spec cloudapi.GroupSpec, dialect Dialect) (cloudapi.Request, error) {
	f, err := createForm(spec, dialect)
	if err != nil {
		return cloudapi.Request{}, err
	}
	files := "ConfigFileToPath"
	if dialect == Seed {
		files = "ConfigFilePath"
	}
	parameters := map[string]string{"Action": actionCreate, "Version": version}
	for name := range f.values {
		parameters[name] = f.values.Get(name)
	}
	return cloudapi.NewRequest(actionCreate, version, parameters,
		redact.Parameters(spec, files), redact.Encoded(redact.Values(spec))), nil
}
