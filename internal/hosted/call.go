package hosted

import (
	"context"
	"sync"
	"sync/atomic"
)

// call is one that has no answer yet.
type call struct {
	events chan event
	act    func() error // of Barrier.Wait
	acted  bool
	began  atomic.Uint32 // the beat at which an answer began to be due; 0: it may wait
	reply  frame
	buf    []byte // for the reply's data, which is a copy then
}

type event byte

const (
	eventReply event = iota
	eventLost
	eventAct
)

var callPool = sync.Pool{New: func() any { return &call{events: make(chan event, 2)} }}

// take keeps a reply. Only the goroutine that reads calls it, before the caller sees it.
func (c *call) take(f *frame) {
	c.reply = *f
	c.reply.refs = nil
	if !f.owned {
		c.reply.data = append(c.buf[:0], f.data...)
	}
}

// request is what a call asks for.
type request struct {
	frame
	pieces [][]byte     // follow the frame's data
	buf    []byte       // for the reply's data
	act    func() error // of Barrier.Wait
	waits  bool         // it may wait until ctx ends
}

// do makes a call. One that waits ends with ctx, but not before the server has said that it has: what has
// happened by then counts, and there is no error.
func (c *Client) do(ctx context.Context, q *request) (frame, error) {
	p := callPool.Get().(*call)
	p.act, p.acted, p.buf = q.act, false, q.buf
	p.began.Store(0)
	if !q.waits {
		p.began.Store(c.now())
	} else if ctx.Err() != nil {
		q.flags |= flagEnded
		p.began.Store(c.now())
	}
	c.mu.Lock()
	if c.lost != nil {
		c.mu.Unlock()
		return frame{}, c.lost
	}
	c.last++
	id := c.last
	q.id = id
	c.calls[id] = p
	c.mu.Unlock()
	if err := c.link.send(&q.frame, q.pieces, true); err != nil {
		if err = c.unsent(id, err); err != nil {
			return frame{}, err
		}
	}
	lost := c.await(ctx, p, q)
	r := p.reply
	p.reply, p.buf, p.act = frame{}, nil, nil
	if !lost { // else the goroutine that reads may still have it
		callPool.Put(p)
	}
	switch {
	case lost:
		return frame{}, c.Err()
	case r.op == opError:
		return r, errorOf(&r, ctx)
	}
	return r, nil
}

// now is the beat, which is not 0.
func (c *Client) now() uint32 { return max(1, c.beats.Load()) }

// unsent takes back a call whose request could not be sent. If that is because the connection has ended, the call
// is about to be told why, as all others are, and the error is nil.
func (c *Client) unsent(id uint64, err error) error {
	if c.link.broken() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
	return err
}

// await waits for the answer, and runs the action meanwhile if the server asks for it.
func (c *Client) await(ctx context.Context, p *call, q *request) (lost bool) {
	done := ctx.Done()
	if !q.waits || q.flags&flagEnded != 0 {
		done = nil
	}
	for {
		var e event
		if done == nil {
			e = <-p.events
		} else {
			select {
			case e = <-p.events:
			case <-done:
				done = nil
				p.began.Store(c.now())
				c.link.send(&frame{op: opCancel, id: q.id}, nil, true)
				continue
			}
		}
		if e != eventAct {
			return e == eventLost
		}
		p.began.Store(0) // the action takes as long as it takes
		c.run(q)
		p.began.Store(c.now())
	}
}

// run runs the action of a barrier, and tells the server of its outcome, however it ends.
func (c *Client) run(q *request) {
	acted := frame{op: opActed, id: q.id}
	defer func() { c.link.send(&acted, nil, true) }()
	if q.act() == nil {
		acted.flags = flagOK
	}
}

// tell sends a request that has no answer. It does not wait for the server.
func (c *Client) tell(f frame) { go c.link.send(&f, nil, true) }

// doWatch makes a call that begins a watch, and returns its number.
func (c *Client) doWatch(q *request, notify func()) (id uint64, err error) {
	c.mu.Lock()
	if c.lost != nil {
		c.mu.Unlock()
		return 0, c.lost
	}
	c.last++
	id = c.last
	c.watches[id] = notify
	c.mu.Unlock()
	q.m = id
	if _, err = c.do(context.Background(), q); err != nil {
		c.mu.Lock()
		delete(c.watches, id)
		c.mu.Unlock()
	}
	return id, err
}
