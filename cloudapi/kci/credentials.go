package kci

import "github.com/cumulet/cumulet/cloudapi/internal/credential"

// FixedKey hands out one access key for ever; token is empty unless the key is
// temporary.
func FixedKey(id, secret, token string) (credential.Source, error) {
	return credential.Static(credential.AccessKey{ID: id, Secret: secret, Token: token})
}

// KeyFile hands out the key in a YAML or JSON file with accessKeyId,
// accessKeySecret and securityToken, or in a directory with a file of each
// name. It is read again when it changes.
func KeyFile(path string) (credential.Source, error) {
	return credential.FromFile(path)
}
