package pool

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Why a pool ends a worker, besides ErrClosed, ErrTerminated, ErrCancelled, ErrMemory, and the errors
// of deadlines. Package mp exports them under these names.
var (
	ErrRecycled = errors.New("mp: the worker was recycled")
	ErrResized  = errors.New("mp: the pool was made smaller")
	ErrIdle     = errors.New("mp: the worker was idle for IdleTimeout")
)

var (
	errRecycle        = fmt.Errorf("%w: Recycle", ErrRecycled)
	errTasksPerWorker = fmt.Errorf("%w: it has had as many tasks as TasksPerWorker says", ErrRecycled)
	errBloated        = errtext.Errorf("%w: %w: it holds most of its memory limit between two tasks", ErrRecycled, ErrMemory)
	errBadReport      = errors.New("mp: the worker reported what it was not given")
	errNotBegun       = errors.New("mp: the worker does not begin what it was sent: it is stopped, or out of breath")
	errNotRead        = errors.New("mp: the worker did not read its input in time")
)

// because is a reason and its cause in turn; nil: there is none.
func because(why, cause error) error {
	if cause == nil {
		return why
	}
	return errtext.Errorf("%w: %w", why, cause)
}

// noteWhy notes why a worker is told to end. The first reason counts.
func (m *member) noteWhy(why error) {
	if m.why == nil {
		m.why = why
	}
}

// over is why no worker is started any more.
func (s *Scheduler) over() error {
	if err := s.refusal(); err != nil {
		return err
	}
	return s.startCtx.Err()
}

// spentWhy is why a worker with nothing to do is told to end.
func (s *Scheduler) endReason(m *member) error {
	switch {
	case m.retiring:
		return m.why
	case m.recycle:
		return errRecycle
	case s.cfg.TasksPerWorker > 0 && m.sent >= s.cfg.TasksPerWorker:
		return errTasksPerWorker
	}
	return errBloated
}

// cause is why the item is being stopped.
func (st *stopping) cause() error {
	if st.err != nil {
		return st.err
	}
	if sp, _ := st.batch.At(st.item); sp != nil && sp.Job.cause() != nil {
		return sp.Job.cause()
	}
	return ErrCancelled
}

// cause is why jobs of the batch were cancelled; nil: none was.
func (b *Batch) cause() error {
	for i := range b.Spans {
		if err := b.Spans[i].Job.cause(); err != nil {
			return err
		}
	}
	return nil
}

// lastWord is the error of a worker's last event: how it died, and why if the pool has ended it.
func (m *member) lastWord(died error) error {
	switch {
	case m.why == nil || died != nil && !m.killed:
		return died
	case died == nil:
		return m.why
	}
	return &endedError{why: m.why, died: died}
}

// endedError says of a worker that died that its pool has killed it, and why.
type endedError struct{ why, died error }

// Error names the reason; that it was killed follows from it.
func (e *endedError) Error() string {
	return "mp: the pool has ended the worker: " + strings.TrimPrefix(e.why.Error(), "mp: ")
}

// Unwrap returns the reason, and how it died.
func (e *endedError) Unwrap() []error { return []error{e.why, e.died} }

// exitFailure is what Exit has failed with in a worker that was asked to end; nil: nothing. Join tells it.
func (m *member) exitFailure(d Death) error {
	err := d.Exit
	if err == nil && m.closing && !m.killed && m.s.cfg.ExitGrace > 0 {
		err = d.Err // it died of it
	}
	if err == nil {
		return nil
	}
	err = errtext.Errorf("mp: Exit of worker %d: %w", m.n, err)
	m.s.callbacks.keep(err)
	return err
}

// with is an error and another one, if there is one.
func with(err, other error) error {
	switch {
	case other == nil:
		return err
	case err == nil:
		return other
	}
	return fmt.Errorf("%w; %w", err, other)
}
