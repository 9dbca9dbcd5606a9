package pipe

import (
	"context"
	"errors"
	"io"
	"runtime"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// triesPerLook is how often a receiver tries before it looks at the clock: trying is a system call.
const triesPerLook = 8

// receiver belongs to the goroutine that has the turn to receive.
type receiver struct {
	in      assembler
	eof     bool
	err     error  // what the other end sent is not to be understood
	control []byte // memory for control messages

	spin spin.Spin

	noFiles bool // no descriptors come, so that they need not be kept when there is no room

	mode          stepMode
	empty         bool // there was nothing
	noDescriptors bool // there is no room for the descriptors of what is there
	step          func(fd uintptr) bool
}

// stepMode says what a step does when there is nothing to receive.
type stepMode byte

const (
	stepTry  stepMode = iota // gives up
	stepSpin                 // tries for a moment, then gives up
	stepWait                 // waits
)

// Receive waits for the next message and takes it. If the message is not of the kind that is
// wanted, or is longer than limit bytes, the error is that of a message of the other kind or
// carrier.ErrTooLong, at once, and the message stays; a negative limit is no limit. Without a
// message that could still come the error is io.EOF. When ctx ends, the part of a message that has
// arrived stays for the next Receive. ErrNoDescriptors leaves the message in place, ErrLost takes
// it, and ErrProtocol closes the end.
func (e *End) Receive(ctx context.Context, want Kind, limit int) (Message, error) {
	if e.mode&Receives == 0 {
		return Message{}, carrier.ErrSendsOnly
	}
	if err := e.takeTurn(ctx, &e.receiving); err != nil {
		return Message{}, err
	}
	for {
		m, ok, err := e.take(want, limit)
		if ok || err != nil {
			return m, e.finishReceive(err)
		}
		if err := e.receiveMore(ctx); err != nil {
			return Message{}, e.finishReceive(err)
		}
	}
}

// take takes the next message if it is complete.
func (e *End) take(want Kind, limit int) (m Message, ok bool, err error) {
	in := &e.rx.in
	if err := e.parse(); err != nil {
		return m, false, err
	}
	if in.begun {
		if in.msg.Kind != want {
			return m, false, wrongKind(want)
		}
		if limit >= 0 && in.total > uint64(limit) {
			return m, false, carrier.ErrTooLong
		}
	}
	if in.complete {
		m, err = in.take()
		return m, true, err
	}
	if e.rx.eof {
		return m, false, io.EOF // what has begun will never be whole
	}
	return m, false, nil
}

// parse parses what has been received.
func (e *End) parse() error {
	if e.rx.err == nil {
		e.rx.err = e.rx.in.parse()
	}
	if e.rx.err == nil && e.rx.eof && !e.rx.in.complete {
		e.rx.in.discard()
	}
	return e.rx.err
}

// finishReceive ends the turn to receive, after err.
func (e *End) finishReceive(err error) error {
	e.waiting.Store(false)
	e.receiving.endTurn()
	if errors.Is(err, ErrProtocol) {
		e.Close()
	}
	if e.watched.Load() > 0 {
		e.notify() // more may have been read than was taken
	}
	return err
}

// Ready reports whether Receive would return at once: there is the beginning of a message, end of
// file or an error. It never waits. While another goroutine waits for a message it is false: what
// comes is for that one.
func (e *End) Ready() bool {
	if e.mode&Receives == 0 {
		return true
	}
	for {
		select {
		case <-e.receiving.turn:
			ready := e.checkOpen() != nil || e.available()
			e.receiving.endTurn()
			return ready
		default:
		}
		if e.waiting.Load() {
			return false
		}
		runtime.Gosched()
	}
}

// available is Ready for the goroutine that has the turn.
func (e *End) available() bool {
	in := &e.rx.in
	for {
		if e.parse() != nil || in.complete || e.rx.eof {
			return true
		}
		begun := in.begun || in.r < in.w
		if begun && len(in.msg.Data) > 2*maxChunk {
			return true
		}
		// What has begun may have been given up: that can be seen in what follows.
		e.rx.mode = stepTry
		if err := e.receiving.wait(e.rx.step); err != nil || e.rx.err != nil || e.rx.noDescriptors {
			return true
		}
		if e.rx.empty {
			return begun
		}
	}
}

// Poll waits until Receive would find something. It looks once before it looks at ctx.
func (e *End) Poll(ctx context.Context) error {
	if e.mode&Receives == 0 {
		return carrier.ErrSendsOnly
	}
	if err := e.checkOpen(); err != nil {
		return err
	}
	if e.Ready() {
		return e.checkOpen()
	}
	if err := e.takeTurn(ctx, &e.receiving); err != nil {
		return err
	}
	for !e.available() {
		if err := e.receiveMore(ctx); err != nil {
			return e.finishReceive(err)
		}
	}
	return e.finishReceive(nil)
}

// receiveMore waits until something has been received.
func (e *End) receiveMore(ctx context.Context) error {
	rx := &e.rx
	rx.mode = stepTry
	looks := rx.spin.ShouldSpin()
	if looks {
		rx.mode = stepSpin
	}
	if err := e.receiving.wait(rx.step); err != nil {
		return e.waitError(ctx, err)
	}
	if looks {
		rx.spin.Record(!rx.empty)
	}
	if !rx.empty {
		return rx.receiveError()
	}
	e.waiting.Store(true)
	rx.mode = stepWait
	if err := e.waitReady(ctx, &e.receiving, rx.step); err != nil {
		return err
	}
	e.waiting.Store(false)
	return rx.receiveError()
}

// receiveError is why nothing was received.
func (rx *receiver) receiveError() error {
	if rx.noDescriptors {
		return ErrNoDescriptors
	}
	return rx.err
}

// receiveStep is called with the socket. It reports whether waiting is over.
func (e *End) receiveStep(fd uintptr) bool {
	rx := &e.rx
	if rx.mode == stepSpin {
		e.spinReceive(int(fd))
	} else {
		e.receiveOnce(int(fd))
	}
	return rx.mode != stepWait || !rx.empty
}

// spinReceive polls for a message before it sleeps.
func (e *End) spinReceive(fd int) {
	e.waiting.Store(true)
	received := spin.Until(triesPerLook, e.receivedOnce, fd)
	if received {
		e.waiting.Store(false)
	}
}

// receivedOnce reports whether there was something to receive.
func (e *End) receivedOnce(fd int) bool {
	e.receiveOnce(fd)
	return !e.rx.empty
}

func (e *End) receiveOnce(fd int) {
	rx := &e.rx
	if rx.control == nil {
		rx.control = make([]byte, fdpass.ControlSize)
	}
	direct, tail := rx.in.buffers()
	var n int
	var set fdpass.Set
	var err error
	if rx.noFiles {
		n, set, err = receive(fd, direct, tail, rx.control)
	} else {
		n, set, err = receiveKept(fd, direct, tail, rx.control)
	}
	rx.empty = err == syscall.EAGAIN
	rx.noDescriptors = err == syscall.EMFILE
	switch {
	case rx.noDescriptors:
	case err == syscall.ECONNRESET:
		rx.eof = true // it was closed without having received all: what it sent came before
	case rx.empty:
	case err != nil:
		rx.err = err
	case n == 0:
		rx.eof = true
	default:
		rx.in.filled(n, direct)
		if !set.Empty() {
			rx.err = rx.in.addFiles(set)
		}
	}
}
