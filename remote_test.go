package mp_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// remoteClient asks a server by a pipe of bytes.
type remoteClient struct {
	number uint64
	server *remoteServer // only to make objects
	pipe   io.Closer

	mu      sync.Mutex
	out     *gob.Encoder
	last    uint64
	waiting map[uint64]chan *remoteReply
	watches map[uint64]func()
	lost    error
}

// remoteClients are all that there are: an object travels as the number of its client, and its own.
var remoteClients struct {
	sync.Mutex
	known []*remoteClient
}

func newRemoteClient() *remoteClient {
	here, there := net.Pipe()
	s := &remoteServer{objects: map[uint64]any{}, running: map[uint64]context.CancelFunc{}, stops: map[uint64]func(){}}
	go s.serve(there)
	c := &remoteClient{server: s, pipe: here, out: gob.NewEncoder(here), waiting: map[uint64]chan *remoteReply{}, watches: map[uint64]func(){}}
	go c.receive(here)
	remoteClients.Lock()
	defer remoteClients.Unlock()
	c.number = uint64(len(remoteClients.known))
	remoteClients.known = append(remoteClients.known, c)
	return c
}

// theRemote is for the tests of other files.
var theRemote = sync.OnceValue(newRemoteClient)

func init() {
	atEnd = append(atEnd, func() {
		remoteClients.Lock()
		defer remoteClients.Unlock()
		for _, c := range remoteClients.known {
			c.pipe.Close()
		}
	})
	contract.RegisterOpener(remoteKind, func(r *wire.Reader) (contract.Object, error) {
		client, object, what := r.Uvarint(), r.Uvarint(), r.Byte()
		extra := r.Uvarint()
		if err := r.Err(); err != nil {
			return nil, err
		}
		remoteClients.Lock()
		defer remoteClients.Unlock()
		if client >= uint64(len(remoteClients.known)) {
			return nil, fmt.Errorf("an object of another process")
		}
		return remoteObject{remoteClients.known[client], object, what, extra}.typed(), nil
	})
}

const remoteKind = contract.KindTest + 1

// receive takes the replies to who waits for them.
func (c *remoteClient) receive(pipe io.Reader) {
	in := gob.NewDecoder(pipe)
	for {
		r := new(remoteReply)
		err := in.Decode(r)
		c.mu.Lock()
		if err != nil {
			c.lost = fmt.Errorf("%w: the server", contract.ErrLost)
			for _, w := range c.waiting {
				close(w)
			}
			clear(c.waiting)
			c.mu.Unlock()
			return
		}
		if r.Notify {
			if notify := c.watches[r.ID]; notify != nil {
				notify()
			}
		} else if w := c.waiting[r.ID]; w != nil {
			delete(c.waiting, r.ID)
			w <- r
		}
		c.mu.Unlock()
	}
}

// begin sends a request.
func (c *remoteClient) begin(q *remoteRequest, notify func()) (chan *remoteReply, error) {
	reply := make(chan *remoteReply, 1)
	c.mu.Lock()
	if c.lost != nil {
		defer c.mu.Unlock()
		return nil, c.lost
	}
	c.last++
	q.ID = c.last
	c.waiting[q.ID] = reply
	if notify != nil {
		c.watches[q.ID] = notify
	}
	c.mu.Unlock()
	c.send(q)
	return reply, nil
}

var remoteSend sync.Mutex

// send fails only when the pipe is closed, and then receive ends what waits.
func (c *remoteClient) send(q *remoteRequest) {
	remoteSend.Lock()
	defer remoteSend.Unlock()
	c.out.Encode(q)
}

// remoteObject is an object of the server.
type remoteObject struct {
	client *remoteClient
	number uint64
	what   byte
	extra  uint64 // its type, or its words
}

const (
	remoteIsLock = iota
	remoteIsSemaphore
	remoteIsEvent
	remoteIsValue
	remoteIsQueue
)

// make puts an object into the server.
func (c *remoteClient) make(o any, what byte, extra uint64) remoteObject {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	number := uint64(len(c.server.objects) + 1)
	c.server.objects[number] = o
	return remoteObject{c, number, what, extra}
}

func (o remoteObject) typed() contract.Object {
	switch o.what {
	case remoteIsSemaphore:
		return &remoteSemaphore{o}
	case remoteIsEvent:
		return &remoteEvent{o}
	case remoteIsValue:
		return &remoteValue{o}
	case remoteIsQueue:
		return &remoteQueue{o}
	}
	return &remoteLock{o}
}

func (o remoteObject) Share(b *wire.Buffer) error {
	b.Byte(byte(remoteKind))
	b.Uvarint(o.client.number)
	b.Uvarint(o.number)
	b.Byte(o.what)
	b.Uvarint(o.extra)
	return nil
}

func (o remoteObject) Close() error { return nil }

func (o remoteObject) Err() error {
	o.client.mu.Lock()
	defer o.client.mu.Unlock()
	return o.client.lost
}

// call asks, and gives up when ctx ends: what has happened by then counts.
func (o remoteObject) call(ctx context.Context, q remoteRequest) (*remoteReply, error) {
	q.Object, q.Ended = o.number, ctx.Err() != nil
	reply, err := o.client.begin(&q, nil)
	if err != nil {
		return new(remoteReply), err
	}
	var r *remoteReply
	select {
	case r = <-reply:
	case <-ctx.Done():
		o.client.send(&remoteRequest{ID: q.ID, Cancel: true})
		r = <-reply
	}
	if r == nil {
		return new(remoteReply), o.Err()
	}
	switch {
	case r.Error == "":
		return r, nil
	case r.Is == remoteEnded:
		if why, more := strings.CutSuffix(r.Error, ": "+context.Canceled.Error()); more {
			return r, fmt.Errorf("%s: %w", why, ctx.Err())
		}
		return r, ctx.Err()
	case r.Exact:
		return r, remoteErrors[r.Is-1]
	case r.Is > 0:
		return r, contract.NewError(strings.TrimPrefix(r.Error, "mp: "), remoteErrors[r.Is-1])
	}
	return r, errors.New(r.Error)
}

// ask is call of a method that does not wait.
func (o remoteObject) ask(method string, n uint64) (*remoteReply, error) {
	return o.call(context.Background(), remoteRequest{Method: method, Number: n})
}

func (o remoteObject) watch(notify func()) (stop func()) {
	q := remoteRequest{Method: "watch", Object: o.number}
	reply, err := o.client.begin(&q, notify)
	if err != nil {
		return func() {}
	}
	<-reply
	return func() {
		o.ask("unwatch", q.ID)
		o.client.mu.Lock()
		defer o.client.mu.Unlock()
		delete(o.client.watches, q.ID)
	}
}

type remoteLock struct{ remoteObject }

func (l *remoteLock) Acquire(ctx context.Context) (contract.Grant, error) {
	r, err := l.call(ctx, remoteRequest{Method: "acquire"})
	return contract.Grant{Token: r.Number}, err
}

func (l *remoteLock) TryAcquire() (contract.Grant, bool) {
	r, _ := l.ask("try", 0)
	return contract.Grant{Token: r.Number}, r.OK
}

func (l *remoteLock) Release(token uint64) error {
	_, err := l.ask("release", token)
	return err
}

func (l *remoteLock) Holds(token uint64) bool {
	r, _ := l.ask("holds", token)
	return r.OK
}

func (l *remoteLock) Held() (pid int, held bool) {
	r, _ := l.ask("held", 0)
	return int(r.Number), r.OK
}

func (l *remoteLock) NewCondition() (contract.Condition, error) {
	return nil, fmt.Errorf("mp: a condition of a lock behind a byte pipe: %w", errors.ErrUnsupported)
}

type remoteSemaphore struct{ remoteObject }

func (s *remoteSemaphore) Acquire(ctx context.Context) (contract.Grant, error) {
	r, err := s.call(ctx, remoteRequest{Method: "acquire"})
	return contract.Grant{Token: r.Number}, err
}

func (s *remoteSemaphore) TryAcquire() (contract.Grant, bool) {
	r, _ := s.ask("try", 0)
	return contract.Grant{Token: r.Number}, r.OK
}

func (s *remoteSemaphore) Return(token uint64) error {
	_, err := s.ask("return", token)
	return err
}

func (s *remoteSemaphore) Release(n int) error {
	_, err := s.ask("release", uint64(n))
	return err
}

func (s *remoteSemaphore) Available() int {
	r, _ := s.ask("available", 0)
	return int(r.Number)
}

type remoteEvent struct{ remoteObject }

func (e *remoteEvent) Set() error {
	_, err := e.ask("set", 0)
	return err
}

func (e *remoteEvent) Clear() error {
	_, err := e.ask("clear", 0)
	return err
}

func (e *remoteEvent) IsSet() bool {
	r, _ := e.ask("isset", 0)
	return r.OK
}

func (e *remoteEvent) Wait(ctx context.Context) error {
	_, err := e.call(ctx, remoteRequest{Method: "wait"})
	return err
}

func (e *remoteEvent) Watch(notify func()) (stop func()) { return e.watch(notify) }

type remoteValue struct{ remoteObject }

func (v *remoteValue) Words() int { return int(v.extra) }

func (v *remoteValue) Load(to []uint64) {
	r, _ := v.ask("load", 0)
	copy(to, r.Words)
}

func (v *remoteValue) Begin(ctx context.Context) (token uint64, err error) {
	r, err := v.call(ctx, remoteRequest{Method: "begin"})
	return r.Number, err
}

func (v *remoteValue) Commit(token uint64, from []uint64) error {
	_, err := v.call(context.Background(), remoteRequest{Method: "commit", Number: token, Words: from})
	return err
}

func (v *remoteValue) Cancel(token uint64) { v.ask("cancel", token) }

// remoteQueue carries no descriptors.
type remoteQueue struct{ remoteObject }

func (q *remoteQueue) Type() uint64 { return q.extra }

func remoteItem(m *contract.Item) []byte { return bytes.Join(m.Pieces, nil) }

func (q *remoteQueue) Put(ctx context.Context, m *contract.Item) error {
	_, err := q.call(ctx, remoteRequest{Method: "put", Data: remoteItem(m)})
	return err
}

func (q *remoteQueue) TryPut(m *contract.Item) error {
	_, err := q.call(context.Background(), remoteRequest{Method: "tryput", Data: remoteItem(m)})
	return err
}

func (q *remoteQueue) Get(ctx context.Context, buf []byte) ([]byte, []*os.File, error) {
	r, err := q.call(ctx, remoteRequest{Method: "get"})
	return append(buf[:0], r.Data...), nil, err
}

func (q *remoteQueue) TryGet(buf []byte) ([]byte, []*os.File, error) {
	r, err := q.ask("tryget", 0)
	return append(buf[:0], r.Data...), nil, err
}

func (q *remoteQueue) number(method string) int {
	r, _ := q.ask(method, 0)
	return int(r.Number)
}

func (q *remoteQueue) is(method string) bool {
	r, _ := q.ask(method, 0)
	return r.OK
}

func (q *remoteQueue) do(ctx context.Context, method string) error {
	_, err := q.call(ctx, remoteRequest{Method: method})
	return err
}

func (q *remoteQueue) Len() int                          { return q.number("len") }
func (q *remoteQueue) Cap() int                          { return q.number("cap") }
func (q *remoteQueue) Full() bool                        { return q.is("full") }
func (q *remoteQueue) Closed() bool                      { return q.is("closed") }
func (q *remoteQueue) Unfinished() int                   { return q.number("unfinished") }
func (q *remoteQueue) TaskDone() error                   { return q.do(context.Background(), "done") }
func (q *remoteQueue) Join(ctx context.Context) error    { return q.do(ctx, "join") }
func (q *remoteQueue) Shutdown() error                   { return q.do(context.Background(), "shutdown") }
func (q *remoteQueue) Readable() bool                    { return q.is("readable") }
func (q *remoteQueue) Watch(notify func()) (stop func()) { return q.watch(notify) }

func (q *remoteQueue) CloseNow() (dropped int, err error) {
	r, err := q.ask("closenow", 0)
	return int(r.Number), err
}

// The constructors.

func (c *remoteClient) newLock() (*mp.Lock, error) {
	return hooks.Lock(&remoteLock{c.make(inproc.NewLock(), remoteIsLock, 0)}).(*mp.Lock), nil
}

func (c *remoteClient) newSemaphore(permits int, bounded bool) (*mp.Semaphore, error) {
	if permits < 0 || permits > contract.MaxPermits {
		return nil, fmt.Errorf("%w: %d permits", fs.ErrInvalid, permits)
	}
	o := c.make(inproc.NewSemaphore(permits, bounded), remoteIsSemaphore, 0)
	return hooks.Semaphore(&remoteSemaphore{o}).(*mp.Semaphore), nil
}

func (c *remoteClient) newEvent() (*mp.Event, error) {
	return hooks.Event(&remoteEvent{c.make(inproc.NewEvent(), remoteIsEvent, 0)}).(*mp.Event), nil
}

func newRemoteValue[T any](v T) (*mp.Value[T], error) {
	return mp.CarryValue(key.Key{}, v, func(words []uint64) (contract.Value, error) {
		return &remoteValue{theRemote().make(inproc.NewValue(words), remoteIsValue, uint64(len(words)))}, nil
	})
}

func newRemoteQueue[T any](capacity int) (*mp.Queue[T], error) {
	number, _ := contract.ItemType[T]()
	o := theRemote().make(inproc.NewQueue[[]byte](capacity), remoteIsQueue, number)
	return mp.CarryQueue(key.Key{}, contract.EncodeQueue[T](&remoteQueue{o})), nil
}

// remoteParcel has an object of each kind.
type remoteParcel struct {
	Lock      *mp.Lock
	Semaphore *mp.Semaphore
	Event     *mp.Event
	Value     *mp.Value[int]
	Queue     *mp.Queue[int]
}

func newRemoteParcel(t *testing.T, c *remoteClient) (p remoteParcel) {
	t.Helper()
	var errs [5]error
	p.Lock, errs[0] = c.newLock()
	p.Semaphore, errs[1] = c.newSemaphore(1, true)
	p.Event, errs[2] = c.newEvent()
	p.Value, errs[3] = newRemoteValue(1)
	p.Queue, errs[4] = newRemoteQueue[int](2)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return p
}

// Handles travel inside values, those in items of a queue that is behind the pipe itself too.
func TestRemoteObjectsTravel(t *testing.T) {
	t.Parallel()
	ctx := queueCtx(t)
	way, err := newRemoteQueue[remoteParcel](1)
	if err != nil {
		t.Fatal(err)
	}
	sent := newRemoteParcel(t, theRemote())
	if err := way.Put(ctx, sent); err != nil {
		t.Fatal(err)
	}
	came, err := way.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sent.Lock.Acquire(ctx)
	if _, free := came.Lock.TryAcquire(); err != nil || free || !came.Lock.Locked() {
		t.Error("another lock:", err)
	}
	p, ok := came.Semaphore.TryAcquire()
	if !ok || sent.Semaphore.Available() != 0 {
		t.Error("another semaphore")
	}
	if err := errors.Join(h.Release(), p.Release(), came.Event.Set(), sent.Event.Wait(ctx)); err != nil {
		t.Error(err)
	}
	if err := came.Value.Update(ctx, func(v *int) { *v++ }); err != nil || sent.Value.Load() != 2 {
		t.Error("another value:", err)
	}
	if err := errors.Join(came.Queue.Put(ctx, 5), sent.Queue.TaskDone()); !errors.Is(err, mp.ErrNotOwner) || came.Queue.Len() != 1 {
		t.Error(err)
	}
	if v, err := sent.Queue.Get(ctx); v != 5 || err != nil {
		t.Error("another queue:", v, err)
	}
}

// An object that came as another one is refused.
func TestRemoteObjectOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	var b wire.Buffer
	if err := (&remoteEvent{theRemote().make(inproc.NewEvent(), remoteIsEvent, 0)}).Share(&b); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(b.Bytes())
	if _, err := contract.Open[contract.Lock](contract.Kind(r.Byte()), r); err == nil {
		t.Error("an event is a lock")
	}
	if _, err := contract.Open[contract.Lock](contract.Kind(255), r); err == nil {
		t.Error("an unknown kind was opened")
	}
}

// When the server is gone, everything is ErrLost, and what has no error is zero and Err says why.
func TestRemoteServerThatIsGone(t *testing.T) {
	t.Parallel()
	ctx := queueCtx(t)
	c := newRemoteClient()
	l, _ := c.newLock()
	e, _ := c.newEvent()
	h, err := l.Acquire(ctx)
	if err != nil || l.Err() != nil {
		t.Fatal(err)
	}
	acquire := func() error {
		_, err := l.Acquire(ctx)
		return err
	}
	waits := make(chan error, 2)
	go func() { waits <- acquire() }()
	go func() { waits <- e.Wait(ctx) }()
	c.pipe.Close()
	for range 2 {
		if err := <-waits; !errors.Is(err, mp.ErrLost) {
			t.Error(err)
		}
	}
	for _, err := range []error{acquire(), h.Release(), e.Set(), e.Clear(), e.Wait(ctx), l.Err(), e.Err()} {
		if !errors.Is(err, mp.ErrLost) {
			t.Error(err)
		}
	}
	if _, ok := l.TryAcquire(); ok || l.Locked() || e.IsSet() {
		t.Error("not zero")
	}
	if err := l.Close(); err != nil || !errors.Is(l.Err(), mp.ErrClosed) {
		t.Error(err, l.Err())
	}
}
