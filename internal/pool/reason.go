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
	errTasksPerWorker = fmt.Errorf("%w: it has run TasksPerWorker tasks", ErrRecycled)
	errBloated        = errtext.Errorf("%w: %w: between two tasks it holds more than nine tenths of its memory limit", ErrRecycled, ErrMemory)
	errBadReport      = errors.New("mp: the worker reported results of tasks that it was not sent")
	errNotBegun       = errors.New("mp: the worker does not begin the task that it was sent: it is stopped, or has no processor time")
	errNotRead        = errors.New("mp: the worker did not read its input in time")
)

// because returns a reason with its cause, if cause is not nil.
func because(why, cause error) error {
	if cause == nil {
		return why
	}
	return errtext.Errorf("%w: %w", why, cause)
}

// noteWhy notes why a worker is told to end. Only the first reason counts.
func (m *member) noteWhy(why error) {
	if m.why == nil {
		m.why = why
	}
}

// over returns why no worker is started any more.
func (s *Scheduler) over() error {
	if err := s.refusal(); err != nil {
		return err
	}
	return s.startCtx.Err()
}

// endReason is why a worker with nothing to do is told to end.
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

// cause returns why the item is being stopped.
func (st *stopping) cause() error {
	if st.err != nil {
		return st.err
	}
	if sp, _ := st.batch.At(st.item); sp != nil && sp.Job.cause() != nil {
		return sp.Job.cause()
	}
	return ErrCancelled
}

// cause returns why jobs of the batch were cancelled; nil if none was.
func (b *Batch) cause() error {
	for i := range b.Spans {
		if err := b.Spans[i].Job.cause(); err != nil {
			return err
		}
	}
	return nil
}

// lastWord returns the error of a worker's last event: how it died, and why if the pool ended it.
func (m *member) lastWord(died error) error {
	switch {
	case m.why == nil || died != nil && !m.killed:
		return died
	case died == nil:
		return m.why
	}
	return &endedError{why: m.why, died: died}
}

// endedError means that the pool has killed a worker, and why.
type endedError struct{ why, died error }

// Error names the reason only.
func (e *endedError) Error() string {
	return "mp: the pool has ended the worker: " + strings.TrimPrefix(e.why.Error(), "mp: ")
}

// Unwrap returns the reason, and how it died.
func (e *endedError) Unwrap() []error { return []error{e.why, e.died} }

// exitFailure returns the error of Exit in a worker that was asked to end; nil if there was none. Join returns it, too.
func (m *member) exitFailure(d Death) error {
	err := d.Exit
	if err == nil && m.closing && !m.killed && m.s.cfg.ExitGrace > 0 {
		err = d.Err // it died in Exit
	}
	if err == nil {
		return nil
	}
	err = errtext.Errorf("mp: Exit of worker %d: %w", m.n, err)
	m.s.callbacks.keep(err)
	return err
}

// with joins two errors, either of which may be nil.
func with(err, other error) error {
	switch {
	case other == nil:
		return err
	case err == nil:
		return other
	}
	return fmt.Errorf("%w; %w", err, other)
}
