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
type position struct {
	idle   atomic.Bool  // the reader found the pipe empty, and what it had read was looked at
	taken  atomic.Int64 // read from the pipe; written with reading held
	handed atomic.Int64 // handed on, or lost
	wanted atomic.Int64 // up to here nothing waits for the end of its line

	reading sync.Mutex // held while the pipe is read and the bytes are counted

	mu      sync.Mutex
	reached chan struct{} // closed when handed is at wanted; nil: nobody waits
	late    int64         // somebody gave up waiting for this place
}

// settled says that all that was read was handed on. It is asked after the pipe was seen
// to be empty: the reader says that it is not idle before it reads.
func (p *position) settled() bool {
	return p.idle.Load() && p.taken.Load() <= p.handed.Load()
}

// advance says how much was handed on.
func (p *position) advance(handed int64) {
	p.handed.Store(handed)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reached != nil && handed >= p.wanted.Load() {
		close(p.reached)
		p.reached = nil
	}
}

// end says that nothing will follow.
func (p *position) end() {
	p.advance(math.MaxInt64)
	p.idle.Store(true)
}

// printed makes the place that the child has come to the one that the stream is to be handed
// on to. The channel is closed when that is done; nil: it is done, or nobody should wait, as
// somebody has before, in vain.
func (s *stream) printed() <-chan struct{} {
	p := &s.position
	p.reading.Lock()
	defer p.reading.Unlock() // until then the reader cannot have come to the place without noticing it
	inPipe := s.inPipe()
	target := p.taken.Load() + inPipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handed.Load() >= target {
		return nil
	}
	p.wanted.Store(target)
	if inPipe == 0 {
		go s.flush(target) // the reader sleeps, or will not look again at what it has read
	}
	if p.late > p.handed.Load() {
		return nil
	}
	if p.reached == nil {
		p.reached = make(chan struct{})
	}
	return p.reached
}

// giveUp says that nobody waits any more for the place that is wanted.
func (p *position) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late, p.reached = p.wanted.Load(), nil
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

// HandOn waits until all that the child has printed so far has been written to where it
// belongs, but not longer than that. It reports whether somebody who has to wait was
// disappointed: while a writer does not get any further, that is said once. It costs one system
// call when there is nothing to wait for. One goroutine calls it at a time.
func (p *Process) HandOn(wait time.Duration) (late bool) {
	if !p.outputs.ready() && p.stdout.settled() && p.stderr.settled() {
		return false
	}
	var timer <-chan time.Time
	for _, s := range []*stream{p.stdout, p.stderr} {
		reached := s.printed()
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
