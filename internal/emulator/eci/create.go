package eci

import (
	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type createAnswer struct {
	RequestID        string `json:"RequestId"`
	ContainerGroupID string `json:"ContainerGroupId"`
}

// createContainerGroup makes a group. Its state begins at Scheduling.
func (s *Server) createContainerGroup(c *call, r *createRequest) (any, error) {
	r.unfold(modeCreate)
	spec, err := s.admit(r)
	if err != nil {
		return nil, err
	}
	if value(r.DryRun) {
		if err := s.checkEip(r); err != nil {
			return nil, err
		}
		return nil, fail(codeDryRun, "Request validation has been passed with DryRun flag set.")
	}
	id, err := s.tokens.once(c.request.Context(), s.clock.Now(), c, func() (string, error) {
		if err := s.checkEip(r); err != nil {
			return "", err
		}
		return s.create(spec)
	})
	return createAnswer{c.id, id}, err
}

// admit checks a request and translates it.
func (s *Server) admit(r *createRequest) (engine.Spec, error) {
	if err := s.rules.check(r); err != nil {
		return engine.Spec{}, err
	}
	sold, err := groupSize(r)
	if err != nil {
		return engine.Spec{}, err
	}
	return s.spec(r, sold)
}

// unfold moves what Update calls by other names than Create to where Create has
// it. Update does not know Create's name of the postStart headers.
func (p *groupParams) unfold(m mode) {
	for i := range p.Containers {
		c := &p.Containers[i]
		if m == modeUpdate {
			c.PostStart.Headers = c.PostStartHeaders
		}
		c.PostStartHeaders = nil
	}
}
