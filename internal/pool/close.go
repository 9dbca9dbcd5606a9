package pool

import (
	"context"
	"errors"
	"time"
)

// Close takes no more jobs. Workers end when all that was submitted is done.
func (s *Scheduler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.wakeSubmitters()
	s.checkRecycled()
	s.windDown()
	s.checkEnded()
}

// windDown ends the workers of a closed pool without open jobs, and those that are being started.
func (s *Scheduler) windDown() {
	if !s.closed || s.open.first != nil {
		return
	}
	s.stopStarts()
	for _, m := range s.members {
		m.retiring = true
		m.noteWhy(ErrClosed)
		if m.outstanding == 0 && m.stop == nil && m.sending == nil {
			s.closeWorker(m, ErrClosed)
		}
	}
	s.checkEnded()
}

// checkEnded closes the channels for what has come to its end: the workers of a terminated pool, the starts
// of workers, the pool.
func (s *Scheduler) checkEnded() {
	if s.terminated && len(s.members) == 0 && s.starting == 0 {
		select {
		case <-s.workersGone:
		default:
			close(s.workersGone)
		}
	}
	over := s.closed && s.open.first == nil
	if s.starting > 0 || !over && !s.terminated && s.broken == nil || !s.release() {
		return
	}
	if !over || len(s.members) > 0 || s.finishing > 0 {
		return
	}
	select {
	case <-s.ended:
	default:
		s.stopStarts()
		for _, t := range []*time.Timer{s.stallTimer, s.awakeTimer, s.memoryTimer, s.collectTimer} {
			if t != nil {
				t.Stop()
			}
		}
		s.hasEnded.Store(true)
		close(s.ended)
	}
}

// release calls Config.Release, on another goroutine, since closing a file may take long. It reports
// whether that is done.
func (s *Scheduler) release() bool {
	select {
	case <-s.released:
		return true
	default:
	}
	if s.releasing {
		return false
	}
	s.releasing = true
	if s.cfg.Release == nil {
		close(s.released)
		return true
	}
	go func() {
		s.cfg.Release()
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.released)
		s.checkEnded()
	}()
	return false
}

// Terminate kills all workers. What was not done fails with ErrTerminated. It
// returns when no worker is left, so it must not be called by a Deliver or Finished
// of a job that is not Apart.
func (s *Scheduler) Terminate() {
	s.mu.Lock()
	s.closed, s.terminated = true, true
	s.stopStarts()
	finished := s.cancelAll(ErrTerminated)
	s.wakeSubmitters()
	s.checkRecycled()
	for _, m := range s.members {
		s.kill(m, ErrTerminated)
	}
	s.checkEnded()
	s.mu.Unlock()
	s.finish(finished...)
	<-s.workersGone
	waitAtMost(releaseTimeout, s.released)
	waitAtMost(userCodeTimeout, s.ended)
}

// waitAtMost waits until done is closed, but not for longer than d.
func waitAtMost(d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// releaseTimeout is how long Terminate waits for Release, which closes files: on a file system that
// does not answer it may never return.
const releaseTimeout = time.Second

// userCodeTimeout is how long Terminate waits, when no worker is left, for code of the
// program that decodes an output or encodes an input.
const userCodeTimeout = 50 * time.Millisecond

// Join waits, after Close or Terminate, until the workers are gone and the
// callbacks have returned. It returns the panics of callbacks.
func (s *Scheduler) Join(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if !closed {
		return ErrOpen
	}
	if s.calledByTask(ctx) {
		return errors.New("mp: Join was called by a task of the same pool and would wait for itself")
	}
	for _, wait := range []func() <-chan struct{}{
		func() <-chan struct{} { return s.ended },
		s.events.quiet,
		s.callbacks.quiet,
	} {
		if err := until(ctx, wait()); err != nil {
			return err
		}
	}
	s.mu.Lock()
	raced := s.raced
	s.mu.Unlock()
	return errors.Join(s.callbacks.failure(), raced)
}

// until waits until done is closed. The error is ctx's when it ends while done is open.
func until(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
