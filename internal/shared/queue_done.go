package shared

import (
	"context"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The rows say which processes have got items and not said that they are done. A row's numbers go on
// when another process gets the slot: its predecessor's items count as done then.
//
// Whether a process that was killed around the instant of a get has got the item is told by
// the code in its row: it belongs to what gets is after the get. As long as no process got another
// item, gets tells; and before one gets another, it settles that.
const (
	rowOwnerIn = iota
	rowGotIn
	rowDoneIn

	rowShift   = 16
	rowLowMask = 1<<rowShift - 1
)

// getCode is the code of what gets is after the get of item g.
func getCode(g uint64) uint64 { return (g+1)&(rowLowMask>>1) | (rowLowMask>>1 + 1) }

// slotOf is the slot of a process.
func slotOf(id uint64) int { return int(id % proctable.Slots) }

// announceGet records that this process is about to get item g, and returns what undoes that.
func (q *Queue) announceGet(g uint64) (before uint64) {
	if last := word(q.lastGetter); last != q.me {
		if last != 0 && !proctable.Alive(proctable.ID(last)) {
			q.settleGot(slotOf(last), last)
		}
		setWord(q.lastGetter, q.me)
		shm.Point("queue.get.getter")
	}
	before = q.rowGot.Load() &^ rowLowMask
	q.rowGot.Store(before + 1<<rowShift | getCode(g))
	return before
}

func (q *Queue) endGet(before uint64) { q.rowGot.Store(before + 1<<rowShift) }

// undoGet is for an item that CloseNow has dropped.
func (q *Queue) undoGet(before uint64) {
	q.rowGot.Store(before)
	q.wakeJoiners()
}

// takeRow makes this process the owner of the row of its slot.
func (q *Queue) takeRow() {
	owner := q.object.OwnRow(rowOwnerIn)
	if owner.Load() == q.me {
		return
	}
	q.settleRow(slotOf(q.me), owner.Load())
	owner.Store(q.me)
}

// settleGot settles whether a process that was killed inside a get has got the item. The row may
// be that of another process by now, which has settled it.
func (q *Queue) settleGot(slot int, dead uint64) {
	row, owner := q.object.Row(slot, rowGotIn), q.object.Row(slot, rowOwnerIn)
	for {
		v := row.Load()
		if v&rowLowMask == 0 || owner.Load() != dead {
			return
		}
		got := v &^ rowLowMask
		if v&rowLowMask != getCode(q.gets.Load()&^droppedBit-1) {
			got -= 1 << rowShift
		}
		if row.CompareAndSwap(v, got) {
			return
		}
	}
}

// settleRow counts what a dead process has left undone as done. It reads the owner of the row
// after the numbers: the numbers of a process that took the slot meanwhile are its own.
func (q *Queue) settleRow(slot int, dead uint64) {
	q.settleGot(slot, dead)
	row, owner := q.object.Row(slot, rowDoneIn), q.object.Row(slot, rowOwnerIn)
	for {
		v := row.Load()
		got, done := q.object.Row(slot, rowGotIn).Load()>>rowShift, v>>rowShift
		if got <= done || owner.Load() != dead {
			return
		}
		left := min(v&rowLowMask+got-done, rowLowMask)
		if row.CompareAndSwap(v, got<<rowShift|left) {
			return
		}
	}
}

// TaskDone says that an item that this process got is done.
func (q *Queue) TaskDone() error {
	defer runtime.KeepAlive(q)
	for {
		done := q.rowDone.Load()
		got := q.rowGot.Load()
		n := got >> rowShift
		if got&rowLowMask != 0 {
			n-- // that get is not over yet
		}
		if done>>rowShift >= n {
			return carrier.ErrNotGot
		}
		if q.rowDone.CompareAndSwap(done, done+1<<rowShift) {
			break
		}
	}
	shm.Point("queue.done")
	q.wakeJoiners()
	return nil
}

func (q *Queue) wakeJoiners() {
	if q.joiners.HasWaiters() && q.worthJoining(false) > 0 {
		q.joiners.WakeAll()
	}
}

// unfinished reports whether items are not done. With probe it asks the kernel whether the
// processes that got them are alive.
func (q *Queue) unfinished(probe bool) bool {
	alive := proctable.Alive
	if probe {
		alive = proctable.ProbeCached
	}
	// The order of all this matters: whatever happens meanwhile may make the sum
	// larger than it is at the end, never smaller.
	g := q.gets.Load()
	p := q.puts.Load()
	if g&droppedBit == 0 && p&^closedBit != g {
		return true
	}
	for slot := range q.object.UsedSlots() {
		owner := proctable.ID(q.object.Row(slot, rowOwnerIn).Load())
		if owner == 0 || !q.hasUnfinished(slot) {
			continue
		}
		if owner == proctable.ID(q.me) || alive(owner) {
			return true
		}
		shm.Point("queue.join.dead")
		q.settleRow(slot, uint64(owner))
	}
	return q.puts.Load() != p
}

// Unfinished is the number of items that Join waits for, exact at one instant.
func (q *Queue) Unfinished() int {
	defer runtime.KeepAlive(q)
	n := 0
	for range 1 << 10 {
		g, p := q.gets.Load(), q.puts.Load()
		n = q.undone(g)
		if g&droppedBit == 0 {
			n += int(p&^closedBit - min(g, p&^closedBit))
		}
		if q.gets.Load() == g && q.puts.Load() == p {
			break // meanwhile items were only said to be done, one by one
		}
	}
	return n
}

// undone is the number of items that living processes have got and not said to be done, as long as
// gets is g.
func (q *Queue) undone(g uint64) (n int) {
	for slot := range q.object.UsedSlots() {
		owner := proctable.ID(q.object.Row(slot, rowOwnerIn).Load())
		if owner == 0 {
			continue
		}
		done := q.object.Row(slot, rowDoneIn).Load() >> rowShift
		row := q.object.Row(slot, rowGotIn).Load()
		got := row >> rowShift
		if c := row & rowLowMask; c != 0 && c != getCode(g&^droppedBit-1) {
			got-- // that get has not happened yet
		}
		if got > done && (owner == proctable.ID(q.me) || proctable.Probe(owner)) {
			n += int(min(got-done, maxItems))
		}
	}
	return n
}

// hasUnfinished reports whether the process of a slot has got an item that it has not said to be
// done.
func (q *Queue) hasUnfinished(slot int) bool {
	done := q.object.Row(slot, rowDoneIn).Load() >> rowShift
	return q.object.Row(slot, rowGotIn).Load()>>rowShift > done
}

func (q *Queue) worthJoining(probe bool) int {
	if q.unfinished(probe) {
		return 0
	}
	return allWaiters
}

// unfinishedProcess is another process that has got items which are not done; 0: none.
func (q *Queue) unfinishedProcess() proctable.ID {
	for slot := range q.object.UsedSlots() {
		owner := proctable.ID(q.object.Row(slot, rowOwnerIn).Load())
		if owner != 0 && owner != proctable.ID(q.me) && q.hasUnfinished(slot) {
			return owner
		}
	}
	return 0
}

// abandoned is the number of items, ever, that dead processes got and had not said to be done.
func (q *Queue) abandoned() (n uint64) {
	for slot := range q.object.UsedSlots() {
		n += q.object.Row(slot, rowDoneIn).Load() & rowLowMask
	}
	return n
}

// Join waits until every item that was put was got and is done, or was dropped. It is a
// [carrier.AbandonedError] when processes have died before they said so of all items they had got.
// Each process is told of each item once: by the Joins that wait at the time, or by the next one.
func (q *Queue) Join(ctx context.Context) error {
	defer runtime.KeepAlive(q)
	told := q.reported.Load()
	if q.unfinished(false) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := q.joiners.Wait(ctx, func(bool) bool { return !q.unfinished(false) })
		if err != nil {
			return err
		}
	}
	all := q.abandoned()
	for {
		v := q.reported.Load()
		if v >= all || q.reported.CompareAndSwap(v, all) {
			break
		}
	}
	if all > told {
		return &carrier.AbandonedError{Items: int(all - told)}
	}
	return nil
}
