package kci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// listing is a cloud that lists groups by offset, as KCI does, and changes
// between the pages as a test wants.
type listing struct {
	mu    sync.Mutex
	names []string // a group's id is its name with an i in front
	calls int
	// before is called ahead of each page, with the number of the call.
	before func(l *listing, call int)
	// marker, if set, replaces the Marker of an answer.
	marker func(start, end int) int
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%04d", ours.NamePrefix, i)
	}
	return names
}

func (l *listing) serve(t *testing.T) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.calls++
		if l.before != nil {
			l.before(l, l.calls)
		}
		answers(200, l.page(t, form))(w, r)
	})
}

func (l *listing) page(t *testing.T, form url.Values) string {
	start, errStart := strconv.Atoi(form.Get("Marker"))
	size, errSize := strconv.Atoi(form.Get("MaxResults"))
	if errStart != nil || errSize != nil || size != 100 {
		t.Errorf("Marker=%s and MaxResults=%s", form.Get("Marker"), form.Get("MaxResults"))
	}
	var found []string
	for _, name := range l.names {
		if strings.Contains(name, form.Get("Search")) { // fuzzy
			found = append(found, aGroup("i"+name, name, "Running", ""))
		}
	}
	end := min(start+size, len(found))
	marker := end
	if l.marker != nil {
		marker = l.marker(start, end)
	}
	if end == len(found) {
		marker = 0
	}
	return fmt.Sprintf(`{"Marker":%d,"TotalCount":%d,"ContainerGroups":[%s]}`,
		marker, len(found), strings.Join(found[min(start, end):end], ","))
}

// remove takes out n groups from a position on.
func (l *listing) remove(at, n int) { l.names = slices.Delete(l.names, at, at+n) }

// insert puts new groups, numbered from 9000, at a position.
func (l *listing) insert(at, n int) {
	for i := range n {
		l.names = slices.Insert(l.names, at, fmt.Sprintf("%s9%03d", ours.NamePrefix, i))
	}
}
