package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	"github.com/cumulet/cumulet/cloudapi/kci"
)

const limitsHead = `# Limits of the clouds

<!-- Written by ` + "`go test ./cmd/cumulet -run TestLimitsPage -update`" + ` from the clouds' limits. -->

What a pod may have at most. A pod with more is refused, with the field's path, the number and the bound. The numbers are those of the
clouds' documents, each with its source in ` + "`cloudapi/eci/limits.go`" + ` and ` + "`cloudapi/kci/limits.go`" + `; – stands for no known bound, in
which case the cloud has the last word. What an account may have in all (groups, cores, calls per second) is the cloud's to say.

| | ECI | KCI, dialect extended | KCI, dialect seed |
|---|---|---|---|
`

const limitsRest = `
Every group on ECI has %d GiB of disk for images, logs and scratch space; more is asked for by requests of ephemeral-storage or the
annotation ` + "`cumulet.dev/ephemeral-storage`" + `, and paid for. The ports %s there are those of the cloud's own agent: no
container can listen on them.
`

const limitsSizes = `
## Sizes

A group is as large as its containers ask for together (limits, else requests), or as an init container if one asks for more, rounded
up to the smallest size below that holds both. That size is what is billed. A pod that asks for nothing gets %s on ECI
and %s on KCI. Another size, or an instance type by the cloud's own name, is asked for by the annotations
` + "`cumulet.dev/size` and `cumulet.dev/instance-types`" + ` ([annotations](annotations.md)).

ECI's sizes in %s, as on the cloud's page; some regions sell fewer:

%s
KCI's sizes are an assumption: only the cloud itself can tell them, and no document does.

%s`

// bounds are the rows of the page: a name and the number in the limits.
var bounds = []struct {
	name   string
	number func(*cloudapi.Limits) int
}{
	{"containers", func(l *cloudapi.Limits) int { return l.MaxContainers }},
	{"init containers", func(l *cloudapi.Limits) int { return l.MaxInit }},
	{"volumes", func(l *cloudapi.Limits) int { return l.MaxVolumes }},
	{"disks", func(l *cloudapi.Limits) int { return l.Disk.Max }},
	{"volume mounts of a container", func(l *cloudapi.Limits) int { return l.MaxMounts }},
	{"files of a volume of files (configMap, secret, projected, downwardAPI)", func(l *cloudapi.Limits) int { return l.MaxFiles }},
	{"bytes of such a file", func(l *cloudapi.Limits) int { return l.MaxFileBytes }},
	{"environment variables of a container", func(l *cloudapi.Limits) int { return l.MaxEnv }},
	{"characters of a variable's name", func(l *cloudapi.Limits) int { return l.MaxEnvKey }},
	{"characters of a variable's value", func(l *cloudapi.Limits) int { return l.MaxEnvValue }},
	{"words of command and args together (ECI: 20 of at most 256 characters, then 10 of any length; without a command 10)", func(l *cloudapi.Limits) int { return l.MaxCommand }},
	{"words of a probe's command", func(l *cloudapi.Limits) int { return l.MaxProbeCommand }},
	{"words of a hook's command", func(l *cloudapi.Limits) int { return l.MaxHookCommand }},
	{"registries with pull secrets", func(l *cloudapi.Limits) int { return l.MaxCredentials }},
	{"host aliases", func(l *cloudapi.Limits) int { return l.MaxHostAliases }},
	{"host names of an alias", func(l *cloudapi.Limits) int { return l.MaxHostnames }},
	{"characters of an image's name", func(l *cloudapi.Limits) int { return l.MaxImage }},
	{"DNS search domains", func(l *cloudapi.Limits) int { return l.MaxSearches }},
	{"lines of one answer of `kubectl logs`", func(l *cloudapi.Limits) int { return l.Log.MaxLines }},
	{"words of a command of `kubectl exec`", func(l *cloudapi.Limits) int { return l.Exec.MaxElements }},
	{"characters of a command of `kubectl exec`", func(l *cloudapi.Limits) int { return l.Exec.MaxCharacters }},
}

// TestLimitsPage holds docs/reference/limits.md to the clouds' limits.
func TestLimitsPage(t *testing.T) {
	const region = "cn-hangzhou"
	clouds := []cloudapi.Limits{eci.Limits(region), kci.Limits(kci.Extended, "cn-beijing-6"), kci.Limits(kci.Seed, "cn-beijing-6")}
	var page strings.Builder
	page.WriteString(limitsHead)
	for _, b := range bounds {
		fmt.Fprintf(&page, "| %s |", b.name)
		for i := range clouds {
			page.WriteString(" " + orNone(b.number(&clouds[i])) + " |")
		}
		page.WriteString("\n")
	}
	fmt.Fprintf(&page, limitsRest, clouds[0].EphemeralStorageGiB, list(clouds[0].ReservedPorts))
	fmt.Fprintf(&page, limitsSizes, sizeText(clouds[0].DefaultSize), sizeText(clouds[1].DefaultSize),
		region, sizeTable(clouds[0].Sizes), sizeTable(clouds[1].Sizes))
	golden(t, filepath.Join("..", "..", "docs", "reference", "limits.md"), page.String())
	sameSize := func(a, b cloudapi.Size) bool { return a.CPU == b.CPU && slices.Equal(a.Memory, b.Memory) }
	if !slices.EqualFunc(clouds[1].Sizes, clouds[2].Sizes, sameSize) {
		t.Error("the page has one table of sizes for both dialects of KCI, and they differ")
	}
}

func orNone(bound int) string {
	if bound == 0 {
		return "–"
	}
	return strconv.Itoa(bound)
}

func sizeText(s cloudapi.Size) string {
	return number(s.CPU) + " vCPU and " + number(s.Memory[0]) + " GiB"
}

func sizeTable(sizes []cloudapi.Size) string {
	var table strings.Builder
	table.WriteString("| vCPU | GiB |\n|--:|---|\n")
	for _, s := range sizes {
		memory := make([]string, len(s.Memory))
		for i, m := range s.Memory {
			memory[i] = number(m)
		}
		fmt.Fprintf(&table, "| %s | %s |\n", number(s.CPU), strings.Join(memory, ", "))
	}
	return table.String()
}

func list(ports []int32) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		texts[i] = strconv.Itoa(int(port))
	}
	return strings.Join(texts, ", ")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
