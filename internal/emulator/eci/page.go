package eci

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// listRequest is what the three actions that list groups share.
type listRequest struct {
	RegionID          string `wire:"RegionId" req:"all"`
	ZoneID            string `wire:"ZoneId"`
	VSwitchID         string `wire:"VSwitchId"`
	ResourceGroupID   string `wire:"ResourceGroupId"`
	ContainerGroupIDs string `wire:"ContainerGroupIds"`
	Tags              []tag  `wire:"Tag" max:"10"`
	NextToken         string `wire:"NextToken"`
}

// query is a compiled listRequest.
type query struct {
	ids   []string // nil: any
	match func(*engine.Group) bool
	after position
	limit int
}

// position is a place in the order of groups: creation time, then id. It lies
// behind that group, or with Skip, behind so many of its tags (ListTagResources).
type position struct {
	At   int64  `json:"t"`
	ID   string `json:"i"`
	Skip int    `json:"s,omitempty"`
}

func positionOf(g *engine.Group) position { return position{At: g.CreatedAt.UnixNano(), ID: g.ID} }

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.At, q.At), strings.Compare(p.ID, q.ID))
}

// token writes a position as a NextToken.
func (p position) token() string {
	text, err := json.Marshal(p)
	if err != nil {
		return "" // cannot happen: numbers and a string
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readPosition reads a NextToken; the empty one is the beginning.
func readPosition(token string) (position, error) {
	p := position{At: -1 << 63}
	if token == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(text, &p) != nil || p.ID == "" || p.Skip < 0 {
		return p, fail(codeInvalidParameter, "The parameter NextToken is not one of this service.")
	}
	return p, nil
}

// compile turns the shared filters into a query, narrowed by match.
func (r *listRequest) compile(limit int, match func(*engine.Group) bool) (query, error) {
	q := query{limit: limit}
	var err error
	if q.after, err = readPosition(r.NextToken); err != nil {
		return q, err
	}
	if q.ids, err = readIDs(r.ContainerGroupIDs); err != nil {
		return q, err
	}
	q.match = func(g *engine.Group) bool {
		return is(r.ZoneID, g.Spec.Zone) && is(r.VSwitchID, g.Spec.Subnet) &&
			is(r.ResourceGroupID, wireOf(g).ResourceGroupID) && hasTags(g.Tags, r.Tags) && match(g)
	}
	return q, nil
}

// is tells whether a filter lets a value through; an empty filter lets all.
func is(filter, have string) bool { return filter == "" || filter == have }

// hasTags tells whether all filters match; one without value matches any value.
func hasTags(have []engine.NameValue, filters []tag) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(have, func(t engine.NameValue) bool {
			return t.Name == f.Key && is(f.Value, t.Value)
		}) {
			return false
		}
	}
	return true
}

// readIDs reads ContainerGroupIds, a JSON list.
func readIDs(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	ids := []string{}
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		return nil, fail(codeInvalidParameter, "The parameter ContainerGroupIds must be a JSON list of strings.")
	}
	if len(ids) > maxIDs {
		return nil, fail(codeInvalidParameter, "The parameter ContainerGroupIds has %d ids; at most %d are allowed.",
			len(ids), maxIDs)
	}
	return unique(ids), nil
}

// unique sorts ids and drops repeats.
func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readLimit reads a page size.
func readLimit(given *int32, otherwise, most int) (int, error) {
	if given == nil {
		return otherwise, nil
	}
	if *given < 1 || int(*given) > most {
		return 0, wrong("Limit", decimal(int(*given)), "1 to "+decimal(most))
	}
	return int(*given), nil
}

// page is one page of groups. total counts all pages; next is empty on the last.
type page struct {
	groups []engine.Group
	total  int
	next   string
}

// page selects one page. Only the groups of the page are copied out of the
// engine.
func (s *Server) page(q query) page {
	var p page
	var places []position
	s.visit(q.ids, func(g *engine.Group) {
		if !q.match(g) {
			return
		}
		p.total++
		at := positionOf(g)
		if order := at.compare(q.after); order > 0 || order == 0 && q.after.Skip > 0 {
			places = append(places, at)
		}
	})
	slices.SortFunc(places, position.compare)
	if len(places) > q.limit {
		places = places[:q.limit]
		p.next = places[q.limit-1].token()
	}
	for _, at := range places {
		// A group may have gone or changed since.
		if g, err := s.groups.Get(at.ID); err == nil && q.match(&g) {
			p.groups = append(p.groups, g)
		}
	}
	return p
}

// visit shows the groups with these ids, or all, to see.
func (s *Server) visit(ids []string, see func(*engine.Group)) {
	if ids == nil {
		s.groups.List(func(g *engine.Group) bool {
			see(g)
			return false
		})
		return
	}
	for _, id := range ids {
		if g, err := s.groups.Get(id); err == nil {
			see(&g)
		}
	}
}

// wireOf is the request that a group was created with, as updated since.
func wireOf(g *engine.Group) *createRequest {
	if r, ok := g.Spec.Wire.(*createRequest); ok {
		return r
	}
	return &createRequest{}
}

// timestamp is the API's form of a time: UTC in seconds; empty for none.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
