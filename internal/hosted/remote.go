package hosted

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"weak"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// remote is an object of the server as a client has it. There is one of each object at a time, so that all
// handles of the program on it are the same carrier.
type remote struct {
	client *Client
	id     ID
	handle uint64 // in the session
	kind   Kind
	number uint64
	size   int // of a queue: its capacity
	typed  carrier.Object
	err    atomic.Pointer[error] // the first of a method that returns none
	entry  *entry
	gc     runtime.Cleanup
}

// entry is what the client knows of an object without keeping its remote alive. The client's mutex guards it.
type entry struct {
	id      ID
	handle  uint64
	object  weak.Pointer[remote]
	handles int    // of the program
	opens   uint64 // that the server counts for them
}

// Open opens the object with that ID, which came with that lease, or with 0. It returns a *Queue, *Lock, *RLock,
// *Semaphore, *Condition, *Event, *Barrier, *Value or *Object, to be closed as often as it was opened.
func (c *Client) Open(ctx context.Context, id ID, lease uint64) (carrier.Object, error) {
	return c.openBy(ctx, &request{frame: frame{op: opOpen, n: lease, data: id[:]}})
}

// Lookup opens the object with that name, or has the server make it: see Config.Lookup.
func (c *Client) Lookup(ctx context.Context, name string, args Message) (carrier.Object, error) {
	return c.openBy(ctx, &request{
		frame:  frame{op: opLookup, m: uint64(len(name)), refs: args.Refs, data: []byte(name)},
		pieces: [][]byte{args.Data}, waits: true,
	})
}

// create makes an object in the server.
func (c *Client) create(ctx context.Context, spec Spec, lock uint64) (carrier.Object, error) {
	return c.openBy(ctx, &request{frame: frame{
		op: opCreate, n: uint64(spec.Kind), m: appendSize(spec.Size), handle: lock, data: appendSpec(nil, spec),
	}})
}

// openBy makes a request whose reply describes an object.
func (c *Client) openBy(ctx context.Context, q *request) (carrier.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	o := &remote{client: c, handle: r.handle, kind: Kind(min(r.n, math.MaxUint8)), number: r.m}
	data := cursor{b: r.data}
	copy(o.id[:], data.bytes(uint64(len(o.id))))
	var lock *Lock
	switch {
	case o.kind == KindQueue:
		o.size = int(min(data.uvarint(), math.MaxInt))
	case o.kind == KindCondition && !data.bad:
		var id ID
		copy(id[:], data.bytes(uint64(len(id))))
		opened, err := c.Open(ctx, id, 0)
		if err != nil {
			c.closeHandle(o.handle, 1)
			return nil, err
		}
		lock = lockOf(opened)
	}
	if o.typed = o.bind(lock); data.bad || o.typed == nil {
		c.closeHandle(o.handle, 1)
		return nil, fmt.Errorf("mp: the server describes %v in a way that this client does not understand", o.kind)
	}
	return c.adopt(o, lock), nil
}

// bind makes the carrier of an object.
func (o *remote) bind(lock *Lock) carrier.Object {
	switch o.kind {
	case KindLock:
		return &Lock{o}
	case KindRLock:
		return &RLock{Lock{o}}
	case KindSemaphore:
		return &Semaphore{o}
	case KindCondition:
		if lock != nil {
			return &Condition{o, lock}
		}
	case KindEvent:
		return &Event{o}
	case KindBarrier:
		return &Barrier{o}
	case KindValue:
		return &Value{remote: o}
	case KindQueue:
		return &Queue{o}
	case KindCallable:
		return &Object{o}
	}
	return nil
}

// adopt makes an object that was opened the client's, or one more handle of the one that there is. The lock is
// that of a condition, and goes with it.
func (c *Client) adopt(o *remote, lock *Lock) carrier.Object {
	c.mu.Lock()
	if e := c.objects[o.id]; e != nil {
		if known := e.object.Value(); known != nil {
			e.handles++
			e.opens++
			c.mu.Unlock()
			if lock != nil {
				lock.Close()
			}
			return known.typed
		}
	}
	o.entry = &entry{id: o.id, handle: o.handle, object: weak.Make(o), handles: 1, opens: 1}
	c.objects[o.id] = o.entry
	o.gc = runtime.AddCleanup(o, c.drop, o.entry)
	c.mu.Unlock()
	return o.typed
}

// drop lets go of an object that is garbage.
func (c *Client) drop(e *entry) {
	c.mu.Lock()
	if c.objects[e.id] == e {
		delete(c.objects, e.id)
	}
	opens := e.opens
	e.opens = 0
	c.mu.Unlock()
	if opens > 0 {
		c.closeHandle(e.handle, opens)
	}
}

func (c *Client) closeHandle(handle, opens uint64) {
	if c.Err() == nil {
		c.tell(frame{op: opClose, handle: handle, n: opens})
	}
}

// Close implements carrier.Object.
func (o *remote) Close() error {
	c := o.client
	c.mu.Lock()
	if o.entry.handles--; o.entry.handles > 0 {
		c.mu.Unlock()
		return nil
	}
	c.mu.Unlock()
	o.gc.Stop()
	c.drop(o.entry)
	return nil
}

// Err implements carrier.Object.
func (o *remote) Err() error {
	if err := o.client.Err(); err != nil {
		return err
	}
	if err := o.err.Load(); err != nil {
		return *err
	}
	return nil
}

// note keeps the error of a method that returns none.
func (o *remote) note(err error) {
	if err != nil {
		o.err.CompareAndSwap(nil, &err)
	}
}

// ID is the object's.
func (o *remote) ID() ID { return o.id }

// ask makes a call that does not wait.
func (o *remote) ask(f frame) (frame, error) {
	f.handle = o.handle
	r, err := o.client.do(context.Background(), &request{frame: f})
	runtime.KeepAlive(o)
	return r, err
}

// tellOnly is ask for an error alone.
func (o *remote) tell(f frame) error {
	_, err := o.ask(f)
	return err
}

// number asks for a number, in a method that returns no error.
func (o *remote) askNumber(op op) int {
	r, err := o.ask(frame{op: op})
	o.note(err)
	return int(min(r.n, math.MaxInt))
}

// is asks a yes-no question, in a method that returns no error.
func (o *remote) is(f frame) bool {
	r, err := o.ask(f)
	o.note(err)
	return err == nil && r.flags&flagOK != 0
}

// wait makes a call that may wait.
func (o *remote) wait(ctx context.Context, f frame) (frame, error) {
	f.handle = o.handle
	r, err := o.client.do(ctx, &request{frame: f, waits: true})
	runtime.KeepAlive(o)
	return r, err
}

// watch has notify called when the object may have changed, until stop is called, and when the connection ends.
func (o *remote) watch(notify func()) (stop func()) {
	c := o.client
	q := request{frame: frame{op: opWatch, handle: o.handle}}
	id, err := c.doWatch(&q, notify)
	o.note(err)
	if err != nil {
		notify() // Select is to see that the object is lost
		return func() {}
	}
	return func() {
		c.mu.Lock()
		delete(c.watches, id)
		c.mu.Unlock()
		o.ask(frame{op: opUnwatch, n: id})
	}
}

// share asks for a lease for a reference to the object.
func (o *remote) share() (Ref, error) {
	r, err := o.ask(frame{op: opShare})
	return Ref{o.id, r.n}, err
}

func appendRef(b []byte, r Ref) []byte {
	return binary.LittleEndian.AppendUint64(append(b, r.ID[:]...), r.Lease)
}
