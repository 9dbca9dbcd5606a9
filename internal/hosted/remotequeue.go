package hosted

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Queue is a hosted queue. It implements carrier.ByteQueue, and has its methods for messages of any encoding.
type Queue struct{ *remote }

// NewQueue makes a queue in the server. number stands for the type of the items: see carrier.ByteQueue.
func (c *Client) NewQueue(ctx context.Context, order Order, capacity int, number uint64) (*Queue, error) {
	return typedAs[*Queue](c.create(ctx, Spec{Kind: KindQueue, Order: order, Size: capacity, Number: number}, 0))
}

// Type implements carrier.ByteQueue.
func (q *Queue) Type() uint64 { return q.number }

func (q *Queue) put(ctx context.Context, f frame, pieces [][]byte) error {
	f.handle = q.handle
	_, err := q.client.do(ctx, &request{frame: f, pieces: pieces, waits: f.op == opPut})
	runtime.KeepAlive(q.remote)
	return err
}

// Put implements carrier.ByteQueue.
func (q *Queue) Put(ctx context.Context, m *carrier.Item) error {
	refs, err := q.refsOf(m)
	if err != nil {
		return err
	}
	return q.put(ctx, frame{op: opPut, refs: refs}, m.Pieces)
}

// TryPut implements carrier.ByteQueue.
func (q *Queue) TryPut(m *carrier.Item) error {
	refs, err := q.refsOf(m)
	if err != nil {
		return err
	}
	return q.put(context.Background(), frame{op: opTryPut, refs: refs}, m.Pieces)
}

// refsOf finds the objects of the same server in an item.
func (q *Queue) refsOf(m *carrier.Item) (refs []Ref, err error) {
	if len(m.Files) > 0 {
		return nil, fmt.Errorf("mp: an item of a server's queue holds something that travels as a descriptor, such as a shared object of mp or a file: %w", errors.ErrUnsupported)
	}
	for _, r := range m.References {
		if ours, ok := r.(*reference); ok && ours.client.server.id == q.client.server.id {
			refs = append(refs, ours.ref)
		}
	}
	return refs, nil
}

// PutMessage is Put of a message whose references were made by Reference.
func (q *Queue) PutMessage(ctx context.Context, m Message) error {
	return q.put(ctx, frame{op: opPut, refs: m.Refs, data: m.Data}, nil)
}

// TryPutMessage is TryPut of such a message.
func (q *Queue) TryPutMessage(m Message) error {
	return q.put(context.Background(), frame{op: opTryPut, refs: m.Refs, data: m.Data}, nil)
}

func (q *Queue) get(ctx context.Context, op op, buf []byte) ([]byte, error) {
	r, err := q.client.do(ctx, &request{frame: frame{op: op, handle: q.handle}, buf: buf, waits: op == opGet})
	runtime.KeepAlive(q.remote)
	if err != nil {
		return nil, err
	}
	if len(r.data) >= carrier.LargeItem && !r.owned { // it would be taken for memory of its own
		r.data = append(make([]byte, 0, len(r.data)), r.data...)
	}
	return r.data, nil
}

// Get implements carrier.ByteQueue.
func (q *Queue) Get(ctx context.Context, buf []byte) ([]byte, []*os.File, error) {
	b, err := q.get(ctx, opGet, buf)
	return b, nil, err
}

// TryGet implements carrier.ByteQueue.
func (q *Queue) TryGet(buf []byte) ([]byte, []*os.File, error) {
	b, err := q.get(context.Background(), opTryGet, buf)
	return b, nil, err
}

// Len implements carrier.QueueState.
func (q *Queue) Len() int { return q.askNumber(opLen) }

// Cap implements carrier.QueueState. It asks nobody.
func (q *Queue) Cap() int { return q.size }

// Full implements carrier.QueueState.
func (q *Queue) Full() bool { return q.is(frame{op: opFull}) }

// Closed implements carrier.QueueState.
func (q *Queue) Closed() bool { return q.is(frame{op: opClosed}) }

// Unfinished implements carrier.QueueState.
func (q *Queue) Unfinished() int { return q.askNumber(opUnfinished) }

// TaskDone implements carrier.QueueState.
func (q *Queue) TaskDone() error { return q.tell(frame{op: opTaskDone}) }

// Join implements carrier.QueueState.
func (q *Queue) Join(ctx context.Context) error {
	_, err := q.wait(ctx, frame{op: opJoin})
	return err
}

// Shutdown implements carrier.QueueState.
func (q *Queue) Shutdown() error { return q.tell(frame{op: opShutdown}) }

// CloseNow implements carrier.QueueState.
func (q *Queue) CloseNow() (dropped int, err error) {
	r, err := q.ask(frame{op: opCloseNow})
	return int(min(r.n, math.MaxInt)), err
}

// Readable implements carrier.QueueState. A queue that is lost is: there will be no items any more.
func (q *Queue) Readable() bool {
	return q.is(frame{op: opReadable}) || q.client.Err() != nil
}

// Watch implements carrier.QueueState.
func (q *Queue) Watch(notify func()) (stop func()) { return q.watch(notify) }
