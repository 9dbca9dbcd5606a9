package pool

import (
	"context"
	"errors"
	"slices"
)

// recycling is a call of Recycle, which waits until all workers before a generation are replaced.
type recycling struct {
	before uint64
	done   chan error
}

// Recycle replaces each worker as soon as it has nothing to do. It waits until all present workers are
// gone and, unless workers are started on demand, all new ones are ready. When ctx ends it
// returns, but busy workers are still replaced when they are free.
func (s *Scheduler) Recycle(ctx context.Context) error {
	if s.calledByTask(ctx) {
		return errors.New("mp: Recycle was called by a task of the same pool and would wait for itself")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if err := s.refusal(); err != nil {
		s.mu.Unlock()
		return err
	}
	s.generation++
	r := &recycling{before: s.generation, done: make(chan error, 1)}
	s.recyclings = append(s.recyclings, r)
	for _, m := range slices.Clone(s.members) {
		if m.compensates == nil && m.serving() {
			s.recycle(m)
		}
	}
	s.checkRecycled()
	s.mu.Unlock()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.recyclings, r); i >= 0 {
		s.recyclings = slices.Delete(s.recyclings, i, i+1)
	}
	select {
	case err := <-r.done: // it ended just now
		return err
	default:
		return ctx.Err()
	}
}

// recycle has a worker replaced as soon as it has nothing to do, and not before: no more tasks run meanwhile
// than the pool has workers.
func (s *Scheduler) recycle(m *member) {
	m.recycle = true
	s.removeIdle(m)
	s.revokeAll(m)
	m.wake()
}

// checkRecycled ends the calls of Recycle whose workers are all replaced.
func (s *Scheduler) checkRecycled() {
	if len(s.recyclings) == 0 {
		return
	}
	err := s.refusal()
	s.recyclings = slices.DeleteFunc(s.recyclings, func(r *recycling) bool {
		if err == nil && !s.replaced(r.before) {
			return false
		}
		r.done <- err
		return true
	})
}

// replaced reports whether all workers before a generation are gone, and enough others are ready.
func (s *Scheduler) replaced(before uint64) bool {
	ready := 0
	for _, m := range s.members {
		if m.compensates != nil {
			continue
		}
		if m.generation < before {
			return false
		}
		if m.serving() {
			ready++
		}
	}
	for m := range s.starts {
		if m.generation < before {
			return false
		}
	}
	return s.cfg.IdleTimeout > 0 || ready >= s.want
}
