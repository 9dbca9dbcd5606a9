package hosted

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// serverConn is the server's side of a connection.
type serverConn struct {
	server  *Server
	session *Session
	link    *link
	frames  *frameReader
	calls   sync.WaitGroup // that have a goroutine

	mu      sync.Mutex
	running map[uint64]context.CancelFunc // of calls that wait
	watches map[uint64]func()             // stop them
	acting  map[uint64]chan bool          // get the outcome of a barrier's action
	notices notices

	in  frame // that was read
	out frame // that the goroutine that reads answers with
	err error // why the client is to be given up, as that goroutine found
}

// newServerConn makes the session of a connection; nil when the server was closed.
func newServerConn(s *Server, conn Conn, hello clientHello) *serverConn {
	session, err := s.NewSession(hello.name, hello.pid)
	if err != nil {
		return nil
	}
	l := newLink(conn)
	l.max = s.cfg.MaxMessage + frameSlack
	c := &serverConn{
		server: s, session: session, link: l, running: map[uint64]context.CancelFunc{},
		watches: map[uint64]func(){}, acting: map[uint64]chan bool{},
	}
	c.notices.link = l
	c.frames = newFrameReader(conn, l.max, l.arrived)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go session.End()
		return nil
	}
	s.conns[c] = struct{}{}
	s.serving.Add(1) // under the mutex, so that it is before Close waits
	return c
}

// serve reads requests until the connection ends, and lets go of all that the client had.
func (c *serverConn) serve() error {
	err := c.read()
	c.link.fail(err)
	c.session.End()
	c.mu.Lock()
	watches := c.watches
	c.watches = nil
	c.mu.Unlock()
	for _, stop := range watches {
		stop()
	}
	c.calls.Wait()
	return err
}

func (c *serverConn) read() error {
	for {
		if !c.frames.ready() {
			c.link.flush() // the replies to all that came at once
		}
		b, owned, err := c.frames.next()
		if err != nil {
			c.link.mu.Lock()
			defer c.link.mu.Unlock()
			if c.link.err != nil { // which is why
				err = c.link.err
			}
			return err
		}
		if err := c.in.decode(b); err != nil {
			return err
		}
		c.in.owned = owned
		if c.serveFrame(&c.in); c.err != nil {
			return c.err
		}
	}
}

// serveFrame does what a frame asks for, or has a goroutine do it.
func (c *serverConn) serveFrame(f *frame) {
	switch f.op {
	case opPing:
		c.link.send(&frame{op: opPong}, nil, false)
	case opCancel:
		c.mu.Lock()
		cancel := c.running[f.id]
		c.mu.Unlock()
		if cancel != nil {
			cancel()
		}
	case opActed:
		c.mu.Lock()
		outcome := c.acting[f.id]
		delete(c.acting, f.id)
		c.mu.Unlock()
		if outcome != nil {
			outcome <- f.flags&flagOK != 0
		}
	case opCreate, opOpen, opLookup, opUnshare:
		c.serveSession(f)
	default:
		h := c.session.handle(f.handle)
		switch {
		case h == nil && c.session.ctx.Err() != nil:
			c.err = errOver
			return
		case h == nil:
			c.fail(f, errGone(f.op))
			return
		}
		c.serveObject(f, h)
	}
}

// errGone is the error of a method of an object that the session has let go of.
func errGone(op op) error {
	switch op {
	case opRelease, opReturn, opCommit:
		return carrier.ErrNotOwner
	case opTaskDone:
		return carrier.ErrNotGot
	}
	return carrier.ErrHandleClosed
}

// reply answers the request f with c.out, when the goroutine that reads comes to write.
func (c *serverConn) reply(f *frame, out frame) {
	if f.id == 0 {
		return
	}
	out.op, out.id = opReply, f.id
	c.out = out
	c.send(&c.out, false)
}

// send sends a reply. One that is too large for the client becomes an error.
func (c *serverConn) send(out *frame, flush bool) {
	err := c.link.send(out, nil, flush)
	if err == nil || len(out.data) < c.server.cfg.MaxMessage {
		return
	}
	errorFrame(out, err, false)
	c.link.send(out, nil, flush)
}

// fail answers the request f with an error.
func (c *serverConn) fail(f *frame, err error) {
	if f.id == 0 {
		return
	}
	out := frame{id: f.id}
	errorFrame(&out, err, f.flags&flagEnded != 0)
	c.send(&out, false)
}

// done answers with an error or with nothing.
func (c *serverConn) done(f *frame, err error) {
	if err != nil {
		c.fail(f, err)
		return
	}
	c.reply(f, frame{})
}

// over is a ctx that has ended.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// start runs a call that may wait. It has a goroutine of its own, unless the caller's ctx has ended before: then
// it does not wait. do must not use f, which is the next frame by then.
func (c *serverConn) start(f *frame, h *Handle, do func(ctx context.Context, out *frame) error) {
	id := f.id
	if f.flags&flagEnded != 0 {
		out := frame{op: opReply, id: id}
		if err := c.guard(over, &out, do); err != nil {
			errorFrame(&out, err, true)
		}
		c.send(&out, false)
		return
	}
	ctx, cancel := context.WithCancel(c.session.ctx)
	c.mu.Lock()
	full := len(c.running)+len(c.watches) >= c.server.cfg.MaxCalls
	if full || id == 0 || c.running[id] != nil {
		c.mu.Unlock()
		cancel()
		if !full {
			c.err = errFrame
		}
		c.fail(f, errTooMany)
		return
	}
	c.running[id] = cancel
	c.mu.Unlock()
	if h != nil {
		h.enter()
	}
	c.calls.Go(func() {
		out, err := frame{op: opReply, id: id}, errPanic
		defer func() { // also when what runs here ends the goroutine
			if h != nil {
				h.leave()
			}
			c.mu.Lock()
			delete(c.running, id)
			c.mu.Unlock()
			gone := c.session.ctx.Err() != nil
			if err != nil {
				errorFrame(&out, err, ctx.Err() != nil)
			}
			cancel()
			if gone && err != nil {
				return // it ended with the session: the client hears that the connection has
			}
			c.send(&out, true)
		}()
		err = c.guard(ctx, &out, do)
	})
}

// guard makes a panic an error of the call, not the end of the server.
func (c *serverConn) guard(ctx context.Context, out *frame, do func(ctx context.Context, out *frame) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return do(ctx, out)
}

// act has the client run the action of the barrier's call with that id.
func (c *serverConn) act(id uint64) error {
	outcome := make(chan bool, 1)
	c.mu.Lock()
	c.acting[id] = outcome
	c.mu.Unlock()
	c.link.send(&frame{op: opAct, id: id}, nil, true)
	select {
	case ok := <-outcome:
		if ok {
			return nil
		}
		return errAction
	case <-c.session.ctx.Done():
		return errOver
	}
}

var errAction = errors.New("mp: the barrier's action failed")
