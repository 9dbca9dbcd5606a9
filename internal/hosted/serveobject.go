package hosted

import (
	"context"
	"math"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// serveObject does what a frame asks of an object.
func (c *serverConn) serveObject(f *frame, h *Handle) {
	switch f.op {
	case opClose:
		h.Close(f.n)
		c.reply(f, frame{})
		return
	case opShare:
		lease, err := h.Share()
		if err != nil {
			c.fail(f, err)
			return
		}
		c.reply(f, frame{n: lease})
		return
	case opUnwatch:
		c.unwatch(f)
		return
	}
	var known bool
	switch o := h.Carrier().(type) {
	case *SessionQueue:
		known = c.serveQueue(f, h, o)
	case carrier.Lock:
		known = c.serveLock(f, h, o)
	case carrier.Semaphore:
		known = c.serveSemaphore(f, h, o)
	case carrier.Condition:
		known = c.serveCondition(f, h, o)
	case carrier.Event:
		known = c.serveEvent(f, h, o)
	case carrier.Barrier:
		known = c.serveBarrier(f, h, o)
	case carrier.Value:
		known = c.serveValue(f, h, o)
	case Callable:
		known = c.serveCallable(f, h, o)
	}
	if !known {
		c.fail(f, errNoOp)
	}
}

func grantFrame(g carrier.Grant) frame {
	out := frame{n: g.Token}
	if g.Abandoned {
		out.flags = flagOK
	}
	return out
}

func (c *serverConn) yes(f *frame, ok bool) {
	var out frame
	if ok {
		out.flags = flagOK
	}
	c.reply(f, out)
}

func (c *serverConn) number(f *frame, n int) { c.reply(f, frame{n: uint64(max(n, 0))}) }

// acquire is Acquire of a lock or a semaphore.
func (c *serverConn) acquire(f *frame, h *Handle, try func() (carrier.Grant, bool), wait func(context.Context) (carrier.Grant, error)) {
	if f.flags&flagEnded == 0 {
		if g, ok := try(); ok || f.op == opTryAcquire {
			c.reply(f, grantFrame(g))
			return
		}
	}
	c.start(f, h, func(ctx context.Context, out *frame) error {
		g, err := wait(ctx)
		granted := grantFrame(g)
		out.n, out.flags = granted.n, granted.flags
		return err
	})
}

func (c *serverConn) serveLock(f *frame, h *Handle, l carrier.Lock) bool {
	switch f.op {
	case opAcquire, opTryAcquire:
		c.acquire(f, h, l.TryAcquire, l.Acquire)
	case opRelease:
		c.done(f, l.Release(f.n))
	case opHolds:
		c.yes(f, l.Holds(f.n))
	case opOwner:
		pid, held := l.Held()
		out := frame{n: uint64(pid)}
		if held {
			out.flags = flagOK
		}
		c.reply(f, out)
	default:
		return false
	}
	return true
}

func (c *serverConn) serveSemaphore(f *frame, h *Handle, s carrier.Semaphore) bool {
	switch f.op {
	case opAcquire, opTryAcquire:
		c.acquire(f, h, s.TryAcquire, s.Acquire)
	case opReturn:
		c.done(f, s.Return(f.n))
	case opRelease:
		c.done(f, s.Release(int(min(f.n, math.MaxInt32))))
	case opAvailable:
		c.number(f, s.Available())
	default:
		return false
	}
	return true
}

func (c *serverConn) serveCondition(f *frame, h *Handle, cond carrier.Condition) bool {
	switch token := f.n; f.op {
	case opWait:
		c.start(f, h, func(ctx context.Context, out *frame) error {
			g, err := cond.Wait(ctx, token)
			granted := grantFrame(g)
			out.n, out.flags = granted.n, granted.flags
			return err
		})
	case opSignal:
		c.done(f, cond.Notify(token, int(min(f.m, math.MaxInt))))
	default:
		return false
	}
	return true
}

func (c *serverConn) serveEvent(f *frame, h *Handle, e carrier.Event) bool {
	switch f.op {
	case opSet:
		c.done(f, e.Set())
	case opClear:
		c.done(f, e.Clear())
	case opIsSet:
		c.yes(f, e.IsSet())
	case opWait:
		if e.IsSet() {
			c.reply(f, frame{})
			break
		}
		c.start(f, h, func(ctx context.Context, _ *frame) error { return e.Wait(ctx) })
	case opWatch:
		c.watch(f, e.Watch)
	default:
		return false
	}
	return true
}

func (c *serverConn) serveBarrier(f *frame, h *Handle, b carrier.Barrier) bool {
	switch id := f.id; f.op {
	case opWait:
		var action func() error
		if f.m != 0 {
			action = func() error { return c.act(id) }
		}
		c.start(f, h, func(ctx context.Context, out *frame) error {
			place, err := b.Wait(ctx, action)
			out.n = uint64(place)
			return err
		})
	case opAbort:
		c.done(f, b.Abort())
	case opReset:
		c.done(f, b.Reset())
	case opWaiting:
		c.number(f, b.Waiting())
	case opBroken:
		c.yes(f, b.Broken())
	default:
		return false
	}
	return true
}

func (c *serverConn) serveValue(f *frame, h *Handle, v carrier.Value) bool {
	words := func() []byte {
		to := make([]uint64, v.Words())
		v.Load(to)
		return appendWords(make([]byte, 0, 8*len(to)), to)
	}
	switch f.op {
	case opLoad:
		c.reply(f, frame{data: words()})
	case opBegin:
		c.start(f, h, func(ctx context.Context, out *frame) (err error) {
			if out.n, err = v.Begin(ctx); err == nil {
				out.data = words()
			}
			return err
		})
	case opCommit:
		c.done(f, v.Commit(f.n, wordsOf(f.data)))
	case opRevert:
		v.Cancel(f.n)
		c.reply(f, frame{})
	default:
		return false
	}
	return true
}

func (c *serverConn) serveCallable(f *frame, h *Handle, o Callable) bool {
	if f.op != opInvoke {
		return false
	}
	method, args, ok := split(f)
	if !ok {
		c.err = errFrame
		return true
	}
	c.start(f, h, func(ctx context.Context, out *frame) error {
		reply, err := o.Invoke(ctx, c.session, method, args)
		if err == nil {
			err = c.session.lend(reply.Refs)
		}
		if err == nil {
			out.data = reply.Data
		}
		return err
	})
	return true
}
