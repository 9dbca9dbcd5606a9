package hosted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// sentinels travel by their place. New ones are appended; the order is part of the protocol.
var sentinels = []error{
	carrier.ErrClosed, carrier.ErrFull, carrier.ErrEmpty, carrier.ErrNotOwner, carrier.ErrAbandoned, carrier.ErrBroken, carrier.ErrLost,
	carrier.ErrQueueClosed, carrier.ErrNotGot, carrier.ErrTooManyPermits, carrier.ErrBarrierBroken,
	fs.ErrInvalid, fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, errors.ErrUnsupported, io.EOF,
	context.Canceled, context.DeadlineExceeded,
}

// Codes of errors that are no sentinels. That of a sentinel is its place plus codeSentinel.
const (
	codeText      = iota // known by its text alone
	codeEnded            // the call was cancelled: it is the error of the caller's ctx
	codeLate             // a carrier.LateError, as above
	codeAbandoned        // a carrier.AbandonedError: m is its number
	codeSentinel  = 16
)

// maxErrorText is what is sent of an error's text, in bytes.
const maxErrorText = 64 << 10

// errorFrame makes the frame of an error. ended: the caller's ctx has.
func errorFrame(f *frame, err error, ended bool) {
	f.op, f.n, f.m, f.flags = opError, codeText, 0, 0
	text := err.Error()
	f.data = []byte(text[:min(len(text), maxErrorText)])
	var late *carrier.LateError
	var dead *carrier.AbandonedError
	switch {
	case errors.As(err, &late):
		f.n = codeLate
		return
	case errors.As(err, &dead):
		f.n, f.m = codeAbandoned, uint64(dead.Items)
		return
	case ended && errors.Is(err, context.Canceled):
		f.n = codeEnded
		return
	}
	for i, s := range sentinels {
		switch {
		case err == s:
			f.n, f.flags, f.data = uint64(codeSentinel+i), flagExact, nil
			return
		case errors.Is(err, s): // a later one is more special
			f.n = uint64(codeSentinel + i)
		}
	}
}

// errorOf is the error of a frame. ctx is the caller's.
func errorOf(f *frame, ctx context.Context) error {
	text := string(f.data)
	switch {
	case f.n == codeEnded:
		return endedError(text, ctx)
	case f.n == codeLate:
		return &carrier.LateError{Err: ended(ctx)}
	case f.n == codeAbandoned:
		return &carrier.AbandonedError{Items: int(min(f.m, 1<<31-1))}
	case f.n >= codeSentinel && f.n-codeSentinel < uint64(len(sentinels)):
		s := sentinels[f.n-codeSentinel]
		if f.flags&flagExact != 0 {
			return s
		}
		return &serverError{text, s}
	}
	return &serverError{text, nil}
}

// endedError is the error of a call that was cancelled with its ctx. What the server says of it ends with the
// error of its own ctx.
func endedError(text string, ctx context.Context) error {
	if why, more := strings.CutSuffix(text, ": "+context.Canceled.Error()); more {
		return errtext.Errorf("%s: %w", why, ended(ctx))
	}
	return ended(ctx)
}

func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Canceled
}

// serverError is an error of the server with a text of its own.
type serverError struct {
	text string
	is   error
}

func (e *serverError) Error() string { return e.text }
func (e *serverError) Unwrap() error { return e.is }

// heldError is why a wait for a lock ended with its ctx.
func heldError(pid int, name string, err error) error {
	if name == "" {
		name = "a client of the server"
	}
	return fmt.Errorf("mp: the lock is held by %s (pid %d): %w", name, pid, err)
}

func tooLarge(size, max int) error {
	return fmt.Errorf("mp: a message of %d bytes is more than the other side takes, which is %d", size, max)
}

var (
	errNoObject = carrier.NewError("the server has no such object, or has it no more", carrier.ErrLost)
	errNoHandle = errors.New("mp: no object of this client has that handle")
	errNoOp     = errors.New("mp: the object has no such method")
	errTooMany  = carrier.NewError("this client has too many calls at once", carrier.ErrFull)
	errOver     = carrier.NewError("this client of the server is gone", carrier.ErrLost)
	errPanic    = errors.New("mp: the server's side of the call panicked")
)
