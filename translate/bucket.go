package translate

import (
	"path"
	"strings"
	"unicode"

	"github.com/cumulet/cumulet/cloudapi"
)

// The keys of the Secret that holds the credentials of a bucket
// (alibaba-cloud-csi-driver docs/oss.md); the same names are attributes where
// the credentials stand in the volume itself.
const (
	keyAccessKeyID     = "akId"
	keyAccessKeySecret = "akSecret"
)

// optionRAMRole is the guarded option of a group's RAM role. A pod that names
// the role by which a bucket is mounted asks for the same power.
const optionRAMRole = "ram-role"

// bucket translates object storage. The attributes are bucket, url, path and
// otherOpts, which are the mount program's, and ramRole or credentials.
func (t *translation) bucket(s *stored) (cloudapi.Volume, bool) {
	if !t.limits.Can.Buckets {
		t.rejectf(s, "the cloud mounts no object storage")
		return cloudapi.Volume{}, false
	}
	if !t.plainMount(s) {
		return cloudapi.Volume{}, false
	}
	a := s.attributes
	b := &cloudapi.Bucket{
		Name: a.take("bucket"), Endpoint: a.take("url"), Path: path.Join("/", a.take("path")),
		Options: a.take("otherOpts"), RAMRole: a.take("ramRole"), ReadOnly: s.readOnly,
		AccessKeyID: a.take(keyAccessKeyID), AccessKeySecret: a.take(keyAccessKeySecret),
	}
	told := len(t.refusals)
	if b.Name == "" || b.Endpoint == "" {
		t.rejectf(s, "it needs a bucket and a url")
	}
	// ossfs is what ECI mounts by; ossfs2 takes other options.
	if kind := a.take("fuseType"); kind != "" && kind != "ossfs" {
		t.rejectf(s, "fuseType %q: the cloud mounts by ossfs", kind)
	}
	t.oneWordEach(s, b)
	if !t.credentials(s, b) {
		return cloudapi.Volume{}, false
	}
	return cloudapi.Volume{Name: s.name, Bucket: b}, len(t.refusals) == told
}

// oneWordEach keeps a pod's words from becoming options of the mount program,
// one of which names a RAM role.
func (t *translation) oneWordEach(s *stored, b *cloudapi.Bucket) {
	if !s.inPod {
		return
	}
	for _, word := range []struct{ name, value string }{{"bucket", b.Name}, {"url", b.Endpoint}, {"path", b.Path}} {
		if strings.ContainsFunc(word.value, unicode.IsSpace) {
			t.rejectf(s, "%s must have no spaces", word.name)
		}
	}
	if strings.Contains(b.Options, "ram_role") {
		t.rejectf(s, "otherOpts: a role is named by ramRole, not by ram_role")
	}
}

// credentials settles by whose right the bucket is read.
func (t *translation) credentials(s *stored, b *cloudapi.Bucket) bool {
	if b.RAMRole != "" {
		b.AccessKeyID, b.AccessKeySecret = "", ""
		if reason := t.allowed(optionRAMRole, b.RAMRole); s.inPod && reason != "" {
			t.rejectf(s, "ramRole: %s", reason)
			return false
		}
		return true
	}
	if s.secret.Name != "" {
		return t.secretCredentials(s, b)
	}
	if b.AccessKeyID == "" || b.AccessKeySecret == "" {
		t.rejectf(s, "it needs ramRole, or a Secret with %s and %s", keyAccessKeyID, keyAccessKeySecret)
		return false
	}
	return true
}

// secretCredentials reads the access key from the volume's Secret, which a
// PersistentVolume may have in any namespace.
func (t *translation) secretCredentials(s *stored, b *cloudapi.Bucket) bool {
	where := MissingReference{Kind: KindSecret, Namespace: s.secret.Namespace, Name: s.secret.Name, Volume: s.name}
	secret := t.refs.VolumeSecrets[s.secret]
	if s.inPod {
		secret = t.refs.Secrets[s.secret.Name]
	}
	if secret == nil {
		t.miss(where)
		return false
	}
	for key, value := range map[string]*string{keyAccessKeyID: &b.AccessKeyID, keyAccessKeySecret: &b.AccessKeySecret} {
		*value = string(secret.Data[key])
	}
	for _, key := range []string{keyAccessKeyID, keyAccessKeySecret} {
		if len(secret.Data[key]) == 0 {
			where.Key = key
			t.miss(where)
			return false
		}
	}
	return true
}
