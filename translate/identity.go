package translate

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// The names below are how existing groups are recognised. They must not
// change: existing groups would not be recognised any more.

const (
	// ownerLength is how many characters of the owner's hash stand in a
	// name: 50 bits, so that two nodes of one account hardly ever collide.
	ownerLength = 10
	// nameSeparator stands between owner, UID and pod name.
	nameSeparator = "."
	// shortUID is how many characters of the UID make a readable name
	// unique enough for people; the tags decide.
	shortUID = 8
)

// OwnerOf is the mark of a node's groups. On a cloud without tags it has a
// NamePrefix: ten characters, which stand for cluster and node, and a dot.
// It must not change: existing groups would not be recognised any more.
func OwnerOf(cluster, node string, l cloudapi.Limits) cloudapi.Owner {
	owner := cloudapi.Owner{Cluster: cluster, Node: node}
	if !l.Tags {
		owner.NamePrefix = ownerHash(cluster, node) + nameSeparator
	}
	return owner
}

// ownerHash is the start of the lower-case unpadded base32 (RFC 4648) of
// sha256(cluster, NUL, node).
func ownerHash(cluster, node string) string {
	sum := sha256.Sum256([]byte(cluster + "\x00" + node))
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
	return strings.ToLower(text)[:ownerLength]
}

// GroupName is the name of a pod's group. On a cloud with tags it is for
// people: namespace, pod name and the start of the UID, with hyphens. Without
// tags it is the identity: owner, UID and, as far as it fits, the pod's name,
// with dots between them. It must not change: existing groups would not be
// recognised any more.
func GroupName(id cloudapi.Identity, l cloudapi.Limits) string {
	if !l.Tags {
		return identityName(id, l.Name)
	}
	uid := shorten(sanitize(id.PodUID), shortUID)
	readable := sanitize(id.Namespace + "-" + id.PodName)
	if l.Name.Max > 0 {
		readable = shorten(readable, l.Name.Max-len(uid)-1)
	}
	return join("-", readable, uid)
}

func identityName(id cloudapi.Identity, l cloudapi.NameLimits) string {
	name := ownerHash(id.Cluster, id.Node) + nameSeparator + id.PodUID
	pod := sanitize(id.PodName)
	if l.Max > 0 {
		pod = shorten(pod, l.Max-len(name)-len(nameSeparator))
	}
	return join(nameSeparator, name, pod)
}

// sanitize leaves a-z, 0-9 and inner hyphens; everything else becomes a
// hyphen.
func sanitize(s string) string {
	clean := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s))
	return strings.Trim(clean, "-")
}

// shorten cuts to n characters and leaves no hyphen at the end.
func shorten(s string, n int) string {
	if len(s) > n {
		s = s[:max(n, 0)]
	}
	return strings.TrimRight(s, "-")
}

func join(separator string, texts ...string) string {
	var filled []string
	for _, s := range texts {
		if s != "" {
			filled = append(filled, s)
		}
	}
	return strings.Join(filled, separator)
}

// identity is the pod's identity, held against what the cloud can carry.
func (t *translation) identity() cloudapi.Identity {
	id := IdentityOf(t.pod, t.opts.Cluster, t.opts.Node)
	meta := field.NewPath("metadata")
	if sanitize(id.PodUID) == "" {
		t.refusef(meta.Child("uid"), "the pod has no uid, by which its group is known")
		return id
	}
	if t.limits.Tags {
		for _, tag := range []struct{ field, value string }{{"name", id.PodName}, {"namespace", id.Namespace}, {"uid", id.PodUID}} {
			t.atMost(meta.Child(tag.field), t.limits.MaxTagValue, utf8.RuneCountInString(tag.value), "characters for the tags of the group")
		}
		return id
	}
	if room := t.limits.Name.Max - ownerLength - len(nameSeparator); t.limits.Name.Max > 0 && len(id.PodUID) > room {
		t.refusef(meta.Child("uid"), "%d characters; the name of the group has room for %d", len(id.PodUID), room)
	}
	if id.PodUID != sanitize(id.PodUID) {
		t.refusef(meta.Child("uid"), "it must be made of a-z, 0-9 and hyphens to stand in the name of the group")
	}
	return id
}

// IdentityOf ties a pod to its node and cluster.
func IdentityOf(pod *corev1.Pod, cluster, node string) cloudapi.Identity {
	return cloudapi.Identity{
		Cluster:   cluster,
		Node:      node,
		Namespace: pod.Namespace,
		PodName:   pod.Name,
		PodUID:    string(pod.UID),
	}
}
