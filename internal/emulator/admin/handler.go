package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/fault"
	"github.com/cumulet/cumulet/internal/emulator/simulated"
)

// bodyLimit bounds a request's body in bytes.
const bodyLimit = 1 << 20

// Cloud is one emulated cloud.
type Cloud struct {
	// Name is the cloud's name in paths: eci, kci.
	Name   string
	Engine *engine.Engine
	Faults *fault.Set
	Calls  *Calls
	// SetFate does something to a container; nil if the runtime cannot.
	SetFate func(id, container string, fate simulated.Fate) error
}

// handler serves the clouds.
type handler struct {
	clock  clock.PassiveClock
	clouds []Cloud
}

// What a path or request may name that is not there.
var (
	errNoCloud = errors.New("no such cloud")
	errNoFault = errors.New("no such fault")
)

// New returns the handler of the admin API.
func New(clock clock.PassiveClock, clouds []Cloud) http.Handler {
	h := &handler{clock: clock, clouds: clouds}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	for pattern, serve := range map[string]func(*http.Request) (int, any, error){
		"GET /groups":                      h.listGroups,
		"GET /groups/{cloud}/{id}":         h.getGroup,
		"POST /groups/{cloud}/{id}/fate":   h.setFate,
		"POST /groups/{cloud}/{id}/expire": h.expire,
		"GET /faults":                      h.listFaults,
		"POST /faults":                     h.addFault,
		"DELETE /faults":                   h.clearFaults,
		"DELETE /faults/{cloud}/{id}":      h.removeFault,
		"GET /calls":                       h.listCalls,
		"DELETE /calls":                    h.resetCalls,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
			status, body, err := serve(r)
			if err != nil {
				status, body = statusOf(err), map[string]string{"error": err.Error()}
			}
			answer(w, status, body)
		})
	}
	return mux
}

// answer writes JSON; a nil body is none.
func answer(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, "encoding the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that is gone needs no answer
}

// statusOf is the HTTP status of an error.
func statusOf(err error) int {
	switch {
	case errors.Is(err, errNoCloud), errors.Is(err, errNoFault),
		errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrNoContainer):
		return http.StatusNotFound
	case errors.Is(err, engine.ErrNotRunning), errors.Is(err, engine.ErrState):
		return http.StatusConflict
	default:
		return http.StatusBadRequest
	}
}

// cloud finds a cloud by name.
func (h *handler) cloud(name string) (*Cloud, error) {
	for i := range h.clouds {
		if h.clouds[i].Name == name {
			return &h.clouds[i], nil
		}
	}
	return nil, fmt.Errorf("%w: %q", errNoCloud, name)
}

// some are the clouds that a request means: one, or all if it names none.
func (h *handler) some(name string) ([]Cloud, error) {
	if name == "" {
		return h.clouds, nil
	}
	c, err := h.cloud(name)
	if err != nil {
		return nil, err
	}
	return []Cloud{*c}, nil
}

func (h *handler) listGroups(r *http.Request) (int, any, error) {
	clouds, err := h.some(r.FormValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	now, live := h.clock.Now(), r.FormValue("live") == "true"
	groups := []Group{}
	for _, c := range clouds {
		for _, g := range c.Engine.All() {
			if view := groupOf(c.Name, &g, now); view.Live || !live {
				groups = append(groups, view)
			}
		}
	}
	return http.StatusOK, groups, nil
}

func (h *handler) getGroup(r *http.Request) (int, any, error) {
	c, err := h.cloud(r.PathValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	g, err := c.Engine.Find(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, detailOf(c.Name, &g, h.clock.Now()), nil
}

// fateRequest is the body of POST …/fate.
type fateRequest struct {
	Container string `json:"container"`
	simulated.Fate
}

func (h *handler) setFate(r *http.Request) (int, any, error) {
	c, err := h.cloud(r.PathValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	var request fateRequest
	if err := read(r, &request); err != nil {
		return 0, nil, err
	}
	if c.SetFate == nil {
		return 0, nil, fmt.Errorf("the runtime of %s runs real containers, which have no scripted fate", c.Name)
	}
	if err := c.SetFate(r.PathValue("id"), request.Container, request.Fate); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func (h *handler) expire(r *http.Request) (int, any, error) {
	c, err := h.cloud(r.PathValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	if err := c.Engine.Expire(r.PathValue("id")); err != nil {
		return 0, nil, err
	}
	return http.StatusAccepted, nil, nil
}

// read decodes a body; an unknown field is an error, so that a slip of the pen
// shows.
func read(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	return nil
}

// cloudFault is a fault with its cloud.
type cloudFault struct {
	Cloud string `json:"cloud"`
	fault.Fault
}

// cloudFaultState is a fault with its cloud and what it did.
type cloudFaultState struct {
	Cloud string `json:"cloud"`
	fault.State
}

func (h *handler) listFaults(r *http.Request) (int, any, error) {
	clouds, err := h.some(r.FormValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	faults := []cloudFaultState{}
	for _, c := range clouds {
		for _, f := range c.Faults.List() {
			faults = append(faults, cloudFaultState{c.Name, f})
		}
	}
	return http.StatusOK, faults, nil
}

func (h *handler) addFault(r *http.Request) (int, any, error) {
	var request cloudFault
	if err := read(r, &request); err != nil {
		return 0, nil, err
	}
	clouds, err := h.some(request.Cloud)
	if err != nil {
		return 0, nil, err
	}
	added := []cloudFault{}
	for _, c := range clouds {
		f, err := c.Faults.Add(request.Fault)
		if err != nil {
			return 0, nil, err
		}
		added = append(added, cloudFault{c.Name, f})
	}
	return http.StatusCreated, added, nil
}

func (h *handler) clearFaults(r *http.Request) (int, any, error) {
	clouds, err := h.some(r.FormValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	for _, c := range clouds {
		c.Faults.Clear()
	}
	return http.StatusNoContent, nil, nil
}

func (h *handler) removeFault(r *http.Request) (int, any, error) {
	c, err := h.cloud(r.PathValue("cloud"))
	if err != nil {
		return 0, nil, err
	}
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, nil, fmt.Errorf("fault id must be a number, not %q", r.PathValue("id"))
	}
	if !c.Faults.Remove(id) {
		return 0, nil, fmt.Errorf("fault %d of %s: %w", id, c.Name, errNoFault)
	}
	return http.StatusNoContent, nil, nil
}

func (h *handler) listCalls(*http.Request) (int, any, error) {
	reports := map[string]CallsReport{}
	for _, c := range h.clouds {
		reports[c.Name] = c.Calls.Report()
	}
	return http.StatusOK, reports, nil
}

func (h *handler) resetCalls(*http.Request) (int, any, error) {
	for _, c := range h.clouds {
		c.Calls.Reset()
	}
	return http.StatusNoContent, nil, nil
}
