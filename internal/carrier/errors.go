package carrier

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// The sentinels that package mp exports.
var (
	ErrClosed    = errors.New("mp: closed")
	ErrFull      = errors.New("mp: full")
	ErrEmpty     = errors.New("mp: empty")
	ErrNotOwner  = errors.New("mp: not the owner")
	ErrAbandoned = errors.New("mp: abandoned")
	ErrBroken    = errors.New("mp: broken")
	// ErrLost: what held the object is gone. An operation with this error may have had an effect.
	ErrLost = errors.New("mp: lost")
)

// Errors with a text of their own that are one of the sentinels.
var (
	ErrQueueClosed    = NewError("closed: the queue", ErrClosed)
	ErrNotGot         = NewError("not the owner: TaskDone was called more often than this process got an item", ErrNotOwner)
	ErrEndClosed      = NewError("this end of the pipe is closed, or moved to another process", ErrClosed)
	ErrHandleClosed   = NewError("this handle was closed", ErrClosed)
	ErrTooLong        = NewError("the next message is longer than that", ErrFull)
	ErrTooManyPermits = NewError("more permits would be available than the semaphore began with", ErrFull)
	ErrMemoryClosed   = NewError("the shared memory was closed", ErrClosed)
	ErrBarrierBroken  = NewError("the barrier is broken", ErrBroken)
)

// Errors of a pipe's end.
var (
	ErrReceivesOnly = errors.New("mp: this end of the pipe is for receiving")
	ErrSendsOnly    = errors.New("mp: this end of the pipe is for sending")
	// ErrNextIsBytes and ErrNextIsValue: the next message is of the other kind. It stays.
	ErrNextIsBytes = errors.New("mp: the next message is bytes: RecvBytes takes it")
	ErrNextIsValue = errors.New("mp: the next message is a value: Recv takes it")
	// ErrPeer: the other end was closed, or its process died. It is io.ErrClosedPipe and
	// syscall.EPIPE.
	ErrPeer error = peerError{}
)

type peerError struct{}

func (peerError) Error() string   { return "mp: the other end of the pipe is closed" }
func (peerError) Unwrap() []error { return []error{io.ErrClosedPipe, syscall.EPIPE} }

// NewError makes an error that is another one and has its own text, which begins with "mp: ".
func NewError(text string, is error) error { return &namedError{"mp: " + text, is} }

type namedError struct {
	text string
	is   error
}

func (e *namedError) Error() string { return e.text }
func (e *namedError) Unwrap() error { return e.is }

// AbandonedError is the error of a Join when processes died with items that they had not
// finished. It is ErrAbandoned.
type AbandonedError struct{ Items int }

func (e *AbandonedError) Error() string {
	return fmt.Sprintf("mp: abandoned: %d items were got by processes that died before they were done", e.Items)
}

func (*AbandonedError) Unwrap() error { return ErrAbandoned }

// LateError is the error of a party of a barrier whose ctx ended before all had come.
type LateError struct{ Err error }

func (e *LateError) Error() string {
	return "mp: Barrier.Wait: this party's ctx ended before all had come: " + e.Err.Error()
}

// Unwrap says that it is ErrBroken, and ctx's.
func (e *LateError) Unwrap() []error { return []error{ErrBroken, e.Err} }

// Waiting is a process that waits for a lock.
type Waiting struct {
	PID  int
	Name string // of the process
	Lock uint64 // its number
}

// NewDeadlockError makes the error of a wait for a lock that ended with its ctx while
// processes waited for each other in a circle: each for a lock that the next one has, the
// last for one that the first has. Package mp sets it when it is initialized.
var NewDeadlockError func(circle []Waiting, err error) error
