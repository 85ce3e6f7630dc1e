package translate

import (
	"slices"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// OptionPrefix begins the annotations by which a pod asks for options.
const OptionPrefix = "cumulet.dev/"

// Option is a row of the vocabulary: what can be asked of a cloud beyond what
// Kubernetes has fields for, by an annotation of the pod or as a default of the
// node.
type Option struct {
	// Name is the option's name, without OptionPrefix.
	Name string
	// Meaning is what it does, Value what a value looks like, with Example.
	Meaning, Value, Example string
	// Guarded says that it gives power: a pod may have it only where a rule
	// allows the value, see OptionRule.
	Guarded bool

	parse parser
}

// parser reads an option's value, within what a cloud takes of it. The fault,
// if there is one, says what the value must be.
type parser func(text string, take cloudapi.OptionLimits) (s setting, fault string)

// setting is a value that has been read.
type setting struct {
	// items are the value, or the elements of a list, each in one spelling: what
	// the policy is asked about and what tells two values apart.
	items []string
	// apply writes it into a group.
	apply func(*cloudapi.GroupSpec)
	// declines says that the value asks for nothing, such as false.
	declines bool
}

// optionTable is the vocabulary, sorted by name; it is read only.
var optionTable = buildOptions()

// OptionTable is the vocabulary, sorted by name.
func OptionTable() []Option { return slices.Clone(optionTable) }

func buildOptions() []Option {
	rows := slices.Concat(machineOptions(), spotOptions(), addressOptions(), networkOptions(),
		imageOptions(), accountOptions(), systemOptions())
	slices.SortFunc(rows, func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// optionNamed finds a row.
func optionNamed(name string) (*Option, bool) {
	i, found := slices.BinarySearchFunc(optionTable, name, func(o Option, n string) int { return strings.Compare(o.Name, n) })
	if !found {
		return nil, false
	}
	return &optionTable[i], true
}

// guarded marks rows that give power.
func guarded(rows ...Option) []Option {
	for i := range rows {
		rows[i].Guarded = true
	}
	return rows
}
