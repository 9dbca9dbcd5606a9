package shared

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Condition is where goroutines that have a lock wait until others notify them.
//
// Its memory, from the start of the state: at 0 the number of the last ticket; at 8 how many
// entries were ever used, all from the first on; at 16 in the low half the first entry that may be
// free, in the high half how often one became free; at 24 the highest ticket whose entry is
// complete. The payload is the entries, two words for each goroutine inside Wait: at 0 which
// process it belongs to and what it waits for, at 8 its ticket. The first word of a free entry is
// 0. Otherwise it has the ID of the process in the low half, above it 2 bits, waiting or granted,
// and above them the lowest 30 bits of the ticket, so that no two uses of an entry look alike.
//
// A goroutine that begins to wait, or notifies, has the lock. A notification is granted to the
// entry with the lowest ticket by one store, and the entry stays until its goroutine has the lock
// again. If the goroutine gives up instead, or its process dies, the grant goes to the next entry:
// first that one is granted, and then the old one is freed, so that a death in between wakes one
// too many and never one too few.
type Condition struct {
	object         *waitq.Object
	lock           *Lock
	ticket         *atomic.Uint64
	used           *atomic.Uint64
	free           *atomic.Uint64
	entered        *atomic.Uint64
	waiters        *waitq.Queue
	deaths         deathPoller
	cache          waiterCache
	nextDeathCheck atomic.Int64 // when Notify is to look for the grants of the dead again
}

// MaxWaiting is how many goroutines can wait for a condition.
const MaxWaiting = 16384

const (
	entrySize = 16

	stateBits = 3 << 32
	waiting   = 1 << 32
	granted   = 2 << 32
)

func conditionShape(lock uint64) waitq.Shape {
	return waitq.Shape{Name: "condition", Kind: kindCondition, Payload: MaxWaiting * entrySize, Params: [4]uint64{lock}}
}

// NewCondition makes a condition of the lock.
func (l *Lock) NewCondition() (carrier.Condition, error) {
	c, err := NewCondition(l)
	if err != nil {
		return nil, err
	}
	l.object.Retain()
	return c, nil
}

// NewCondition makes a condition of a lock.
func NewCondition(l *Lock) (*Condition, error) {
	o, err := waitq.NewObject(conditionShape(l.Number()), conditionCore(l))
	if err != nil {
		return nil, err
	}
	return o.Core().(*Condition), nil
}

// OpenCondition returns the condition that another process has sent together with its lock.
func OpenCondition(f *os.File, l *Lock) (*Condition, error) {
	shape := func(p [4]uint64) (waitq.Shape, error) {
		if p[0] != l.Number() {
			return waitq.Shape{}, fmt.Errorf("a condition of lock %d, with lock %d", p[0], l.Number())
		}
		return conditionShape(p[0]), nil
	}
	o, err := waitq.OpenObject(f, kindCondition, shape, conditionCore(l))
	if err != nil {
		return nil, err
	}
	c := o.Core().(*Condition)
	if c.lock != l {
		o.Release()
		return nil, errors.New("a condition of another lock")
	}
	return c, nil
}

func conditionCore(l *Lock) func(o *waitq.Object) any {
	return func(o *waitq.Object) any {
		c := &Condition{object: o, lock: l, ticket: o.Word(waitq.StateAt), used: o.Word(waitq.StateAt + 8), free: o.Word(waitq.StateAt + 16), entered: o.Word(waitq.StateAt + 24)}
		c.waiters = waitq.NewQueue(o, 0, nil).WithHolder(func() proctable.ID { return 0 })
		return c
	}
}

// File is what another process needs to open the condition, besides its lock.
func (c *Condition) File() *os.File { return c.object.File() }

// Mutex is the condition's lock.
func (c *Condition) Mutex() carrier.Lock { return c.lock }

// Wait releases the acquisition with that token, waits for a notification, and acquires the lock
// again. After an error the lock is not held.
func (c *Condition) Wait(ctx context.Context, token uint64) (carrier.Grant, error) {
	defer runtime.KeepAlive(c)
	if !c.lock.Holds(token) {
		return carrier.Grant{}, carrier.ErrNotOwner
	}
	if err := ctx.Err(); err != nil {
		c.lock.Release(token)
		return carrier.Grant{}, err
	}
	e, word, err := c.addEntry()
	if err != nil {
		c.lock.Release(token)
		return carrier.Grant{}, err
	}
	shm.Point("condition.joined")
	if c.lock.Release(token) != nil { // by another goroutine, meanwhile
		c.giveUp(e, word)
		return carrier.Grant{}, carrier.ErrNotOwner
	}
	shm.Point("condition.unlocked")
	if err := c.sleep(ctx, e, word); err != nil {
		c.giveUp(e, word)
		return carrier.Grant{}, err
	}
	shm.Point("condition.woken")
	g, err := c.lock.Acquire(ctx)
	if err != nil {
		c.giveUp(e, word)
		return carrier.Grant{}, err
	}
	shm.Point("condition.relocked")
	if now := e.word.Load(); shm.Invariants && now != word&^stateBits|granted {
		panic(fmt.Sprintf("shared: condition %d: an entry of %#x became %#x", c.object.Number(), word, now))
	}
	e.word.Store(0)
	c.noteFree(e)
	shm.Point("condition.left")
	return g, nil
}

// sleep waits until the entry is granted. Meanwhile it passes on the grants of dead processes.
func (c *Condition) sleep(ctx context.Context, e entry, word uint64) error {
	for {
		err := c.waiters.WaitTicket(ctx, e.index, func(bool) bool {
			return e.word.Load() != word || c.deaths.poll(c.hasDeadGrantee)
		})
		if err != nil || e.word.Load() != word {
			return err
		}
		c.deaths.found.Store(false)
		c.passOnDeadGrants()
	}
}

// giveUp ends the wait of this goroutine. If it was granted a notification, that goes to the next.
func (c *Condition) giveUp(e entry, word uint64) {
	if e.word.CompareAndSwap(word, 0) {
		c.noteFree(e)
		return
	}
	shm.Point("condition.quitting")
	c.grant(1)
	shm.Point("condition.passed")
	e.word.Store(0)
	c.noteFree(e)
}

// fewEntries is the number of entries up to which each Notify checks all of them for grants of the
// dead. With more it does so once in a while, and those that wait do it anyway.
const fewEntries = 256

// Notify wakes n of the waiting goroutines, if there are as many. The acquisition with that token
// must not have ended.
func (c *Condition) Notify(token uint64, n int) error {
	defer runtime.KeepAlive(c)
	if !c.lock.Holds(token) {
		return carrier.ErrNotOwner
	}
	now, next := shm.Now(), c.nextDeathCheck.Load()
	if c.entries() <= fewEntries || now >= next && c.nextDeathCheck.CompareAndSwap(next, now+int64(deathPollInterval)) {
		c.passOnDeadGrants()
	}
	c.grant(n)
	return nil
}

// grant grants notifications to the first n entries that wait. Each other process is woken once,
// after all of its entries are granted.
func (c *Condition) grant(n int) {
	var told []proctable.ID
	for n > 0 {
		first := c.firstWaiting(n)
		if len(first) == 0 {
			break
		}
		for _, w := range first {
			if !w.word.CompareAndSwap(w.seen, w.seen&^stateBits|granted) {
				continue
			}
			n--
			shm.Point("condition.granted")
			switch id := proctable.ID(w.seen); {
			case id == proctable.Me():
				c.waiters.WakeTicket(w.index)
			case !slices.Contains(told, id):
				told = append(told, id)
			}
		}
	}
	for _, id := range told {
		c.waiters.WakeProcess(id)
		shm.Point("condition.notified")
	}
}

// hasDeadGrantee reports whether an entry of a dead process is granted.
func (c *Condition) hasDeadGrantee() bool {
	var p livenessCache
	for i := range c.entries() {
		if v := c.entry(i).word.Load(); v&stateBits == granted && !p.alive(proctable.ID(v)) {
			return true
		}
	}
	return false
}

// passOnDeadGrants passes on the grants of dead processes. Each entry is first made one of this
// process, so that two processes that find it do not both pass it on.
func (c *Condition) passOnDeadGrants() {
	for i := range c.entries() {
		e := c.entry(i)
		v := e.word.Load()
		if v&stateBits != granted || proctable.Alive(proctable.ID(v)) {
			continue
		}
		mine := v&^ownerMask | uint64(proctable.Me())
		if !e.word.CompareAndSwap(v, mine) {
			continue
		}
		shm.Point("condition.takenover")
		c.grant(1)
		shm.Point("condition.passedon")
		if e.word.CompareAndSwap(mine, 0) {
			c.noteFree(e)
		}
	}
}
