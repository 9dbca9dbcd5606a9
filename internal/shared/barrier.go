package shared

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Barrier is where a number of parties wait for each other, again and again.
//
// Its memory, from the start of the state: at 0 the state, at 8 a hint. The state has the phase in
// the lowest 2 bits: filling, acting or broken. Above it, in 20 bits, is how often the barrier was
// reset after it broke, and above that the number of the round. The payload begins with the
// numbers of the last 1,024 rounds that broke, each at the number of the reset that followed. Then
// comes a word for each party in order of arrival: in the low half the ID of its process, in the
// high half the lowest 32 bits of the round plus one.
//
// A party arrives by one store, into the first word that is not of this round. So an arrival is
// recorded in the same moment, and when a party dies the others see it. The party that takes the
// last word ends the round by one store into the state. The hint is the round, as above, and a
// number of words that are certainly taken.
//
// A round ends once, complete or broken. A party that looks late, after further rounds, learns
// which it was from the list of broken rounds.
type Barrier struct {
	object  *waitq.Object
	parties int
	state   *atomic.Uint64
	hint    *atomic.Uint64
	waiters *waitq.Queue
	deaths  deathPoller
	edge    raceEdge
}

const (
	filling = iota
	acting  // the last to come runs what is to be run before the others go on
	broken

	phaseMask    = 3
	resetUnit    = 1 << 2
	resetMask    = 1<<22 - 1 - phaseMask
	roundUnit    = 1 << 22
	brokenRounds = 1024
	firstPlace   = waitq.PayloadAt + 8*brokenRounds
	noPlace      = -1
)

func barrierShape(parties uint64) (waitq.Shape, error) {
	if parties < 1 || parties > carrier.MaxParties {
		return waitq.Shape{}, fmt.Errorf("a barrier of %d parties", int64(parties))
	}
	return waitq.Shape{Name: "barrier", Kind: kindBarrier, Payload: 8 * (brokenRounds + int(parties)), Params: [4]uint64{parties}}, nil
}

// NewBarrier makes a barrier.
func NewBarrier(parties int) (*Barrier, error) {
	shape, err := barrierShape(uint64(parties))
	if err != nil {
		return nil, err
	}
	o, err := waitq.NewObject(shape, barrierCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Barrier), nil
}

// OpenBarrier returns the barrier that another process has sent.
func OpenBarrier(f *os.File) (*Barrier, error) {
	shape := func(p [4]uint64) (waitq.Shape, error) { return barrierShape(p[0]) }
	o, err := waitq.OpenObject(f, kindBarrier, shape, barrierCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Barrier), nil
}

func barrierCore(o *waitq.Object) any {
	b := &Barrier{object: o, state: o.Word(waitq.StateAt), hint: o.Word(waitq.StateAt + 8)}
	b.parties = (o.Size()-waitq.PayloadAt)/8 - brokenRounds
	b.waiters = waitq.NewQueue(o, 0, nil).WithHolder(func() proctable.ID { return 0 })
	return b
}

// File is what another process needs to open the barrier.
func (b *Barrier) File() *os.File { return b.object.File() }

// Parties is the number of parties.
func (b *Barrier) Parties() int { return b.parties }

// place is the word of the party that arrives as number i, from 0.
func (b *Barrier) place(i int) *atomic.Uint64 { return b.object.Word(firstPlace + 8*i) }

func round(state uint64) uint64 { return state / roundUnit }

// mark is the high half of the words of a round.
func mark(state uint64) uint64 { return uint64(uint32(round(state) + 1)) }

// Wait waits until all parties have arrived, and returns the place of this one. The last party to
// arrive runs the action, if it has one, before the others go on.
func (b *Barrier) Wait(ctx context.Context, action func() error) (place int, err error) {
	defer runtime.KeepAlive(b)
	if err := ctx.Err(); err != nil {
		return 0, &carrier.LateError{Err: err} // it does not come
	}
	b.edge.release()
	for {
		state := b.state.Load()
		if state&phaseMask == broken {
			return 0, carrier.ErrBarrierBroken
		}
		place := noPlace
		if state&phaseMask == filling {
			place = b.arrive(state)
		}
		switch place {
		case noPlace: // all places of this round are taken: the next comes soon
			if err := b.waitUntil(ctx, state, func() bool { return b.state.Load() != state }); err != nil {
				return 0, &carrier.LateError{Err: err}
			}
			continue
		case b.parties - 1:
			shm.Point("barrier.complete")
			err = b.completeRound(state, action)
		default:
			shm.Point("barrier.arrived")
			err = b.await(ctx, state)
		}
		if err != nil {
			return 0, err
		}
		b.edge.acquire()
		return place, nil
	}
}

// arrive takes the first free place of the round; noPlace if there is none.
func (b *Barrier) arrive(state uint64) int {
	mine := mark(state)<<32 | uint64(proctable.Me())
	i := 0
	if hint := b.hint.Load(); hint>>32 == mark(state) {
		i = int(hint & ownerMask)
	}
	for i < b.parties {
		p := b.place(i)
		v := p.Load()
		if v>>32 == mark(state) {
			i++
			continue
		}
		if b.state.Load() != state {
			return noPlace
		}
		if p.CompareAndSwap(v, mine) {
			b.hint.Store(mark(state)<<32 | uint64(i+1))
			return i
		}
	}
	return noPlace
}

// waitUntil waits for a condition on behalf of a party that has seen a state. It breaks the
// barrier if a party of the round dies meanwhile.
func (b *Barrier) waitUntil(ctx context.Context, state uint64, condition func() bool) error {
	for {
		err := b.waiters.Wait(ctx, func(bool) bool {
			return condition() || b.deaths.poll(b.shouldBreak)
		})
		if err != nil || condition() {
			return err
		}
		b.deaths.found.Store(false)
		b.breakIfPartyDied()
	}
}

// await waits for the end of the round in which this party has arrived.
func (b *Barrier) await(ctx context.Context, state uint64) error {
	err := b.waitUntil(ctx, state, func() bool { return b.ended(state) })
	if err != nil {
		shm.Point("barrier.giving-up")
		if b.breakRound(round(state)) || b.roundError(state) != nil {
			return &carrier.LateError{Err: err}
		}
	}
	return b.roundError(state)
}

// ended reports whether the round of a state has ended.
func (b *Barrier) ended(state uint64) bool {
	now := b.state.Load()
	return round(now) != round(state) || now&phaseMask == broken
}

// roundError is how the round of a state has ended: nil, or carrier.ErrBarrierBroken.
func (b *Barrier) roundError(state uint64) error {
	now := b.state.Load()
	if round(now) == round(state) {
		return carrier.ErrBarrierBroken
	}
	resets := (now&resetMask - state&resetMask) & resetMask / resetUnit
	if resets > brokenRounds {
		return carrier.ErrBarrierBroken // it was too long ago to know
	}
	for i := range resets {
		if b.brokenRound((state&resetMask)/resetUnit+i).Load() == round(state)+1 {
			return carrier.ErrBarrierBroken
		}
	}
	return nil
}

// brokenRound is the word for the round that broke before the reset with a number. It has the
// number of the round plus one.
func (b *Barrier) brokenRound(reset uint64) *atomic.Uint64 {
	return b.object.Word(waitq.PayloadAt + 8*int(reset%brokenRounds))
}

// completeRound ends the round: this party was the last to arrive.
func (b *Barrier) completeRound(state uint64, action func() error) error {
	if b.partyDied(state) {
		b.breakRound(round(state))
		return carrier.ErrBarrierBroken
	}
	now := state
	if action != nil {
		now = state | acting
		if !b.state.CompareAndSwap(state, now) {
			return carrier.ErrBarrierBroken
		}
		shm.Point("barrier.acting")
		if err := b.runAction(state, action); err != nil {
			return err
		}
		shm.Point("barrier.acted")
	}
	if shm.Invariants {
		b.check(state)
	}
	if !b.state.CompareAndSwap(now, state+roundUnit) {
		return carrier.ErrBarrierBroken
	}
	shm.Point("barrier.passed")
	b.waiters.WakeAll()
	return nil
}

// check panics if a place of the round that is complete is free.
func (b *Barrier) check(state uint64) {
	for i := range b.parties {
		if v := b.place(i).Load(); v>>32 != mark(state) && round(b.state.Load()) == round(state) {
			panic(fmt.Sprintf("shared: barrier %d: place %d of round %d is %#x", b.object.Number(), i, round(state), v))
		}
	}
}

// runAction runs the action. If the action fails or panics, the barrier breaks.
func (b *Barrier) runAction(state uint64, action func() error) (err error) {
	done := false
	defer func() {
		if !done || err != nil {
			b.breakRound(round(state))
		}
	}()
	err = action()
	done = true
	return err
}

// breakRound breaks the barrier in a round. It reports false if the round has ended before.
func (b *Barrier) breakRound(which uint64) bool {
	for {
		now := b.state.Load()
		if round(now) != which || now&phaseMask == broken {
			return false
		}
		if b.state.CompareAndSwap(now, now&^phaseMask|broken) {
			break
		}
	}
	shm.Point("barrier.broken")
	b.waiters.WakeAll()
	return true
}

// partyDied reports whether one of the parties that have arrived in the round of a state is dead.
func (b *Barrier) partyDied(state uint64) bool {
	var p livenessCache
	for i := range b.parties {
		v := b.place(i).Load()
		if v>>32 != mark(state) {
			return false
		}
		if !p.alive(proctable.ID(v)) {
			return true
		}
	}
	return false
}

// shouldBreak reports whether a party of the current round is dead.
func (b *Barrier) shouldBreak() bool {
	state := b.state.Load()
	return state&phaseMask != broken && b.partyDied(state)
}

// breakIfPartyDied breaks the barrier if a party of the current round is dead.
func (b *Barrier) breakIfPartyDied() {
	if state := b.state.Load(); state&phaseMask != broken && b.partyDied(state) {
		b.breakRound(round(state))
	}
}

// Abort breaks the barrier.
func (b *Barrier) Abort() error {
	for {
		state := b.state.Load()
		if state&phaseMask == broken || b.breakRound(round(state)) {
			runtime.KeepAlive(b)
			return nil
		}
	}
}

// Reset begins a new round of a barrier that is broken, or in which parties wait. The new round
// begins in the same moment in which the one before ends, so a party that was thrown out may come
// again at once.
func (b *Barrier) Reset() error {
	defer runtime.KeepAlive(b)
	for {
		state := b.state.Load()
		if state&phaseMask == filling && b.place(0).Load()>>32 != mark(state) {
			return nil // no party is here
		}
		if !b.recordBroken(state) {
			continue
		}
		shm.Point("barrier.recorded")
		next := (state+resetUnit)&resetMask | (round(state)+1)*roundUnit // and filling
		if b.state.CompareAndSwap(state, next) {
			shm.Point("barrier.reset")
			b.waiters.WakeAll()
			return nil
		}
	}
}

// recordBroken records that the round of a state breaks by the reset that follows. Nothing reads
// that before the reset has happened, so it does no harm if the round ends otherwise. It reports
// false if the state or the record has changed meanwhile: a record that is written too late would
// stay.
func (b *Barrier) recordBroken(state uint64) bool {
	list := b.brokenRound(state & resetMask / resetUnit)
	before := list.Load()
	return b.state.Load() == state && list.CompareAndSwap(before, round(state)+1)
}

// Waiting is the number of parties that wait at the moment.
func (b *Barrier) Waiting() int {
	defer runtime.KeepAlive(b)
	b.breakIfPartyDied()
	state := b.state.Load()
	if state&phaseMask == broken {
		return 0
	}
	for i := range b.parties {
		if b.place(i).Load()>>32 != mark(state) {
			return i
		}
	}
	return b.parties
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool {
	b.breakIfPartyDied()
	broke := b.state.Load()&phaseMask == broken
	runtime.KeepAlive(b)
	return broke
}
