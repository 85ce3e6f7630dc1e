package engine

// Delete implements Groups.
func (e *Engine) Delete(id string, force bool) error {
	e.mu.Lock()
	r, ok := e.records[id]
	if !ok {
		e.mu.Unlock()
		return ErrNotFound
	}
	instance := r.instance
	if r.group.Status == Scheduling || r.group.Status.Final() {
		e.vanish(r)
		force = true
	} else {
		if r.deleting && (r.force || !force) {
			e.mu.Unlock()
			return nil
		}
		r.deleting, r.force = true, r.force || force
		r.group.Status = Terminating
		e.changed(r)
	}
	e.mu.Unlock()
	if instance != nil {
		instance.Stop(force)
	}
	return nil
}

// Expire takes the machine of a preemptible group back: its containers get
// their grace, then it is Expired. ErrState if it has no machine or ends
// already.
func (e *Engine) Expire(id string) error {
	e.mu.Lock()
	r, ok := e.records[id]
	if !ok {
		e.mu.Unlock()
		return ErrNotFound
	}
	if !r.runs() {
		e.mu.Unlock()
		return ErrState
	}
	instance := e.end(r, ending{Expired, "SpotToBeReleased", "The preemptible instance has been reclaimed"}, "Warning")
	e.mu.Unlock()
	if instance != nil {
		instance.Stop(false)
	}
	return nil
}

// expireDeadline ends a group that outlived its deadline.
func (e *Engine) expireDeadline(r *record) {
	e.mu.Lock()
	if !r.runs() {
		e.mu.Unlock()
		return
	}
	instance := e.end(r, ending{Failed, deadlineReason, deadlineMessage}, "Normal")
	e.mu.Unlock()
	if instance != nil {
		instance.Stop(false)
	}
}

// runs tells whether the group has a machine and nothing ends it yet; the lock
// is held.
func (r *record) runs() bool {
	return !r.gone && !r.deleting && r.ending == nil && !r.group.Status.Final() && r.group.Status != Scheduling
}

// end notes why a group ends; the lock is held. The caller stops the instance,
// if there is one already, after unlocking.
func (e *Engine) end(r *record, why ending, eventType string) Instance {
	r.ending = &why
	r.group.Events = mergeEvents(r.group.Events,
		[]Event{{Type: eventType, Reason: why.reason, Message: why.message}}, e.options.Clock.Now())
	e.changed(r)
	return r.instance
}

// vanish takes a group out of the API; the lock is held.
func (e *Engine) vanish(r *record) {
	now := e.options.Clock.Now()
	g := &r.group
	if g.EndedAt.IsZero() {
		g.EndedAt = now
		e.addresses.free(g.IP)
	}
	g.DeletedAt, g.ChangedAt = now, now
	r.gone = true
	r.stopTimer()
	e.order.Remove(r.place)
	if r.endedPlace != nil {
		e.ended.Remove(r.endedPlace)
	}
	delete(e.records, g.ID)
	e.vanished.add(*g, e.options.History-len(e.records))
}

// forget takes a group that got no machine out of the API.
func (e *Engine) forget(r *record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !r.gone {
		e.vanish(r)
	}
}

// forgetOld takes out of the API what Retention no longer keeps.
func (e *Engine) forgetOld() {
	e.mu.Lock()
	forgotten := e.prune()
	e.mu.Unlock()
	stopAll(forgotten)
}

// prune is forgetOld under the lock; it returns the instances to stop.
func (e *Engine) prune() []Instance {
	var forgotten []Instance
	now, keep := e.options.Clock.Now(), e.options.Retention
	for e.ended.Len() > keep.Latest {
		r := recordAt(e.ended.Front())
		if now.Sub(r.group.EndedAt) < keep.Keep {
			break
		}
		e.vanish(r)
		if r.instance != nil {
			forgotten = append(forgotten, r.instance)
		}
	}
	return forgotten
}
