package kci

import (
	"sort"
	"strconv"
	"strings"
)

// param is one parameter as sent, decoded.
type param struct{ name, value string }

// commonParameters may stand beside an action's own, in the query even of a
// POST. The first ones are Kingsoft's pages on the common parameters of both
// signatures; the last ones are what the Python, PHP, Go and Java SDKs add.
var commonParameters = map[string]bool{
	"Action": true, "Version": true, "DryRun": true, "Format": true,
	"X-Amz-Algorithm": true, "X-Amz-Credential": true, "X-Amz-Date": true,
	"X-Amz-SignedHeaders": true, "X-Amz-Signature": true, "X-Amz-Security-Token": true,
	"Accesskey": true, "Service": true, "Timestamp": true, "SignatureVersion": true,
	"SignatureMethod": true, "Signature": true, "Region": true, "SecurityToken": true,
	"SdkVersion": true, "Language": true, "AccountId": true, "UserId": true, "RoleId": true,
}

// node is a level of the tree that dotted parameter names form: Container.1.Name
// is the child Name of the child 1 of the child Container.
type node struct {
	path     string // as sent
	text     string
	leaf     bool // text was sent
	read     bool // somebody asked for text
	children map[string]*node
}

// newTree builds the tree of an action's own parameters. It fails on names that
// are malformed or that occur twice (KCI document, rules of Filter.N, 1 and 3).
func newTree(params []param) (*node, *apiError) {
	root := &node{}
	for _, p := range params {
		if commonParameters[p.name] {
			continue
		}
		if err := root.insert(p); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (n *node) insert(p param) *apiError {
	parts := strings.Split(p.name, ".")
	if len(parts) > maxDepth {
		return invalidQuery.with(shorten(p.name))
	}
	leaf := n
	for _, part := range parts {
		if part == "" {
			return invalidQuery.with(shorten(p.name))
		}
		leaf = leaf.grow(part)
	}
	if leaf.leaf {
		return invalidQuery.with(shorten(p.name))
	}
	leaf.leaf, leaf.text = true, p.value
	return nil
}

// grow returns the child of that name, made if need be.
func (n *node) grow(name string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	child := n.children[name]
	if child == nil {
		child = &node{path: n.pathOf(name)}
		n.children[name] = child
	}
	return child
}

// pathOf is the full name of a child, whether or not it exists.
func (n *node) pathOf(name string) string {
	if n.path == "" {
		return name
	}
	return n.path + "." + name
}

// child returns the child of that name, or nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	return n.children[name]
}

// unread returns the name of a parameter that nobody asked for, the first in
// alphabetical order, or "".
func (n *node) unread() string {
	if n.leaf && !n.read {
		return n.path
	}
	for _, name := range sortedKeys(n.children) {
		if path := n.children[name].unread(); path != "" {
			return path
		}
	}
	return ""
}

// elements returns the elements of the list below n in the order of their
// indices, which may start at 0 or 1 and have gaps: the KCI document counts from
// 1, the Go and Python SDKs from 0. It fails on a child that is no index.
func (n *node) elements() ([]*node, *apiError) {
	if n == nil {
		return nil, nil
	}
	indices := make([]int, 0, len(n.children))
	for _, key := range sortedKeys(n.children) {
		if !indexPattern.MatchString(key) {
			return nil, invalidQuery.with(shorten(n.children[key].path))
		}
		index, err := strconv.Atoi(key)
		if err != nil {
			return nil, invalidQuery.with(shorten(n.children[key].path))
		}
		indices = append(indices, index)
	}
	sort.Ints(indices)
	elements := make([]*node, len(indices))
	for i, index := range indices {
		elements[i] = n.children[strconv.Itoa(index)]
	}
	return elements, nil
}

func sortedKeys(m map[string]*node) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
