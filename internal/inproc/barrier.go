package inproc

import (
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Barrier is where a number of parties wait for each other, again and again.
type Barrier struct {
	processLocal
	parties int
	mu      sync.Mutex // of all that follows, and of the rounds
	round   *round     // that fills, or is acted upon, or has broken
}

// NewBarrier makes a barrier for that number of parties, from 1 to carrier.MaxParties.
func NewBarrier(parties int) *Barrier { return &Barrier{parties: parties, round: new(round)} }

// round is what some parties wait for together. It ends once, complete or broken.
type round struct {
	arrived int
	end     broadcast // opens as the round ends
	ended   bool
	broken  bool
}

// finish ends the round. It reports false if the round has ended before. The mutex is held.
func (r *round) finish(broken bool) bool {
	if r.ended {
		return false
	}
	r.ended, r.broken = true, broken
	r.end.notifyAll()
	return true
}

// Wait waits until all parties have arrived, and returns the place of this one. The last party to
// arrive runs the action, if it has one, before the others go on.
func (b *Barrier) Wait(ctx context.Context, action func() error) (place int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, &carrier.LateError{Err: err} // it does not come
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		r := b.round
		switch {
		case r.broken:
			return 0, carrier.ErrBarrierBroken
		case r.arrived < b.parties:
			place = r.arrived
			if r.arrived++; r.arrived == b.parties {
				err = b.complete(r, action)
			} else {
				err = b.await(ctx, r)
			}
			return place, err
		}
		if err := b.waitRound(ctx, r); err != nil { // beyond the parties: the next round comes soon
			return 0, &carrier.LateError{Err: err}
		}
	}
}

// waitRound waits for the end of a round. The mutex is held, but not during the wait.
func (b *Barrier) waitRound(ctx context.Context, r *round) error {
	ch := r.end.join()
	b.mu.Unlock()
	defer b.mu.Lock()
	return r.end.wait(ctx, &b.mu, ch)
}

// await waits in a round in which this party has arrived, and breaks the round if ctx ends.
func (b *Barrier) await(ctx context.Context, r *round) error {
	err := b.waitRound(ctx, r)
	if err != nil && (r.finish(true) || r.broken) {
		return &carrier.LateError{Err: err}
	}
	if r.broken {
		return carrier.ErrBarrierBroken
	}
	return nil
}

// complete ends the round: this party was the last to arrive.
func (b *Barrier) complete(r *round, action func() error) error {
	if action != nil {
		if err := b.runAction(r, action); err != nil {
			return err
		}
	}
	if !r.finish(false) {
		return carrier.ErrBarrierBroken
	}
	b.round = new(round)
	return nil
}

// runAction runs the action without the mutex. If the action fails or panics, the barrier breaks.
func (b *Barrier) runAction(r *round, action func() error) (err error) {
	done := false
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		if !done || err != nil {
			r.finish(true)
		}
	}()
	err = action()
	done = true
	return err
}

// Abort breaks the barrier.
func (b *Barrier) Abort() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round.finish(true)
	return nil
}

// Reset begins a new round, and breaks the one in which parties wait.
func (b *Barrier) Reset() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round.finish(true)
	b.round = new(round)
	return nil
}

// Parties is the number of parties.
func (b *Barrier) Parties() int { return b.parties }

// Waiting is the number of parties that wait at the moment.
func (b *Barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round.broken {
		return 0
	}
	return b.round.arrived
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.round.broken
}
