//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// position counts the bytes of a stream of output: how many were read from the pipe, and how
// many of them were handed on, to a writer or to a capture. Whoever has to know that all
// that a child printed so far was handed on compares the two with what is in the pipe.
type progress struct {
	idle      atomic.Bool  // the reader found the pipe empty, and what it had read was looked at
	fetched   atomic.Int64 // read from the pipe; written with reading held
	delivered atomic.Int64 // handed on, or lost
	target    atomic.Int64 // up to here nothing waits for the end of its line

	readMu sync.Mutex // held while the pipe is read and the bytes are counted

	mu        sync.Mutex
	reached   chan struct{} // closed when handed is at wanted; nil: nobody waits
	abandoned int64         // somebody gave up waiting for this place
}

// settled says that all that was read was handed on. It is asked after the pipe was seen
// to be empty: the reader says that it is not idle before it reads.
func (p *progress) caughtUp() bool {
	return p.idle.Load() && p.fetched.Load() <= p.delivered.Load()
}

// advance says how much was handed on.
func (p *progress) advance(handed int64) {
	p.delivered.Store(handed)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reached != nil && handed >= p.target.Load() {
		close(p.reached)
		p.reached = nil
	}
}

// end says that nothing will follow.
func (p *progress) end() {
	p.advance(math.MaxInt64)
	p.idle.Store(true)
}

// printed makes the place that the child has come to the one that the stream is to be handed
// on to. The channel is closed when that is done; nil: it is done, or nobody should wait, as
// somebody has before, in vain.
func (s *stream) flushTarget() <-chan struct{} {
	p := &s.progress
	p.readMu.Lock()
	defer p.readMu.Unlock() // until then the reader cannot have come to the place without noticing it
	inPipe := s.inPipe()
	target := p.fetched.Load() + inPipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.delivered.Load() >= target {
		return nil
	}
	p.target.Store(target)
	if inPipe == 0 {
		go s.flush(target) // the reader sleeps, or will not look again at what it has read
	}
	if p.abandoned > p.delivered.Load() {
		return nil
	}
	if p.reached == nil {
		p.reached = make(chan struct{})
	}
	return p.reached
}

// giveUp says that nobody waits any more for the place that is wanted.
func (p *progress) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandoned, p.reached = p.target.Load(), nil
}

// inPipe is the number of bytes that wait in the pipe.
func (s *stream) inPipe() (n int64) {
	s.raw.Control(func(fd uintptr) { // an error: the stream is over
		if v, err := unix.IoctlGetInt(int(fd), fionread); err == nil {
			n = int64(v)
		}
	})
	return n
}

// FlushOutput waits until all that the child has printed so far has been written to where it
// belongs, but not longer than that. It reports whether somebody who has to wait was
// disappointed: while a writer does not get any further, that is said once. It costs one system
// call when there is nothing to wait for. One goroutine calls it at a time.
func (p *Process) FlushOutput(wait time.Duration) (late bool) {
	if !p.poller.ready() && p.stdout.caughtUp() && p.stderr.caughtUp() {
		return false
	}
	var timer <-chan time.Time
	for _, s := range []*stream{p.stdout, p.stderr} {
		reached := s.flushTarget()
		if reached == nil {
			continue
		}
		if timer == nil {
			t := time.NewTimer(wait)
			defer t.Stop()
			timer = t.C
		}
		select {
		case <-reached:
			continue
		default:
		}
		if late {
			s.giveUp()
			continue
		}
		select {
		case <-reached:
		case <-timer:
			s.giveUp()
			late = true
		}
	}
	return late
}
