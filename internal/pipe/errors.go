package pipe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Errors of an End. io.EOF is returned as it is.
var (
	// ErrClosed: this end was closed, or moved to another process.
	ErrClosed = errors.New("closed")
	// ErrPeer: the other end was closed, or its process died. It is io.ErrClosedPipe and
	// syscall.EPIPE.
	ErrPeer error = peerError{}
	// ErrReadOnly, ErrWriteOnly: a one-way pipe's end was used the wrong way.
	ErrReadOnly  = errors.New("mp: this end of the pipe is for receiving")
	ErrWriteOnly = errors.New("mp: this end of the pipe is for sending")
	// ErrTooLong: the next message is longer than the receiver wants. It stays.
	ErrTooLong = errors.New("the message is too long")
	// ErrNonsense: what came is not what an End sends.
	ErrNonsense = errors.New("mp: the other end of the pipe talks nonsense")
	// ErrLost: descriptors of a message got lost, and the message with them.
	ErrLost = fmt.Errorf("mp: descriptors that came with the message got lost: %w", syscall.EMFILE)
	// ErrNoRoom: there is no free descriptor for those that come with the next message, which stays.
	ErrNoRoom = fmt.Errorf("mp: the next message stays: this process has no free descriptors for what comes with it; raise their number (ulimit -n) or close some: %w", syscall.EMFILE)
	// ErrTooMany: a message has more than MaxFiles descriptors.
	ErrTooMany = fmt.Errorf("mp: more than %d shared objects in one message", MaxFiles)
)

// errGone: what goes along with a message was closed while the message waited for room.
var errGone = fmt.Errorf("mp: something that the message holds was closed before it was sent: %w", os.ErrClosed)

// errCrowded: see End.crowded.
var errCrowded = fmt.Errorf("mp: sent and not yet received are more descriptors than a process of this user may have open (RLIMIT_NOFILE): %w", syscall.ETOOMANYREFS)

type peerError struct{}

func (peerError) Error() string   { return "mp: the other end of the pipe is closed" }
func (peerError) Unwrap() []error { return []error{io.ErrClosedPipe, syscall.EPIPE} }

// KindError says that the next message is of the other kind. It stays.
type KindError struct{ Is Kind }

// Error says how to receive it.
func (e *KindError) Error() string {
	if e.Is == Bytes {
		return "mp: the next message is bytes: RecvBytes takes it"
	}
	return "mp: the next message is a value: Recv takes it"
}
