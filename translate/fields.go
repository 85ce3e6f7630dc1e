package translate

import (
	"reflect"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// Fields is the table of all fields of a pod's spec, sorted by path: what
// becomes of each, on which clouds, and why.
func Fields() []Field {
	fields := slices.Clone(table)
	for i := range fields {
		fields[i].Harmless = slices.Clone(fields[i].Harmless)
		fields[i].Hardening = slices.Clone(fields[i].Hardening)
	}
	return fields
}

// table is read only; byPath finds its rows.
var (
	table  = buildTable()
	byPath = indexTable(table)
)

func buildTable() []Field {
	rows := under("spec", podFields())
	rows = append(rows, under("spec.securityContext", podSecurityFields())...)
	rows = append(rows, under("spec.volumes[*]", volumeFields())...)
	rows = append(rows, under("spec.volumes[*].projected", projectionFields())...)
	rows = append(rows, under("spec.containers[*]", containerFields())...)
	rows = append(rows, under("spec.initContainers[*]", initContainerFields())...)
	slices.SortFunc(rows, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return rows
}

func under(prefix string, rows []Field) []Field {
	out := make([]Field, len(rows))
	for i, r := range rows {
		r.Path = prefix + "." + r.Path
		out[i] = r
	}
	return out
}

func indexTable(rows []Field) map[string]Field {
	index := make(map[string]Field, len(rows))
	for _, r := range rows {
		index[r.Path] = r
	}
	return index
}

// able reads the ability of this name.
func able(can cloudapi.Abilities, name string) bool {
	v := reflect.ValueOf(can).FieldByName(name)
	return v.IsValid() && v.Bool()
}

// The row makers keep the tables readable: what rows have in common is said
// once, and their paths follow.

func honoured(paths ...string) []Field { return rows(Field{Decision: DecisionHonoured}, paths) }

// remark makes rows that are honoured, but not at every value.
func remark(reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionHonoured, Reason: reason}, paths)
}

func refused(reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionRefused, Reason: reason}, paths)
}

// refusedBut makes rows that are refused at all but one value.
func refusedBut(harmless, reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionRefused, Harmless: []string{harmless}, Reason: reason}, paths)
}

func ignored(reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionIgnored, Reason: reason}, paths)
}

// parts makes rows whose own parts decide.
func parts(paths ...string) []Field {
	return rows(Field{Decision: DecisionHonoured, Parts: true}, paths)
}

// emulated makes rows whose parts decide besides.
func emulated(reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionEmulated, Parts: true, Reason: reason}, paths)
}

// leaf says that rows have no parts.
func leaf(fields []Field) []Field {
	for i := range fields {
		fields[i].Parts = false
	}
	return fields
}

// by makes rows that are honoured on a cloud with the ability.
func by(ability string, without Decision, reason string, paths ...string) []Field {
	return rows(Field{Decision: DecisionHonoured, Ability: ability, Without: without, Reason: reason}, paths)
}

// needing says which ability the node needs for these rows where the cloud does not
// do it, and why they are refused without.
func needing(ability, lacks string, fields []Field) []Field {
	for i := range fields {
		fields[i].Needs, fields[i].Lacks = ability, lacks
	}
	return fields
}

// withParts says that the parts of these rows have rows of their own.
func withParts(fields []Field) []Field {
	for i := range fields {
		fields[i].Parts = true
	}
	return fields
}

// harmlessAt adds a value at which these rows ask for nothing.
func harmlessAt(value string, fields []Field) []Field {
	for i := range fields {
		fields[i].Harmless = []string{value}
	}
	return fields
}

// unasked says that of these lists what runtimes grant unasked can be left out.
func unasked(fields []Field) []Field {
	for i := range fields {
		fields[i].Unasked = true
	}
	return fields
}

// hardeningAt says at which value these rows only harden a pod.
func hardeningAt(value string, fields []Field) []Field {
	for i := range fields {
		fields[i].Hardening = []string{value}
	}
	return fields
}

func rows(f Field, paths []string) []Field {
	out := make([]Field, len(paths))
	for i, p := range paths {
		out[i] = f
		out[i].Path = p
	}
	return out
}
