package thread

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// NewBarrier makes an mp.Barrier for so many parties, for goroutines of this process, as
// Python's threading.Barrier. It does not wait, costs some ten nanoseconds and no
// descriptor, and needs no mp.Main. Less than 1 party, or more than 1,048,576, is
// fs.ErrInvalid.
//
// A goroutine that ends before it comes to the barrier is waited for until somebody's ctx
// ends, or Abort. In the input of a process, or in a message to one, a Barrier of this
// package is an error: use mp.NewBarrier.
func NewBarrier(parties int) (*mp.Barrier, error) {
	if parties < 1 || parties > shared.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w", parties, fs.ErrInvalid)
	}
	return mp.CarryBarrier(key.Key{}, &barrier{parties: parties, round: new(round)}), nil
}

// barrier is where a number of parties wait for each other, again and again.
type barrier struct {
	parties int
	mu      sync.Mutex // of all that follows, and of the rounds
	round   *round     // that fills, or is acted upon, or has broken
}

// round is what some parties wait for together. It ends once, either way.
type round struct {
	arrived int
	over    gate // opens as the round ends
	ended   bool
	broken  bool
}

// finish ends the round; false if it has ended before. The mutex is held.
func (r *round) finish(broken bool) bool {
	if r.ended {
		return false
	}
	r.ended, r.broken = true, broken
	r.over.open()
	return true
}

// Wait waits until all parties have come, and returns which one this was. The last to come
// runs the action, if it has one, before the others go on.
func (b *barrier) Wait(ctx context.Context, action func() error) (place int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, &shared.LateError{Err: err} // it does not come
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		r := b.round
		switch {
		case r.broken:
			return 0, shared.ErrBroken
		case r.arrived < b.parties:
			place = r.arrived
			if r.arrived++; r.arrived == b.parties {
				err = b.complete(r, action)
			} else {
				err = b.await(ctx, r)
			}
			return place, err
		}
		if err := b.until(ctx, r); err != nil { // beyond the parties: the next round comes soon
			return 0, &shared.LateError{Err: err}
		}
	}
}

// until waits for the end of a round. The mutex is held, but not while it waits.
func (b *barrier) until(ctx context.Context, r *round) error {
	way := r.over.enter()
	b.mu.Unlock()
	defer b.mu.Lock()
	return r.over.wait(ctx, &b.mu, way)
}

// await waits in a round in which this party has arrived, and breaks it if its ctx ends.
func (b *barrier) await(ctx context.Context, r *round) error {
	err := b.until(ctx, r)
	if err != nil && (r.finish(true) || r.broken) {
		return &shared.LateError{Err: err}
	}
	if r.broken {
		return shared.ErrBroken
	}
	return nil
}

// complete ends the round: this party was the last to come.
func (b *barrier) complete(r *round, action func() error) error {
	if action != nil {
		if err := b.act(r, action); err != nil {
			return err
		}
	}
	if !r.finish(false) {
		return shared.ErrBroken
	}
	b.round = new(round)
	return nil
}

// act runs the action without the mutex. If it fails, in whatever way, the barrier breaks.
func (b *barrier) act(r *round, action func() error) (err error) {
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
func (b *barrier) Abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round.finish(true)
}

// Reset begins a round anew, and breaks the one that somebody is in.
func (b *barrier) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round.finish(true)
	b.round = new(round)
}

// Parties is how many must come.
func (b *barrier) Parties() int { return b.parties }

// Waiting is how many wait at the moment.
func (b *barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round.broken {
		return 0
	}
	return b.round.arrived
}

// Broken says whether the barrier is broken.
func (b *barrier) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.round.broken
}
