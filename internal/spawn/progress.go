//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// progress counts the bytes of an output stream: how many were read from the pipe, and how many
// were delivered to a writer or a capture. Comparing the two with what is in the pipe tells
// whether everything the child printed so far has been delivered.
type progress struct {
	idle      atomic.Bool  // the reader found the pipe empty and has processed what it read
	fetched   atomic.Int64 // bytes read from the pipe; written with readMu held
	delivered atomic.Int64 // bytes delivered or lost
	target    atomic.Int64 // bytes before this offset do not wait for the end of their line
	flushing  atomic.Bool  // a goroutine is about to deliver the bytes before the target

	readMu sync.Mutex // held while the pipe is read and the bytes are counted

	mu        sync.Mutex
	reached   chan struct{} // closed when delivered reaches target; nil: nobody waits
	abandoned int64         // a wait for this offset timed out
}

// caughtUp reports whether everything that was read has been delivered. Call it after the pipe
// was found empty: the reader clears idle before it reads.
func (p *progress) caughtUp() bool {
	return p.idle.Load() && p.fetched.Load() <= p.delivered.Load()
}

// advance records how much was delivered.
func (p *progress) advance(handed int64) {
	p.delivered.Store(handed)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reached != nil && handed >= p.target.Load() {
		close(p.reached)
		p.reached = nil
	}
}

// end records that the stream has ended.
func (p *progress) end() {
	p.advance(math.MaxInt64)
	p.idle.Store(true)
}

// flushTarget makes the child's current offset the target of the stream. The returned channel is
// closed when the stream gets there. It is nil if there is nothing to wait for, or if an earlier
// wait for this offset has timed out.
func (s *stream) flushTarget() <-chan struct{} {
	p := &s.progress
	p.readMu.Lock()
	defer p.readMu.Unlock() // until then the reader cannot pass the target without noticing
	inPipe := s.inPipe()
	target := p.fetched.Load() + inPipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.delivered.Load() >= target {
		return nil
	}
	p.target.Store(target)
	if inPipe == 0 {
		s.flushSoon() // the reader sleeps, or will not look again at what it has read
	}
	if p.abandoned > p.delivered.Load() {
		return nil
	}
	if p.reached == nil {
		p.reached = make(chan struct{})
	}
	return p.reached
}

// giveUp records that the wait for the target timed out.
func (p *progress) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandoned, p.reached = p.target.Load(), nil
}

// inPipe returns the number of bytes in the pipe.
func (s *stream) inPipe() (n int64) {
	s.raw.Control(func(fd uintptr) { // an error: the stream has ended
		if v, err := unix.IoctlGetInt(int(fd), fionread); err == nil {
			n = int64(v)
		}
	})
	return n
}

// FlushOutput waits at most wait until everything the child has printed so far is written to its
// destination. It reports whether that took too long; while a writer makes no progress, only the
// first call waits and reports it. With nothing to wait for it costs one system call. Only one
// goroutine may call it at a time.
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
