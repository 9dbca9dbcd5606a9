package host

import (
	"errors"
	"time"
)

// Collect implements pool.Collector. The reader sleeps on the socket until the worker rings,
// and a worker that was stopped does not: then the outcomes are taken in the reader's place.
func (w *Worker) Collect(wait time.Duration) {
	if wait <= 0 {
		if w.reader.isBehind() {
			go w.reader.collect()
		}
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.reader.collect()
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C: // whoever reads is held up
	case <-w.proc.Dead():
	}
}

// isBehind says whether there is something in the ring while nobody reads it.
func (r *reader) isBehind() bool {
	if !r.mu.TryLock() {
		return false // somebody does
	}
	defer r.mu.Unlock()
	return !r.over && r.bad == nil && r.more()
}

// collect takes what is in the ring. An outcome that is on the socket wakes the reader.
func (r *reader) collect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.bad != nil {
		return
	}
	begun := r.begun()
	r.inPoll = true
	err := r.drain()
	r.inPoll = false
	if err == errOnSocket {
		return
	}
	if err == nil && !r.inTurn(begun) {
		err = errors.New("it began items before the outcome of one that it began before")
	}
	if err != nil {
		r.bad = err
		r.w.proc.Kill()
	}
}

// claimed is how many items of a batch were begun.
type claimed struct {
	f     *sentBatch
	begun int
}

func (r *reader) begun() (all []claimed) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for _, f := range r.w.inFlight {
		all = append(all, claimed{f, r.page.Claims[f.slot].Begun()})
	}
	return all
}

// inTurn says whether, of the items that were begun before the ring was drained, at most one has no
// outcome: a worker begins none before the outcome of the last one is committed. A task that
// writes to the page could hide from its deadline among others.
func (r *reader) inTurn(begun []claimed) bool {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	running := 0
	for _, c := range begun {
		if r.w.slots[c.f.slot] == c.f {
			running += max(0, min(c.begun, c.f.limit)-c.f.done)
		}
	}
	return running <= 1
}
