package eci

import (
	"slices"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type tagRequest struct {
	RegionID     string   `wire:"RegionId" req:"all"`
	ResourceType string   `wire:"ResourceType" req:"all" enum:"ContainerGroup,ImageCache,DataCache,VirtualNode"`
	ResourceIDs  []string `wire:"ResourceId" req:"all" max:"100"`
	Tags         []tag    `wire:"Tag" req:"all" max:"100"`
}

// tagResources adds tags, or changes their values; all resources or none.
func (s *Server) tagResources(c *call, r *tagRequest) (any, error) {
	if err := checkTags(r.Tags); err != nil {
		return nil, err
	}
	err := s.retag(r.ResourceType, r.ResourceIDs, func(have []engine.NameValue) []engine.NameValue {
		for _, t := range r.Tags {
			have = slices.DeleteFunc(have, func(h engine.NameValue) bool { return h.Name == t.Key })
			have = append(have, engine.NameValue{Name: t.Key, Value: t.Value})
		}
		return have
	})
	return plainAnswer{c.id}, err
}

type untagRequest struct {
	RegionID     string   `wire:"RegionId" req:"all"`
	ResourceType string   `wire:"ResourceType" req:"all" enum:"ContainerGroup,ImageCache,DataCache,VirtualNode"`
	ResourceIDs  []string `wire:"ResourceId" req:"all" max:"100"`
	TagKeys      []string `wire:"TagKey" max:"100"`
	All          *bool    `wire:"All"`
	ClientToken  string   `wire:"ClientToken"`
}

// untagResources removes the tags of some keys; with All, and no key, every tag.
func (s *Server) untagResources(c *call, r *untagRequest) (any, error) {
	if len(r.TagKeys) == 0 && !value(r.All) {
		return nil, missing("TagKey.1")
	}
	return s.act(c, r.ClientToken, func() error {
		return s.retag(r.ResourceType, r.ResourceIDs, func(have []engine.NameValue) []engine.NameValue {
			return slices.DeleteFunc(have, func(h engine.NameValue) bool {
				return len(r.TagKeys) == 0 || slices.Contains(r.TagKeys, h.Name)
			})
		})
	})
}

// retag changes the tags of groups after it has checked that all exist and that
// none gets too many. Other kinds of resources do not exist here.
func (s *Server) retag(kind string, ids []string, change func([]engine.NameValue) []engine.NameValue) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	changed := make([][]engine.NameValue, len(ids))
	for i, id := range ids {
		g, err := s.groups.Get(id)
		if err != nil || kind != "ContainerGroup" {
			return fail(codeNotFound, "The specified resource %.64q does not exist.", id)
		}
		changed[i] = change(slices.Clone(g.Tags))
		if len(changed[i]) > maxTags {
			return fail(codeTagCount, "The resource %.64q would have %d tags; at most %d are allowed.",
				id, len(changed[i]), maxTags)
		}
	}
	for i, id := range ids {
		if err := s.groups.SetTags(id, changed[i]); err != nil {
			return err
		}
	}
	return nil
}

type listTagsRequest struct {
	RegionID     string   `wire:"RegionId" req:"all"`
	ResourceType string   `wire:"ResourceType" req:"all" enum:"ContainerGroup,ImageCache,DataCache,VirtualNode"`
	ResourceIDs  []string `wire:"ResourceId" max:"100"`
	Tags         []tag    `wire:"Tag" max:"100"`
	Limit        *int32   `wire:"Limit"`
	NextToken    string   `wire:"NextToken"`
}

type listTagsAnswer struct {
	RequestID    string `json:"RequestId"`
	NextToken    string `json:",omitempty"`
	TagResources []tagResource
}

type tagResource struct {
	ResourceID       string `json:"ResourceId"`
	ResourceType     string
	TagKey, TagValue string
}

// listTagResources answers the tags of resources, one entry for each tag.
func (s *Server) listTagResources(c *call, r *listTagsRequest) (any, error) {
	limit, err := readLimit(r.Limit, defaultTagPage, maxTagPage)
	if err != nil {
		return nil, err
	}
	after, err := readPosition(r.NextToken)
	if err != nil {
		return nil, err
	}
	answer := listTagsAnswer{RequestID: c.id, TagResources: []tagResource{}}
	p := s.page(query{
		ids:   unique(r.ResourceIDs),
		after: after,
		limit: limit + 2, // each has a tag at least, but for the one to go on in
		match: func(g *engine.Group) bool {
			return r.ResourceType == "ContainerGroup" && len(g.Tags) > 0 && hasTags(g.Tags, r.Tags)
		},
	})
	last := after
	for i := range p.groups {
		g := &p.groups[i]
		at := positionOf(g)
		first := 0
		if at.compare(after) == 0 {
			first = min(after.Skip, len(g.Tags))
		}
		for n, t := range g.Tags[first:] {
			if len(answer.TagResources) == limit {
				if at.Skip = first + n; at.Skip == 0 {
					at = last
				}
				answer.NextToken = at.token()
				return answer, nil
			}
			answer.TagResources = append(answer.TagResources, tagResource{g.ID, r.ResourceType, t.Name, t.Value})
		}
		last = at
	}
	return answer, nil
}
