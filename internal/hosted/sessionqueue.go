package hosted

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// hostedQueue holds encoded items.
type hostedQueue struct {
	server    *Server
	items     *inproc.Queue[*item]
	capacity  int
	abandoned atomic.Uint64 // items that clients had got, and did not say to be done before they died
}

// item is an encoded one. It keeps what it refers to alive.
type item struct {
	data []byte
	refs []*object
	at   []Ref // by the same index
}

// countAbandoned counts items as done by a client that died.
func (q *hostedQueue) countAbandoned(n int) {
	q.abandoned.Add(uint64(n))
	q.items.Abandon(n)
}

// SessionQueue is a queue as a session has it. Its methods are those of carrier.ByteQueue, for messages.
type SessionQueue struct {
	*hostedQueue
	handle *Handle
	got    int    // items that were not said to be done; guarded by the session's mutex
	told   uint64 // abandoned items that a Join has told of; likewise
}

func (q *SessionQueue) any() bool    { return false }
func (q *SessionQueue) undone() bool { return q.got > 0 }

// newItem makes an item of a message, whose bytes the caller gives away.
func (q *SessionQueue) newItem(m Message) (*item, error) {
	i := &item{data: m.Data}
	for _, r := range m.Refs {
		o := q.server.find(r.ID)
		if o == nil {
			q.server.unref(i.refs...)
			return nil, fmt.Errorf("an object inside the item: %w", errNoObject)
		}
		i.refs, i.at = append(i.refs, o), append(i.at, r)
	}
	return i, nil
}

// sent follows a Put: the item refers to its objects from now on, or not at all.
func (q *SessionQueue) sent(i *item, err error) error {
	if len(i.at) == 0 {
		return err
	}
	if err != nil {
		q.server.unref(i.refs...)
		return err
	}
	for at, o := range i.refs { // which may be the getter's by now
		q.server.endLease(i.at[at].Lease, o)
	}
	return nil
}

// Put waits until there is room for the item.
func (q *SessionQueue) Put(ctx context.Context, m Message) error {
	i, err := q.newItem(m)
	if err != nil {
		return err
	}
	return q.put(ctx, i)
}

func (q *SessionQueue) put(ctx context.Context, i *item) error { return q.sent(i, q.items.Put(ctx, i)) }

// TryPut is Put that does not wait.
func (q *SessionQueue) TryPut(m Message) error {
	i, err := q.newItem(m)
	if err != nil {
		return err
	}
	return q.sent(i, q.items.TryPut(i))
}

// Get waits for an item and takes it. The session has to open what it refers to.
func (q *SessionQueue) Get(ctx context.Context) (Message, error) {
	i, err := q.items.Get(ctx)
	if err != nil {
		return Message{}, err
	}
	return q.keep(i)
}

// TryGet is Get that does not wait.
func (q *SessionQueue) TryGet() (Message, error) {
	i, err := q.items.TryGet()
	if err != nil {
		return Message{}, err
	}
	return q.keep(i)
}

// keep makes an item one that the session got. If the session has ended, the item is gone with it.
func (q *SessionQueue) keep(i *item) (Message, error) {
	s := q.handle.session
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		q.server.unref(i.refs...)
		q.countAbandoned(1)
		return Message{}, errOver
	}
	q.got++
	s.mu.Unlock()
	for _, o := range i.refs { // the item's references become the getter's leases
		q.server.newLease(s, o, true)
	}
	return Message{Data: i.data, Refs: i.at}, nil
}

// Len is how many items are in the queue.
func (q *SessionQueue) Len() int { return q.items.Len() }

// Cap is the queue's bound; 0 is none.
func (q *SessionQueue) Cap() int { return q.capacity }

// Full says whether a Put would wait.
func (q *SessionQueue) Full() bool { return q.items.Full() }

// Closed says whether the queue was closed.
func (q *SessionQueue) Closed() bool { return q.items.Closed() }

// Unfinished is how many items Join waits for.
func (q *SessionQueue) Unfinished() int { return q.items.Unfinished() }

// Type is the number that the maker of the queue has given.
func (q *SessionQueue) Type() uint64 { return q.handle.object.number }

// TaskDone says that an item that the session got is done.
func (q *SessionQueue) TaskDone() error {
	s := q.handle.session
	s.mu.Lock()
	if q.got == 0 {
		s.mu.Unlock()
		return carrier.ErrNotGot
	}
	q.got--
	s.mu.Unlock()
	return q.items.TaskDone()
}

// Join waits until nothing is left to do. A session is told of each abandoned item once, by all Joins that
// wait at that time or by its next one.
func (q *SessionQueue) Join(ctx context.Context) error {
	s := q.handle.session
	s.mu.Lock()
	before := q.told
	s.mu.Unlock()
	if err := q.items.Join(ctx); err != nil {
		return err
	}
	total := q.abandoned.Load()
	s.mu.Lock()
	q.told = max(q.told, total)
	s.mu.Unlock()
	if total > before {
		return &carrier.AbandonedError{Items: int(total - before)}
	}
	return nil
}

// Shutdown lets nothing more in.
func (q *SessionQueue) Shutdown() error { return q.items.Shutdown() }

// CloseNow is Shutdown that drops what is in the queue.
func (q *SessionQueue) CloseNow() (dropped int, err error) {
	items := q.items.CloseTaking()
	for _, i := range items {
		q.server.unref(i.refs...)
	}
	return len(items), nil
}

// Readable says whether there is an item, or there will be none any more.
func (q *SessionQueue) Readable() bool { return q.items.Readable() }

// Watch calls notify, which neither blocks nor uses the queue, when the queue may have become readable.
func (q *SessionQueue) Watch(notify func()) (stop func()) { return q.items.Watch(notify) }

func (q *SessionQueue) abandon() {
	s := q.handle.session
	s.mu.Lock()
	n := q.got
	q.got = 0
	s.mu.Unlock()
	if n > 0 {
		q.countAbandoned(n)
	}
}
