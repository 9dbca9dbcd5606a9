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

// End is one end of a pipe. Its methods may be called by any number of goroutines.
// Nothing but a call of a method that goes on keeps an End from being garbage, except
// for what Send may have left to do in the background, which Close ends.
type End struct {
	mode Mode
	file *os.File
	raw  syscall.RawConn

	mu             sync.Mutex // of what follows, and of the deadlines of file
	state          state
	closeAfterMove bool // Close was called while it was moving
	watches        map[*watch]struct{}

	watched atomic.Int32 // len(watches)
	waiting atomic.Bool  // whoever has the turn to receive waits for a message

	receiving, sending direction
	rx                 receiver
	tx                 sender
}

type state byte

const (
	open   state = iota
	moving       // share was called, and nobody knows yet whether it will travel
	closed
)

// side is one direction. Whoever has its turn may use the socket in it and what belongs to it.
type direction struct {
	turn     chan struct{} // holds a token while nobody has the turn
	deadline func(time.Time) error
	wait     func(f func(fd uintptr) bool) error
}

// longAgo is a deadline that has passed.
var pastDeadline = time.Unix(1, 0)

// New makes a pipe. An oneWay one's a receives and its b sends.
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

// NoDescriptors says that no descriptors come with what this end receives, which makes receiving quicker. Those
// that come all the same get lost when there is no room. It is called before anything else.
func (e *End) NoDescriptors() { e.rx.noFiles = true }

// Sends says whether this end may send.
func (e *End) Sends() bool { return e.mode&Sends != 0 }

// Close closes this end: the other one receives what was sent, and then io.EOF. Nobody
// that waits here goes on waiting. It answers nil also when the end was closed before.
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

// shut lets go of everything. The state is closed.
func (e *End) release() {
	e.file.Close() // whoever waits for it stops
	<-e.receiving.turn
	e.rx.in.discard()
	e.receiving.turn <- struct{}{}
}

// Err implements carrier.Object.
func (e *End) Err() error { return e.checkOpen() }

// isOpen says carrier.ErrEndClosed if this end is not to be used.
func (e *End) checkOpen() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != open {
		return carrier.ErrEndClosed
	}
	return nil
}

// enter waits for the turn of a side.
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

// park calls f until it says so, each time that the socket has become ready, or until
// ctx ends or this end is closed. The caller has the side's turn.
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

// why is the error of a wait as callers know it.
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
