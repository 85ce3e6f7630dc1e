package eci

// plainAnswer is the answer of actions that return nothing.
type plainAnswer struct {
	RequestID string `json:"RequestId"`
}

type deleteRequest struct {
	RegionID         string `wire:"RegionId" req:"all"`
	ContainerGroupID string `wire:"ContainerGroupId" req:"all"`
	ClientToken      string `wire:"ClientToken"`
	Force            *bool  `wire:"Force"`
}

// deleteContainerGroup ends a group; the answer comes before its end.
func (s *Server) deleteContainerGroup(c *call, r *deleteRequest) (any, error) {
	return s.act(c, r.ClientToken, func() error { return s.groups.Delete(r.ContainerGroupID, value(r.Force)) })
}

type restartRequest struct {
	RegionID         string `wire:"RegionId" req:"all"`
	ContainerGroupID string `wire:"ContainerGroupId" req:"all"`
	ClientToken      string `wire:"ClientToken"`
}

// restartContainerGroup restarts the containers of a group in Pending or Running.
func (s *Server) restartContainerGroup(c *call, r *restartRequest) (any, error) {
	return s.act(c, r.ClientToken, func() error { return s.groups.Restart(r.ContainerGroupID) })
}

// act does something once per ClientToken.
func (s *Server) act(c *call, token string, do func() error) (any, error) {
	if err := checkToken(token); err != nil {
		return nil, err
	}
	_, err := s.tokens.once(c.request.Context(), s.clock.Now(), c, func() (string, error) { return "", do() })
	return plainAnswer{c.id}, err
}

type regionsRequest struct {
	RegionID string `wire:"RegionId"`
}

type regionsAnswer struct {
	RequestID string `json:"RequestId"`
	Regions   []regionView
}

type regionView struct {
	RegionID         string `json:"RegionId"`
	RegionEndpoint   string
	Zones            []string
	RecommendZones   []string
	UnavailableZones []string
}

// describeRegions answers the one emulated region; its endpoint is this server.
func (s *Server) describeRegions(c *call, _ *regionsRequest) (any, error) {
	return regionsAnswer{RequestID: c.id, Regions: []regionView{{
		RegionID: s.region, RegionEndpoint: c.request.Host,
		Zones: s.zones, RecommendZones: s.zones, UnavailableZones: []string{},
	}}}, nil
}
