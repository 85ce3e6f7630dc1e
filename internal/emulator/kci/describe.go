package kci

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// describeAnswer answers DescribeContainerGroup.
type describeAnswer struct {
	answerHead
	MaxResults      int           `json:"MaxResults"`
	Marker          int           `json:"Marker"`
	TotalCount      int           `json:"TotalCount"`
	ContainerGroups []groupAnswer `json:"ContainerGroups"`
}

// selection is what a DescribeContainerGroup asks for.
type selection struct {
	ids        []string
	search     string
	projects   []int
	filters    []filter
	maxResults int
	marker     int
}

// filter keeps the groups that have one of the values; filters add up.
type filter struct {
	name   string
	values []string
}

// readDescribe reads DescribeContainerGroup.
func readDescribe(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	wanted := selection{
		ids:        r.nonEmptyTexts(r.shortList(n, "ContainerGroupId")),
		search:     r.optional(n, "Search"),
		filters:    readFilters(r, n),
		maxResults: r.integer(n, "MaxResults", whole{1, maxMaxResults, defaultMaxResults}),
		marker:     r.integer(n, "Marker", whole{0, math.MaxInt32, 0}),
	}
	if r.extended() {
		for _, element := range r.shortList(n, "ProjectId") {
			element.read = true
			id := r.parseInteger(element.path, element.text, whole{0, maxProjectID, 0})
			wanted.projects = append(wanted.projects, id)
		}
	}
	return func(*call) (answer, *apiError) { return s.describe(&wanted), nil }
}

// readFilters reads Filter.N by the rules of the KCI document: each name once,
// and no name without values or values without a name.
func readFilters(r *reader, n *node) []filter {
	var filters []filter
	seen := map[string]bool{}
	for _, element := range r.shortList(n, "Filter") {
		r.required(element, "Name")
		values := r.shortList(element, "Value")
		f := filter{
			name:   r.oneOf(element, "Name", "", "subnet-id", "vpc-id", "availability-zone.name", "status"),
			values: r.nonEmptyTexts(values),
		}
		if len(f.values) == 0 {
			r.fail(missingParameter.with(element.pathOf("Value.1")))
		}
		if seen[f.name] {
			r.fail(refuse(element.pathOf("Name"), quote(f.name)+" is the name of another filter"))
		}
		seen[f.name] = true
		if f.name == "status" {
			checkStatuses(r, values)
		}
		filters = append(filters, f)
	}
	return filters
}

func checkStatuses(r *reader, values []*node) {
	words := seedStatuses
	if r.extended() {
		words = allStatuses
	}
	for _, value := range values {
		if value.leaf && !slices.Contains(words, value.text) {
			r.fail(refuse(value.path, quote(value.text)+" must be one of "+strings.Join(words, ", ")))
		}
	}
}

// describe returns one page of the groups that are wanted, oldest first. The
// answered Marker is where the next page starts, or 0 after the last one.
func (s *Server) describe(wanted *selection) *describeAnswer {
	groups := s.fetch(wanted)
	from := min(wanted.marker, len(groups))
	to := min(from+wanted.maxResults, len(groups))
	page := &describeAnswer{
		MaxResults: wanted.maxResults, TotalCount: len(groups), ContainerGroups: []groupAnswer{},
	}
	if to < len(groups) {
		page.Marker = to
	}
	for i := from; i < to; i++ {
		page.ContainerGroups = append(page.ContainerGroups, s.groupAnswer(&groups[i]))
	}
	return page
}

func (s *Server) fetch(wanted *selection) []engine.Group {
	keep := func(g *engine.Group) bool { return s.matches(wanted, g) }
	if len(wanted.ids) == 0 {
		return s.options.Groups.List(keep)
	}
	var groups []engine.Group
	for _, id := range slices.Compact(slices.Sorted(slices.Values(wanted.ids))) {
		// The only error of Get is that there is no such group.
		if group, err := s.options.Groups.Get(id); err == nil && keep(&group) {
			groups = append(groups, group)
		}
	}
	sort.SliceStable(groups, func(i, j int) bool { return groups[i].CreatedAt.Before(groups[j].CreatedAt) })
	return groups
}

func (s *Server) matches(wanted *selection, g *engine.Group) bool {
	found := strings.Contains(g.Spec.Name, wanted.search) || strings.Contains(g.IP, wanted.search)
	if wanted.search != "" && !found {
		return false
	}
	if len(wanted.projects) > 0 && !slices.Contains(wanted.projects, wireOf(g).projectID) {
		return false
	}
	for _, f := range wanted.filters {
		if !slices.Contains(f.values, s.filtered(f.name, g)) {
			return false
		}
	}
	return true
}

// filtered is what a filter looks at.
func (s *Server) filtered(name string, g *engine.Group) string {
	switch name {
	case "subnet-id":
		return g.Spec.Subnet
	case "vpc-id":
		return g.Spec.VPC
	case "availability-zone.name":
		return g.Spec.Zone
	default:
		return s.leaving.status(g)
	}
}
