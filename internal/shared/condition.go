package shared

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Condition is what goroutines wait for that have a lock, until others notify them.
//
// Its memory, from the state's beginning: at 0 the number of the last ticket, at 8 how
// many entries were ever used, in a row from the first. The payload is the entries,
// two words each, one for each goroutine inside Wait: at 0 who it is and what it waits
// for, at 8 its ticket. The first word is 0 for a free entry; otherwise it has the id of
// the process in the low half, above it 2 bits, waiting or granted, and above them the
// lowest 30 bits of the ticket, so that no two uses of an entry look alike.
//
// Who enters or notifies has the lock. A notification is granted to the entry with the
// lowest ticket by one store, and the entry stays until its goroutine has the lock again. If
// the goroutine gives up instead, or its process dies, the wake-up goes to the next:
// first the next is granted, and then the entry is freed, so that a death
// in between wakes one too many and not one too few.
type Condition struct {
	object *shm.Object
	lock   *Lock
	ticket *atomic.Uint64
	used   *atomic.Uint64
	line   *shm.Line
	watch  lookout
}

// MaxWaiting is how many goroutines can wait for a condition.
const MaxWaiting = 16384

const (
	entrySize = 16

	stateBits = 3 << 32
	waiting   = 1 << 32
	granted   = 2 << 32
)

// ErrNotHeld is the error of who must have the lock and has not.
var ErrNotHeld = errors.New("the lock is not held")

func conditionShape(lock uint64) shm.Shape {
	return shm.Shape{Name: "condition", Kind: kindCondition, Payload: MaxWaiting * entrySize, Params: [4]uint64{lock}}
}

// NewCondition makes a condition of a lock.
func NewCondition(l *Lock) (*Condition, error) {
	o, err := shm.NewObject(conditionShape(l.Number()), conditionCore(l))
	if err != nil {
		return nil, err
	}
	return o.Core().(*Condition), nil
}

// OpenCondition returns the condition that another process has sent together with its
// lock.
func OpenCondition(f *os.File, l *Lock) (*Condition, error) {
	shape := func(p [4]uint64) (shm.Shape, error) {
		if p[0] != l.Number() {
			return shm.Shape{}, fmt.Errorf("a condition of lock %d, with lock %d", p[0], l.Number())
		}
		return conditionShape(p[0]), nil
	}
	o, err := shm.OpenObject(f, kindCondition, shape, conditionCore(l))
	if err != nil {
		return nil, err
	}
	c := o.Core().(*Condition)
	if c.lock != l {
		return nil, errors.New("a condition of another lock")
	}
	return c, nil
}

func conditionCore(l *Lock) func(o *shm.Object) any {
	return func(o *shm.Object) any {
		c := &Condition{object: o, lock: l, ticket: o.Word(shm.StateAt), used: o.Word(shm.StateAt + 8)}
		c.line = o.NewLine(0, nil).ForHeld(func() shm.ID { return 0 })
		return c
	}
}

// File is what another process needs to have the condition, besides its lock.
func (c *Condition) File() *os.File { return c.object.File() }

// Lock is the condition's lock.
func (c *Condition) Lock() *Lock { return c.lock }

// entry is a goroutine that waits.
type entry struct {
	word, ticket *atomic.Uint64
}

func (c *Condition) entry(i int) entry {
	at := shm.PayloadAt + i*entrySize
	return entry{c.object.Word(at), c.object.Word(at + 8)}
}

// entries is how many there are to look at.
func (c *Condition) entries() int { return int(min(c.used.Load(), MaxWaiting)) }

// Wait gives the acquisition with that token up, waits until it is notified, and
// takes the lock again. On an error the lock is not held.
func (c *Condition) Wait(ctx context.Context, token uint64) (Grip, error) {
	defer runtime.KeepAlive(c)
	if !c.lock.Holds(token) {
		return Grip{}, ErrNotHeld
	}
	if err := ctx.Err(); err != nil {
		c.lock.Release(token)
		return Grip{}, err
	}
	e, word, err := c.join()
	if err != nil {
		c.lock.Release(token)
		return Grip{}, err
	}
	shm.Point("condition.joined")
	if !c.lock.Release(token) { // by another goroutine, meanwhile
		c.quit(e, word)
		return Grip{}, ErrNotHeld
	}
	shm.Point("condition.unlocked")
	if err := c.sleep(ctx, e, word); err != nil {
		c.quit(e, word)
		return Grip{}, err
	}
	shm.Point("condition.woken")
	g, err := c.lock.Acquire(ctx)
	if err != nil {
		c.quit(e, word)
		return Grip{}, err
	}
	shm.Point("condition.relocked")
	if now := e.word.Load(); shm.Invariants && now != word&^stateBits|granted {
		panic(fmt.Sprintf("shared: condition %d: an entry of %#x became %#x", c.object.Number(), word, now))
	}
	e.word.Store(0)
	shm.Point("condition.left")
	return g, nil
}

// join makes an entry for this goroutine. The lock is held.
func (c *Condition) join() (entry, uint64, error) {
	ticket := c.ticket.Add(1)
	word := ticket<<34 | waiting | uint64(shm.Me())
	for i := range MaxWaiting {
		e := c.entry(i)
		if i >= c.entries() {
			c.used.Store(uint64(i) + 1)
		}
		if old := e.word.Load(); old&stateBits == waiting && !shm.Alive(shm.ID(old)) {
			e.word.CompareAndSwap(old, 0)
		}
		if e.word.Load() != 0 {
			continue
		}
		e.ticket.Store(ticket)
		shm.Point("condition.numbered")
		if e.word.CompareAndSwap(0, word) {
			return e, word, nil
		}
	}
	return entry{}, 0, fmt.Errorf("more than %d wait for the condition", MaxWaiting)
}

// sleep waits until the entry is granted. Meanwhile it sees to the grants of the dead.
func (c *Condition) sleep(ctx context.Context, e entry, word uint64) error {
	for {
		err := c.line.Wait(ctx, func(bool) bool {
			return e.word.Load() != word || c.watch.finds(c.orphaned)
		})
		if err != nil || e.word.Load() != word {
			return err
		}
		c.watch.found.Store(false)
		c.settle()
	}
}

// quit ends the waiting of this goroutine. If it was granted, the next is.
func (c *Condition) quit(e entry, word uint64) {
	if e.word.CompareAndSwap(word, 0) {
		return
	}
	shm.Point("condition.quitting")
	c.grant(1)
	shm.Point("condition.passed")
	e.word.Store(0)
}

// Notify wakes n of those that wait, if there are as many. The acquisition with that
// token must not have ended.
func (c *Condition) Notify(token uint64, n int) error {
	defer runtime.KeepAlive(c)
	if !c.lock.Holds(token) {
		return ErrNotHeld
	}
	c.settle()
	c.grant(n)
	return nil
}

// candidate is an entry that waits.
type candidate struct {
	entry
	seen, number uint64
}

// grant wakes the first n of those that wait.
func (c *Condition) grant(n int) {
	for n > 0 {
		first := c.first(n)
		if len(first) == 0 {
			return
		}
		for _, w := range first {
			if w.word.CompareAndSwap(w.seen, w.seen&^stateBits|granted) {
				n--
				shm.Point("condition.granted")
				c.line.WakeProcess(shm.ID(w.seen))
				shm.Point("condition.notified")
			}
		}
	}
}

// first is the n that wait longest.
func (c *Condition) first(n int) (found []candidate) {
	for i := range c.entries() {
		e := c.entry(i)
		w := candidate{e, e.word.Load(), e.ticket.Load()}
		if w.seen&stateBits != waiting {
			continue
		}
		if !shm.Alive(shm.ID(w.seen)) {
			e.word.CompareAndSwap(w.seen, 0)
			continue
		}
		if n == 1 && len(found) == 1 { // the most common case, without a list
			if w.number < found[0].number {
				found[0] = w
			}
			continue
		}
		found = append(found, w)
	}
	slices.SortFunc(found, func(a, b candidate) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return found[:min(n, len(found))]
}

// orphaned says whether a grant belongs to a process that is dead.
func (c *Condition) orphaned() bool {
	var p probed
	for i := range c.entries() {
		if v := c.entry(i).word.Load(); v&stateBits == granted && !p.alive(shm.ID(v)) {
			return true
		}
	}
	return false
}

// settle passes the grants of the dead on. Each is first made one of this process,
// so that two that come upon it do not both pass it on.
func (c *Condition) settle() {
	for i := range c.entries() {
		e := c.entry(i)
		v := e.word.Load()
		if v&stateBits != granted || shm.Alive(shm.ID(v)) || sabotaged("condition") {
			continue
		}
		mine := v&^ownerMask | uint64(shm.Me())
		if !e.word.CompareAndSwap(v, mine) {
			continue
		}
		shm.Point("condition.inherited")
		c.grant(1)
		shm.Point("condition.settled")
		e.word.CompareAndSwap(mine, 0)
	}
}
