package hosted

import (
	"sync"
)

// watch has the client notified of changes until opUnwatch.
func (c *serverConn) watch(f *frame, watch func(notify func()) (stop func())) {
	id := f.m
	stop := watch(func() { c.notices.add(id) })
	c.mu.Lock()
	if len(c.running)+len(c.watches) >= c.server.cfg.MaxCalls || c.watches[id] != nil || c.watches == nil {
		c.mu.Unlock()
		stop()
		c.fail(f, errTooMany)
		return
	}
	c.watches[id] = stop
	c.mu.Unlock()
	c.reply(f, frame{})
}

func (c *serverConn) unwatch(f *frame) {
	c.mu.Lock()
	stop := c.watches[f.n]
	delete(c.watches, f.n)
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	c.reply(f, frame{})
}

// notices are watched objects of which the client is to be told. Telling does not wait.
type notices struct {
	link    *link
	mu      sync.Mutex
	pending map[uint64]struct{}
	sending bool
}

func (n *notices) add(id uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending == nil {
		n.pending = map[uint64]struct{}{}
	}
	n.pending[id] = struct{}{}
	if !n.sending {
		n.sending = true
		go n.send()
	}
}

func (n *notices) send() {
	for {
		n.mu.Lock()
		pending := n.pending
		n.pending = nil
		if len(pending) == 0 {
			n.sending = false
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		for id := range pending {
			n.link.send(&frame{op: opNotify, id: id}, nil, true)
		}
	}
}
