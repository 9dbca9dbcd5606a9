package pipe

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// Mode is what an End may do.
type Mode byte

// The modes of an End.
const (
	Receives Mode = 1 << iota
	Sends
)

// End is one end of a pipe. Its methods are safe for concurrent use. An End becomes garbage like
// any value, except while a method runs, or while Send still takes back a message in the
// background, which Close ends.
type End struct {
	mode Mode
	file *os.File
	raw  syscall.RawConn

	mu             sync.Mutex // of what follows, and of the deadlines of file
	state          state
	closeAfterMove bool // Close was called while it was moving
	watches        map[*watch]struct{}

	watched atomic.Int32 // len(watches)
	waiting atomic.Bool  // the goroutine that has the turn to receive waits for a message

	receiving, sending direction
	rx                 receiver
	tx                 sender
}

type state byte

const (
	open   state = iota
	moving       // Share was called, and the message is neither sent nor given up
	closed
)

// direction is one direction of an end. The goroutine that has its turn may use the socket in that
// direction, and what belongs to it.
type direction struct {
	turn     chan struct{} // holds a token while the turn is free
	deadline func(time.Time) error
	wait     func(f func(fd uintptr) bool) error
}

// pastDeadline is a deadline that has passed.
var pastDeadline = time.Unix(1, 0)

// New makes a pipe. If it is oneWay, a receives and b sends.
func New(oneWay bool) (a, b *End, err error) {
	fa, fb, err := pair()
	if err != nil {
		return nil, nil, err
	}
	ma, mb := Receives|Sends, Receives|Sends
	if oneWay {
		ma, mb = Receives, Sends
	}
	if a, err = newEnd(fa, ma); err == nil {
		b, err = newEnd(fb, mb)
	}
	if err != nil {
		fa.Close()
		fb.Close()
		return nil, nil, err
	}
	return a, b, nil
}

func newEnd(f *os.File, mode Mode) (*End, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	e := &End{mode: mode, file: f, raw: raw}
	e.receiving = direction{turn: make(chan struct{}, 1), deadline: f.SetReadDeadline, wait: raw.Read}
	e.sending = direction{turn: make(chan struct{}, 1), deadline: f.SetWriteDeadline, wait: raw.Write}
	e.receiving.turn <- struct{}{}
	e.sending.turn <- struct{}{}
	e.rx.step = e.receiveStep
	e.rx.spin.Enabled = spin.New().Enabled
	e.tx.step = e.sendStep
	return e, nil
}

// NoDescriptors says that this end receives no descriptors, which makes receiving faster. Any that
// arrive nevertheless are lost if there is no room for them. It is called before anything else.
func (e *End) NoDescriptors() { e.rx.noFiles = true }

// Sends reports whether this end may send.
func (e *End) Sends() bool { return e.mode&Sends != 0 }

// Close closes this end: the other one receives what was sent, and then io.EOF. Goroutines that
// wait here stop. Closing again does nothing.
func (e *End) Close() error {
	e.mu.Lock()
	switch e.state {
	case moving:
		e.closeAfterMove = true
		e.mu.Unlock()
		return nil
	case closed:
		e.mu.Unlock()
		return nil
	}
	e.state = closed
	e.endWatches()
	e.mu.Unlock()
	e.release()
	return nil
}

// release frees everything. The state is closed.
func (e *End) release() {
	e.file.Close() // goroutines that wait for it stop
	<-e.receiving.turn
	e.rx.in.discard()
	e.receiving.turn <- struct{}{}
}

// Err implements carrier.Object.
func (e *End) Err() error { return e.checkOpen() }

// checkOpen returns carrier.ErrEndClosed if this end must not be used.
func (e *End) checkOpen() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != open {
		return carrier.ErrEndClosed
	}
	return nil
}

// takeTurn waits for the turn of a direction.
func (e *End) takeTurn(ctx context.Context, s *direction) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.turn:
	default:
		select {
		case <-s.turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := e.checkOpen(); err != nil {
		s.endTurn()
		return err
	}
	return nil
}

func (s *direction) endTurn() { s.turn <- struct{}{} }

// waitReady calls f each time that the socket has become ready, until f returns true, ctx ends, or
// this end is closed. The caller has the direction's turn.
func (e *End) waitReady(ctx context.Context, s *direction, f func(fd uintptr) bool) error {
	if ctx.Done() == nil {
		return e.waitError(ctx, s.wait(f))
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		e.mu.Lock()
		defer e.mu.Unlock()
		s.deadline(pastDeadline)
	})
	err := s.wait(f)
	if !stop() {
		<-ended
		e.mu.Lock()
		if e.state == open {
			s.deadline(time.Time{})
		}
		e.mu.Unlock()
	}
	return e.waitError(ctx, err)
}

// waitError is the error of a wait as callers know it.
func (e *End) waitError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if closed := e.checkOpen(); closed != nil {
		return closed
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
