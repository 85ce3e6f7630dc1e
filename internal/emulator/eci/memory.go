package eci

import (
	"slices"
	"sync"
	"time"
)

// memory holds values for a fixed time. It forgets in the order of arrival, which
// is also the order of expiry because all live equally long.
type memory[V any] struct {
	mu     sync.Mutex
	life   time.Duration
	values map[string]V
	queue  []arrival
}

type arrival struct {
	key     string
	expires time.Time
}

func newMemory[V any](life time.Duration) *memory[V] {
	return &memory[V]{life: life, values: map[string]V{}}
}

// add keeps v under key unless something is there already, which it returns.
func (m *memory[V]) add(now time.Time, key string, v V) (existing V, added bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	if existing, ok := m.values[key]; ok {
		return existing, false
	}
	m.values[key] = v
	m.queue = append(m.queue, arrival{key, now.Add(m.life)})
	return v, true
}

// take removes and returns the value of a key.
func (m *memory[V]) take(now time.Time, key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	v, ok := m.values[key]
	m.drop(key)
	return v, ok
}

// drop removes a key, and its arrival, so that a later value under the same key
// has a life of its own.
func (m *memory[V]) drop(key string) {
	if _, ok := m.values[key]; !ok {
		return
	}
	delete(m.values, key)
	for i, arrived := range slices.Backward(m.queue) {
		if arrived.key == key {
			m.queue = append(m.queue[:i], m.queue[i+1:]...)
			return
		}
	}
}

// forget drops what has expired.
func (m *memory[V]) forget(now time.Time) {
	n := 0
	for n < len(m.queue) && !now.Before(m.queue[n].expires) {
		delete(m.values, m.queue[n].key)
		n++
	}
	m.queue = m.queue[n:]
}
