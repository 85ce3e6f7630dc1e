package eci

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The decoder reads parameters flattened by the gateway's rule, such as
// Container.1.EnvironmentVar.2.Key, into a struct whose fields carry these tags:
//
//	wire:"Name"      the parameter's name
//	prefix:"Name"    a struct whose parameters begin with Name, without a dot
//	only:"create"    known to that action alone (create or update)
//	req:"create"     must be given (create, update or all)
//	max:"41/21"      greatest number of list items at create/update; one number for both
//	len:"1-255"      characters of a string, or of each string of a list
//	range:"0-1000"   numbers; an end may be left out
//	enum:"A,B"       the words allowed
//
// Fields are strings, pointers to bool, int32, int64 and float64 (nil: absent),
// structs, pointers to structs (nil: nothing below it is given), and slices of
// strings or structs. Parameters that no field names are ignored, as the gateway
// does. An empty value counts as absent, except as an item of a list of strings.

// mode is the action in whose words a request is read, where Create and Update
// share a struct but not every parameter.
type mode string

const (
	modeCreate mode = "create"
	modeUpdate mode = "update"
)

// deepest is how many dots a parameter name may have; no action has more than 5.
const deepest = 8

// node is one place in the tree that the dots of parameter names span.
type node struct {
	value    string
	children map[string]*node
}

func newTree(params map[string]string) *node {
	root := &node{}
	for name, value := range params {
		if strings.Count(name, ".") > deepest {
			continue
		}
		at := root
		for part := range strings.SplitSeq(name, ".") {
			at = at.grow(part)
		}
		at.value = value
	}
	return root
}

func (n *node) grow(name string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	if n.children[name] == nil {
		n.children[name] = &node{}
	}
	return n.children[name]
}

// child is the node of that name, or an empty one.
func (n *node) child(name string) *node {
	if c := n.children[name]; c != nil {
		return c
	}
	return &node{}
}

// items are the children numbered 1, 2, …, in order.
func (n *node) items() []*node {
	var numbers []int
	for name := range n.children {
		if i, err := strconv.Atoi(name); err == nil && i > 0 && strconv.Itoa(i) == name {
			numbers = append(numbers, i)
		}
	}
	slices.Sort(numbers)
	items := make([]*node, len(numbers))
	for i, number := range numbers {
		items[i] = n.children[strconv.Itoa(number)]
	}
	return items
}

// decode fills dst, a pointer to a struct.
func decode(params map[string]string, m mode, dst any) error {
	return decoder{m}.structure(newTree(params), reflect.ValueOf(dst).Elem(), "", "")
}

type decoder struct{ mode mode }

// structure fills the fields of v from n's children. path names n in messages;
// prefix stands before each parameter's name.
func (d decoder) structure(n *node, v reflect.Value, path, prefix string) error {
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag
		if only := tag.Get("only"); only != "" && only != string(d.mode) {
			continue
		}
		var err error
		switch name := tag.Get("wire"); {
		case v.Type().Field(i).Anonymous:
			err = d.structure(n, field, path, prefix)
		case tag.Get("prefix") != "":
			err = d.structure(n, field, path, prefix+tag.Get("prefix"))
		case name != "":
			name = prefix + name
			err = d.parameter(n.child(name), field, tag, path+name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parameter fills one field and holds it to its tag.
func (d decoder) parameter(n *node, v reflect.Value, tag reflect.StructTag, path string) error {
	req := tag.Get("req")
	required := req == "all" || req == string(d.mode)
	switch {
	case v.Kind() == reflect.Slice:
		if err := d.list(n, v, tag, path); err != nil {
			return err
		}
		if required && v.Len() == 0 {
			return missing(path + ".1")
		}
		return nil
	case v.Kind() == reflect.Struct:
		return d.structure(n, v, path+".", "")
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		if len(n.children) == 0 {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return d.structure(n, v.Elem(), path+".", "")
	case n.value != "":
		return d.scalar(n.value, v, tag, path)
	case required:
		return missing(path)
	default:
		return nil
	}
}

func missing(path string) error {
	return fail(codeMissingParameter, "The parameter %s is required.", path)
}

// list fills a slice of strings or structs.
func (d decoder) list(n *node, v reflect.Value, tag reflect.StructTag, path string) error {
	items := n.items()
	if most := d.most(tag.Get("max")); most > 0 && len(items) > most {
		return fail(codeValueExceeded, "The parameter %s has %d items; at most %d are allowed.",
			path, len(items), most)
	}
	for i, item := range items {
		at := fmt.Sprintf("%s.%d", path, i+1)
		element := reflect.New(v.Type().Elem()).Elem()
		var err error
		if element.Kind() == reflect.Struct {
			err = d.structure(item, element, at+".", "")
		} else {
			err = d.scalar(item.value, element, tag, at)
		}
		if err != nil {
			return err
		}
		v.Set(reflect.Append(v, element))
	}
	return nil
}

// most reads a max tag for this mode.
func (d decoder) most(tag string) int {
	create, update, two := strings.Cut(tag, "/")
	if two && d.mode == modeUpdate {
		create = update
	}
	most, err := strconv.Atoi(create)
	if err != nil {
		return 0 // no tag: no limit
	}
	return most
}

// scalar parses one value into v, a string or a pointer to a number or bool.
func (d decoder) scalar(text string, v reflect.Value, tag reflect.StructTag, path string) error {
	if v.Kind() == reflect.String {
		v.SetString(text)
		return checkText(text, tag, path)
	}
	kind := v.Type().Elem().Kind()
	parsed := reflect.New(v.Type().Elem())
	v.Set(parsed)
	var number float64
	switch kind {
	case reflect.Bool:
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return wrong(path, text, "true or false")
		}
		parsed.Elem().SetBool(strings.EqualFold(text, "true"))
		return checkText(strings.ToLower(text), tag, path)
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, v.Type().Elem().Bits())
		if err != nil {
			return wrong(path, text, "an integer of "+strconv.Itoa(v.Type().Elem().Bits())+" bits")
		}
		parsed.Elem().SetInt(i)
		number = float64(i)
	default:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrong(path, text, "a number")
		}
		parsed.Elem().SetFloat(f)
		number = f
	}
	if limits := tag.Get("range"); !within(number, limits) {
		return wrong(path, text, "in the range "+limits)
	}
	return nil
}

// wrong refuses a value that is no secret: a number, a switch or a word.
func wrong(path, value, want string) error {
	if len(value) > 64 {
		value = value[:64] + "…"
	}
	return fail(codeInvalidParameter, "The parameter %s is %q; it must be %s.", path, value, want)
}

// checkText holds a string to its enum and len tags.
func checkText(text string, tag reflect.StructTag, path string) error {
	if words := tag.Get("enum"); words != "" && !slices.Contains(strings.Split(words, ","), text) {
		return wrong(path, text, "one of "+words)
	}
	characters := utf8.RuneCountInString(text)
	if limits := tag.Get("len"); !within(float64(characters), limits) {
		return fail(codeLengthExceeded, "The parameter %s has %d characters; %s are allowed.",
			path, characters, limits)
	}
	return nil
}

// within tells whether x lies in "low-high", either of which may be left out.
func within(x float64, limits string) bool {
	low, high, ok := strings.Cut(limits, "-")
	if !ok {
		return true
	}
	if l, err := strconv.ParseFloat(low, 64); err == nil && x < l {
		return false
	}
	h, err := strconv.ParseFloat(high, 64)
	return err != nil || x <= h
}
