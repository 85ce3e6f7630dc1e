package engine

import (
	"errors"
	"reflect"
	"slices"
)

// The kubelet's words for a group that outlived its deadline
// (pkg/kubelet/active_deadline.go).
const (
	deadlineReason  = "DeadlineExceeded"
	deadlineMessage = "Pod was active on the node longer than the specified deadline"
)

// Create implements Groups.
func (e *Engine) Create(spec Spec) Group {
	id, networkInterface := e.options.NewID(), e.options.NewInterfaceID()
	r := &record{group: Group{
		ID: id, Spec: &spec, Status: Scheduling,
		ENI: networkInterface, Tags: slices.Clone(spec.Tags),
		InitContainers: initialStates(spec.InitContainers, waitingReason(&spec)),
		Containers:     initialStates(spec.Containers, waitingReason(&spec)),
	}}
	e.mu.Lock()
	now := e.options.Clock.Now() // under the lock, so that the order is that of the times
	r.group.CreatedAt, r.group.ChangedAt = now, now
	e.made++
	r.group.MAC = hardwareAddress(e.made)
	e.records[id] = r
	r.place = e.order.PushBack(r)
	snapshot := r.snapshot()
	e.mu.Unlock()

	timer := e.after(e.options.Latency.Schedule, func() { e.schedule(r, id, &spec) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.group.Status == Scheduling && !r.gone && !e.closed {
		r.timer = timer
	} else {
		timer.Stop()
	}
	return snapshot
}

// waitingReason is the kubelet's reason for a container that never ran.
func waitingReason(spec *Spec) string {
	if len(spec.InitContainers) > 0 {
		return "PodInitializing"
	}
	return "ContainerCreating"
}

// initialStates is what is known of containers before a machine is found.
func initialStates(containers []Container, reason string) []ContainerState {
	states := make([]ContainerState, 0, len(containers))
	for i := range containers {
		states = append(states, ContainerState{
			Name: containers[i].Name, Image: containers[i].Image,
			Current: RunState{Kind: KindWaiting, Reason: reason},
		})
	}
	return states
}

// schedule gives a group its machine, or says why there is none.
func (e *Engine) schedule(r *record, id string, spec *Spec) {
	admission := e.admit(spec)
	e.mu.Lock()
	if r.gone || r.group.Status != Scheduling {
		e.mu.Unlock()
		return
	}
	address := ""
	if admission == nil {
		address, admission = e.addressFor(spec)
	}
	if admission != nil {
		e.refuse(r, admission)
		e.mu.Unlock()
		return
	}
	now := e.options.Clock.Now()
	r.group.Status, r.group.IP = Pending, address
	r.group.ScheduledAt, r.group.StartedAt, r.group.ChangedAt = now, now, now
	r.timer = nil
	if spec.Deadline > 0 {
		r.timer = e.after(spec.Deadline, func() { e.expireDeadline(r) })
	}
	e.mu.Unlock()
	e.start(r, id, withAddress(*spec, address))
}

// admit asks Options.Admit.
func (e *Engine) admit(spec *Spec) *UnschedulableError {
	if e.options.Admit == nil {
		return nil
	}
	err := e.options.Admit(spec)
	if err == nil {
		return nil
	}
	if why, ok := errors.AsType[*UnschedulableError](err); ok {
		return why
	}
	return &UnschedulableError{Reason: "UnknownError", Message: err.Error()}
}

// addressFor takes an address for a group; the lock is held.
func (e *Engine) addressFor(spec *Spec) (string, *UnschedulableError) {
	address, err := e.addresses.take()
	if err != nil {
		return "", &UnschedulableError{Reason: "InvalidVSwitchId.IpNotEnough", Message: spec.Subnet + ": " + err.Error()}
	}
	return address, nil
}

// withAddress is the spec for the runtime.
func withAddress(spec Spec, address string) *Spec {
	spec.Address = address
	return &spec
}

// refuse makes a group ScheduleFailed; the lock is held.
func (e *Engine) refuse(r *record, why *UnschedulableError) {
	now := e.options.Clock.Now()
	r.group.Events = mergeEvents(r.group.Events,
		[]Event{{Type: "Warning", Reason: why.Reason, Message: why.Message}}, now)
	r.group.Status, r.group.Reason, r.group.Message = ScheduleFailed, why.Reason, why.Message
	r.group.EndedAt, r.group.ChangedAt = now, now
	r.timer = nil
	if keep := e.options.Retention.ScheduleFailed; keep > 0 {
		r.timer = e.after(keep, func() { e.forget(r) })
	}
}

// start hands the group to the runtime. A delete that came meanwhile is passed
// on, since it found no instance to stop.
func (e *Engine) start(r *record, id string, spec *Spec) {
	instance := e.options.Runtime.Start(id, spec, func(o Observation) { e.observe(r, o) })
	e.mu.Lock()
	r.instance = instance
	stop := r.deleting || r.ending != nil || r.gone || e.closed
	force := r.force || r.gone || e.closed
	e.mu.Unlock()
	if stop {
		instance.Stop(force)
	}
}

// observe takes what the runtime reports.
func (e *Engine) observe(r *record, o Observation) {
	e.mu.Lock()
	if r.gone {
		e.mu.Unlock()
		return
	}
	var forgotten []Instance
	e.apply(r, o)
	switch {
	case r.group.Status.Final():
		// The end is told already. A restart or update that crossed it on the
		// way must not bring the containers back.
		if !o.Status.Final() && !o.Stopped && r.instance != nil {
			forgotten = []Instance{r.instance}
		}
	case r.deleting:
		if o.Stopped {
			e.vanish(r)
		}
	case r.ending != nil:
		if o.Stopped {
			forgotten = e.finish(r, *r.ending)
		}
	case o.Status.Final() || o.Stopped:
		forgotten = e.finish(r, endingOf(o))
	default:
		e.follow(r, o.Status)
	}
	e.mu.Unlock()
	stopAll(forgotten)
}

// endingOf is the end that the runtime tells. A runtime that stopped what
// nobody asked it to stop has failed.
func endingOf(o Observation) ending {
	if !o.Status.Final() {
		return ending{Failed, o.Reason, o.Message}
	}
	return ending{o.Status, o.Reason, o.Message}
}

// apply takes over the facts of an observation; the lock is held.
func (e *Engine) apply(r *record, o Observation) {
	g := &r.group
	before := *g
	now := e.options.Clock.Now()
	if o.IP != "" && o.IP != g.IP {
		e.addresses.free(g.IP)
		g.IP = o.IP
	}
	if o.HostIP != "" {
		g.HostIP = o.HostIP
	}
	g.InitContainers = slices.Clone(o.InitContainers)
	g.Containers = slices.Clone(o.Containers)
	g.Events = mergeEvents(g.Events, o.NewEvents, now)
	if len(o.NewEvents) > 0 || g.IP != before.IP || g.HostIP != before.HostIP ||
		!reflect.DeepEqual(g.Containers, before.Containers) ||
		!reflect.DeepEqual(g.InitContainers, before.InitContainers) {
		g.ChangedAt = now
	}
}

// follow moves between the states of a group that runs; the lock is held. A
// restart or update is over when the containers run again.
func (e *Engine) follow(r *record, observed Status) {
	busy := r.group.Status == Restarting || r.group.Status == Updating
	if r.group.Status == observed || (busy && observed != Running) {
		return
	}
	r.group.Status = observed
	e.changed(r)
}

// finish makes a group final and frees what it held; the lock is held. It
// returns the instances that the group pushed out of the API.
func (e *Engine) finish(r *record, end ending) []Instance {
	g := &r.group
	g.Status, g.Reason, g.Message = end.status, end.reason, end.message
	g.EndedAt = e.options.Clock.Now()
	e.changed(r)
	e.addresses.free(g.IP)
	r.stopTimer()
	r.endedPlace = e.ended.PushBack(r)
	if keep := e.options.Retention.Keep; keep > 0 {
		r.timer = e.after(keep, e.forgetOld)
		return e.prune()
	}
	return nil
}

func stopAll(instances []Instance) {
	for _, i := range instances {
		i.Stop(true)
	}
}
