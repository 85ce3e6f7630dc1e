package kci

import (
	"errors"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// emptyAnswer answers DeleteContainerGroup.
type emptyAnswer struct{ answerHead }

// readDelete reads DeleteContainerGroup.
func readDelete(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	id := r.required(n, "ContainerGroupId")
	return func(*call) (answer, *apiError) {
		group, err := s.options.Groups.Get(id)
		if err != nil {
			return nil, failure(err, id, "")
		}
		s.leaving.note(&group)
		if err := s.options.Groups.Delete(id, false); err != nil {
			return nil, failure(err, id, "")
		}
		return &emptyAnswer{}, nil
	}
}

// failure turns an error of the engine into the API's. What the cloud answers
// for an unknown group is not documented; this is the package's choice.
func failure(err error, id, container string) *apiError {
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return refuse("ContainerGroupId", "container group "+quote(id)+" does not exist")
	case errors.Is(err, engine.ErrNoContainer):
		return refuse("ContainerName", "container "+quote(container)+" does not exist")
	case errors.Is(err, engine.ErrNotRunning):
		return refuse("ContainerName", "container "+quote(container)+" is not running")
	case errors.Is(err, engine.ErrState):
		return refuse("ContainerGroupId", "the state of container group "+quote(id)+" forbids this")
	default:
		return exception.with(err)
	}
}
