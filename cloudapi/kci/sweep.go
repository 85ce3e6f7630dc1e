package kci

import (
	"context"
	"errors"
	"fmt"

	"github.com/cumulet/cumulet/cloudapi"
)

// maxGroups bounds one sweep, should a cloud page for ever.
const maxGroups = 200_000

// errShifted tells that a pass over the pages may have missed groups.
var errShifted = errors.New("the list changed while it was read")

// passes are the overlaps, in groups, of a sweep's successive passes. KCI pages
// by offset, so a group that is deleted meanwhile moves the later ones forward
// over the page's edge. Pages that overlap show it: while a page holds a group
// of the page before, nothing between them was missed, in whatever order the
// cloud lists, if only it keeps that order. An overlap of 5 stands four deletes
// between two calls; after more, the sweep starts anew with a wider one. The
// last pass is for a cloud whose Marker turns out not to be an offset one may
// choose: it overlaps nothing and accepts no change at all.
func passes() []int { return []int{5, 20, 0} }

// sweep returns every group that a query matches, or an error.
func (c *Client) sweep(ctx context.Context, query form) ([]wireGroup, error) {
	var last error
	for _, overlap := range passes() {
		groups, err := c.pass(ctx, query, overlap)
		if !errors.Is(err, errShifted) {
			return groups, err
		}
		last = err
	}
	return nil, &cloudapi.Error{Op: actionDescribe, Code: cloudapi.CodeUnavailable, Err: last}
}

// pass reads all pages once.
func (c *Client) pass(ctx context.Context, query form, overlap int) ([]wireGroup, error) {
	sheaf := newSheaf(overlap)
	start := 0
	for {
		query.int("MaxResults", maxPage)
		query.int("Marker", start)
		var page describeAnswer
		if err := c.call(ctx, actionDescribe, query, &page); err != nil {
			return nil, err
		}
		next, err := sheaf.add(start, &page)
		if err != nil || next == 0 {
			return sheaf.groups, err
		}
		start = next
	}
}

// sheaf is a list put together from pages.
type sheaf struct {
	overlap int
	groups  []wireGroup
	place   map[string]int // by id, in groups
	// previous holds the last page's ids, if the next page is to overlap it.
	previous map[string]bool
	total    number
}

func newSheaf(overlap int) *sheaf { return &sheaf{overlap: overlap, place: map[string]int{}} }

// add takes in the page that starts at an offset, and returns the offset of the
// next page, 0 after the last. Its error is errShifted.
func (s *sheaf) add(start int, page *describeAnswer) (next int, err error) {
	groups, marker := page.ContainerGroups, page.Marker.int()
	if err := s.check(start, page); err != nil {
		return 0, err
	}
	s.keep(groups)
	end := start + len(groups)
	switch {
	case marker == 0 && page.TotalCount.int() > end:
		return 0, fmt.Errorf("%w: it ended after %d of %d groups", errShifted, end, page.TotalCount.int())
	case marker == 0:
		return 0, nil
	case marker <= start || len(groups) == 0:
		return 0, fmt.Errorf("%w: Marker %d does not grow after %d", errShifted, marker, start)
	case len(s.groups) > maxGroups:
		return 0, fmt.Errorf("%w: it has more than %d groups", errShifted, maxGroups)
	}
	back := min(s.overlap, len(groups)/2, marker-start-1)
	s.expect(groups, back > 0)
	return marker - back, nil
}

// check tells whether a page follows upon the pages before.
func (s *sheaf) check(start int, page *describeAnswer) error {
	groups := page.ContainerGroups
	if start == 0 {
		s.total = page.TotalCount
		return nil
	}
	if s.previous != nil {
		for i := range groups {
			if s.previous[groups[i].ContainerGroupID] {
				return nil
			}
		}
		return fmt.Errorf("%w: the page at %d holds nothing of the page before", errShifted, start)
	}
	if page.TotalCount != s.total {
		return fmt.Errorf("%w: TotalCount was %v and is %v", errShifted, s.total.value, page.TotalCount.value)
	}
	for i := range groups {
		if _, known := s.place[groups[i].ContainerGroupID]; known {
			return fmt.Errorf("%w: a group came twice", errShifted)
		}
	}
	return nil
}

// keep adds groups; of a group that came twice the newer view stands.
func (s *sheaf) keep(groups []wireGroup) {
	for _, group := range groups {
		if at, known := s.place[group.ContainerGroupID]; known {
			s.groups[at] = group
			continue
		}
		s.place[group.ContainerGroupID] = len(s.groups)
		s.groups = append(s.groups, group)
	}
}

// expect notes whether the next page is to overlap this one.
func (s *sheaf) expect(groups []wireGroup, overlaps bool) {
	s.previous = nil
	if !overlaps {
		return
	}
	s.previous = make(map[string]bool, len(groups))
	for i := range groups {
		s.previous[groups[i].ContainerGroupID] = true
	}
}
