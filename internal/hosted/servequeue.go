package hosted

import (
	"context"
	"errors"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// serveQueue does what a frame asks of a queue. A Put or Get that need not wait is done at once.
func (c *serverConn) serveQueue(f *frame, h *Handle, q *SessionQueue) bool {
	switch f.op {
	case opPut, opTryPut:
		c.servePut(f, h, q)
	case opGet, opTryGet:
		c.serveGet(f, h, q)
	case opLen:
		c.number(f, q.Len())
	case opFull:
		c.yes(f, q.Full())
	case opClosed:
		c.yes(f, q.Closed())
	case opUnfinished:
		c.number(f, q.Unfinished())
	case opTaskDone:
		c.done(f, q.TaskDone())
	case opJoin:
		c.start(f, h, func(ctx context.Context, _ *frame) error { return q.Join(ctx) })
	case opShutdown:
		c.done(f, q.Shutdown())
	case opCloseNow:
		n, err := q.CloseNow()
		if err != nil {
			c.fail(f, err)
			break
		}
		c.number(f, n)
	case opReadable:
		c.yes(f, q.Readable())
	case opWatch:
		c.watch(f, q.Watch)
	default:
		return false
	}
	return true
}

func (c *serverConn) servePut(f *frame, h *Handle, q *SessionQueue) {
	m := Message{Data: f.data, Refs: f.refs}
	if !f.owned {
		m.Data = append(make([]byte, 0, len(f.data)), f.data...)
	}
	i, err := q.newItem(m)
	if err != nil {
		c.fail(f, err)
		return
	}
	var out frame
	err = c.guard(over, &out, func(context.Context, *frame) error { return q.items.TryPut(i) })
	if f.op == opPut && err == carrier.ErrFull {
		c.start(f, h, func(ctx context.Context, _ *frame) error { return q.put(ctx, i) })
		return
	}
	c.done(f, q.sent(i, err))
}

func (c *serverConn) serveGet(f *frame, h *Handle, q *SessionQueue) {
	var m Message
	var out frame
	err := c.guard(over, &out, func(context.Context, *frame) (err error) {
		m, err = q.TryGet()
		return err
	})
	switch {
	case err == nil:
		c.reply(f, frame{data: m.Data})
	case f.op == opGet && errors.Is(err, carrier.ErrEmpty):
		c.start(f, h, func(ctx context.Context, out *frame) error {
			m, err := q.Get(ctx)
			out.data = m.Data
			return err
		})
	default:
		c.fail(f, err)
	}
}
