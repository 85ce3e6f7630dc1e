package eci

import (
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/redact"
)

// Request is the request by which Create asks a region for a group. It is pure,
// and drops nothing: what the cloud has no parameter for is an error of code
// Unsupported or Invalid that names the field of the spec. An empty token asks
// without idempotency.
func Request(spec cloudapi.GroupSpec, region, token string) (cloudapi.Request, error) {
	request, err := createRequest(spec, region, token)
	if err != nil {
		return cloudapi.Request{}, err
	}
	parameters := map[string]string{}
	for name, value := range openapiutil.Query(request) {
		if value != nil {
			parameters[name] = *value
		}
	}
	r := cloudapi.NewRequest(opCreate, apiVersion, parameters,
		redact.Parameters(spec, "ConfigFileToPath"), redact.Encoded(redact.Values(spec)))
	r.Headers = []cloudapi.Header{{Name: "x-acs-action", Value: opCreate}, {Name: "x-acs-version", Value: apiVersion}}
	return r, nil
}

// parametersOf are a request's parameters as a call takes them.
func parametersOf(request cloudapi.Request) map[string]*string {
	out := make(map[string]*string, len(request.Parameters))
	for _, p := range request.Parameters {
		out[p.Name] = &p.Value
	}
	return out
}
