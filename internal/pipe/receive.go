package pipe

import (
	"context"
	"errors"
	"io"
	"runtime"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// lookTime is how long whoever waits looks for a message before going to sleep, as long as
// that has helped lately: a process that sleeps needs tens of microseconds to wake up.
const lookTime = 100 * time.Microsecond

// receiver is what belongs to who has the turn to receive.
type receiver struct {
	in  inbox
	eof bool
	bad error // what the other end sent is not to be understood
	oob []byte

	hot waitq.Spin

	plain bool // no descriptors come, so that they need not be kept when there is no room

	how   how
	again bool // there was nothing
	full  bool // there is no room for the descriptors of what is there
	step  func(fd uintptr) bool
}

// how says what a step does when there is nothing.
type how byte

const (
	once how = iota // gives up
	peer            // tries for a moment, then gives up
	wait            // waits
)

// Receive waits for the next message and takes it. It must be of the kind that is
// wanted, and if limit is not negative at most so many bytes long; if not the error is a
// that of a message of the other kind or carrier.ErrTooLong, at once, and the message stays. Without a message that could
// come any more it is io.EOF. When ctx ends, what has come of a message stays for the next
// Receive. ErrNoRoom leaves the message where it is. ErrLost takes the message away; ErrNonsense closes the end.
func (e *End) Receive(ctx context.Context, want Kind, limit int) (Message, error) {
	if e.mode&Receives == 0 {
		return Message{}, carrier.ErrSendsOnly
	}
	if err := e.enter(ctx, &e.receiving); err != nil {
		return Message{}, err
	}
	for {
		m, ok, err := e.take(want, limit)
		if ok || err != nil {
			return m, e.received(err)
		}
		if err := e.fill(ctx); err != nil {
			return Message{}, e.received(err)
		}
	}
}

// take takes the next message if it is there.
func (e *End) take(want Kind, limit int) (m Message, ok bool, err error) {
	in := &e.rx.in
	if err := e.understand(); err != nil {
		return m, false, err
	}
	if in.begun {
		if in.msg.Kind != want {
			return m, false, isNot(want)
		}
		if limit >= 0 && in.total > uint64(limit) {
			return m, false, carrier.ErrTooLong
		}
	}
	if in.whole {
		m, err = in.take()
		return m, true, err
	}
	if e.rx.eof {
		return m, false, io.EOF // what has begun will never be whole
	}
	return m, false, nil
}

// understand looks at what has come.
func (e *End) understand() error {
	if e.rx.bad == nil {
		e.rx.bad = e.rx.in.advance()
	}
	if e.rx.bad == nil && e.rx.eof && !e.rx.in.whole {
		e.rx.in.drop()
	}
	return e.rx.bad
}

// received gives up the turn to receive, after err.
func (e *End) received(err error) error {
	e.waiting.Store(false)
	e.receiving.leave()
	if errors.Is(err, ErrNonsense) {
		e.Close()
	}
	if e.watched.Load() > 0 {
		e.notify() // more may have been read than was taken
	}
	return err
}

// Ready says whether there is the beginning of a message, end of file or an error, so
// that a Receive would find something. It never waits. While another goroutine waits for
// a message it says no: what comes is that one's.
func (e *End) Ready() bool {
	if e.mode&Receives == 0 {
		return true
	}
	for {
		select {
		case <-e.receiving.turn:
			ready := e.isOpen() != nil || e.something()
			e.receiving.leave()
			return ready
		default:
		}
		if e.waiting.Load() {
			return false
		}
		runtime.Gosched()
	}
}

// something looks without waiting. The caller has the turn.
func (e *End) something() bool {
	in := &e.rx.in
	for {
		if e.understand() != nil || in.whole || e.rx.eof {
			return true
		}
		begun := in.begun || in.r < in.w
		if begun && len(in.msg.Data) > 2*maxChunk {
			return true
		}
		// What has begun may have been given up: that can be seen in what follows.
		e.rx.how = once
		if err := e.receiving.wait(e.rx.step); err != nil || e.rx.bad != nil || e.rx.full {
			return true
		}
		if e.rx.again {
			return begun
		}
	}
}

// Poll waits until Receive would find something. It looks once before it looks at ctx.
func (e *End) Poll(ctx context.Context) error {
	if e.mode&Receives == 0 {
		return carrier.ErrSendsOnly
	}
	if err := e.isOpen(); err != nil {
		return err
	}
	if e.Ready() {
		return e.isOpen()
	}
	if err := e.enter(ctx, &e.receiving); err != nil {
		return err
	}
	for !e.something() {
		if err := e.fill(ctx); err != nil {
			return e.received(err)
		}
	}
	return e.received(nil)
}

// fill waits until something has come.
func (e *End) fill(ctx context.Context) error {
	rx := &e.rx
	rx.how = once
	looks := rx.hot.ShouldSpin()
	if looks {
		rx.how = peer
	}
	if err := e.receiving.wait(rx.step); err != nil {
		return e.why(ctx, err)
	}
	if looks {
		rx.hot.Record(!rx.again)
	}
	if !rx.again {
		return rx.refused()
	}
	e.waiting.Store(true)
	rx.how = wait
	if err := e.park(ctx, &e.receiving, rx.step); err != nil {
		return err
	}
	e.waiting.Store(false)
	return rx.refused()
}

// refused is why nothing was received.
func (rx *receiver) refused() error {
	if rx.full {
		return ErrNoRoom
	}
	return rx.bad
}

// receiveStep is called with the socket. Its result says whether waiting is over.
func (e *End) receiveStep(fd uintptr) bool {
	rx := &e.rx
	if rx.how == peer {
		e.look(int(fd))
	} else {
		e.receiveOnce(int(fd))
	}
	return rx.how != wait || !rx.again
}

// look receives if something comes within the time of a look.
func (e *End) look(fd int) {
	rx := &e.rx
	rx.again = true
	e.waiting.Store(true)
	for end := time.Now().Add(lookTime); ; {
		for range 8 {
			e.receiveOnce(fd)
			if !rx.again {
				e.waiting.Store(false)
				return
			}
		}
		if time.Now().After(end) {
			return
		}
		runtime.Gosched()
	}
}

func (e *End) receiveOnce(fd int) {
	rx := &e.rx
	if rx.oob == nil {
		rx.oob = make([]byte, oobSize)
	}
	direct, tail := rx.in.room()
	var got received
	if rx.plain {
		got = receive(fd, direct, tail, rx.oob)
	} else {
		got = receiveKept(fd, direct, tail, rx.oob)
	}
	rx.again = got.err == syscall.EAGAIN
	rx.full = got.err == syscall.EMFILE
	switch {
	case rx.full:
	case got.err == syscall.ECONNRESET:
		rx.eof = true // it was closed without having received all: what it sent came before
	case rx.again:
	case got.err != nil:
		rx.bad = got.err
	case got.n == 0:
		rx.eof = true
	default:
		rx.in.came(got.n, direct)
		if got.has {
			rx.bad = rx.in.add(got.set)
		}
	}
}
