package pipe

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// sender belongs to the goroutine that has the turn to send.
type sender struct {
	small []byte   // a chunk that was put together
	one   []byte   // what is to be sent, or
	many  [][]byte // this
	spare [][]byte
	files []*os.File // go with the first byte
	head  [headerSize]byte
	last  [1]byte
	size  int // bytes of payload in the chunk

	sent int // bytes of the chunk
	n    int // bytes of the last step
	err  error
	wait bool
	step func(fd uintptr) bool

	// rest is to be sent before anything else: the end of a message that was given up.
	pending []byte
}

// smallChunk is up to how many bytes are copied to save the kernel the parts.
const smallChunk = 2 << 10

// Send sends a message, which consists of parts. The files stay open, and copies of them go along.
// Send returns when everything is in the socket, from where the other end receives it even if this
// process dies. When ctx ends before, or after another error, there was no message: what was sent
// of it is taken back in the background. The other end must be receiving for what the socket
// cannot hold, some 200 KiB or hundreds of messages.
func (e *End) Send(ctx context.Context, kind Kind, parts [][]byte, files []*os.File) error {
	if e.mode&Sends == 0 {
		return carrier.ErrReceivesOnly
	}
	if len(files) > fdpass.Max {
		return ErrTooMany
	}
	if err := e.takeTurn(ctx, &e.sending); err != nil {
		return err
	}
	if err := e.sendPending(ctx); err != nil {
		e.finishSend()
		return err
	}
	m := outgoing{parts: parts, files: files, remaining: size(parts)}
	h := header{kind: kind, total: uint64(m.remaining)}
	tx := &e.tx
	begun := false
	for more := true; more; {
		more = m.chunk(tx, h)
		err := e.write(ctx)
		begun = begun || tx.sent > 0
		if err != nil {
			if err != carrier.ErrPeer && begun {
				tx.abort(h)
			}
			e.finishSend()
			return err
		}
	}
	e.finishSend()
	return nil
}

func size(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// finishSend ends the turn to send, at once or when what is still to be sent has been.
func (e *End) finishSend() {
	e.tx.many, e.tx.one, e.tx.files = nil, nil, nil
	clear(e.tx.spare[:cap(e.tx.spare)])
	if len(e.tx.pending) > 0 && e.checkOpen() == nil {
		go e.flush()
		return
	}
	e.sending.endTurn()
}

// flush takes back what was sent of a message that was given up. It has the turn to send.
func (e *End) flush() {
	if err := e.sendPending(context.Background()); err != nil && err != carrier.ErrEndClosed {
		e.tx.pending = nil // there is no receiver
	}
	e.tx.one = nil
	e.sending.endTurn() // if this end moves, the rest goes along
}

// sendPending sends what must be sent before anything else.
func (e *End) sendPending(ctx context.Context) error {
	tx := &e.tx
	if len(tx.pending) == 0 {
		return nil
	}
	tx.one, tx.many, tx.files, tx.sent = tx.pending, nil, nil, 0
	err := e.write(ctx)
	if tx.pending = tx.pending[tx.sent:]; len(tx.pending) == 0 || err == carrier.ErrPeer {
		tx.pending = nil
	}
	return err
}

// abort notes what must be sent so that the other end drops the message.
func (tx *sender) abort(h header) {
	if tx.sent == 0 { // between two chunks
		tx.pending = append(h.append(nil), aborted)
		return
	}
	rest := make([]byte, headerSize+tx.size+1)
	copy(rest, tx.head[:])
	rest[headerSize+tx.size] = aborted
	tx.pending = rest[tx.sent:]
}

// outgoing is what is still to be sent of a message.
type outgoing struct {
	parts     [][]byte // the first one may be half sent
	files     []*os.File
	remaining int // bytes
}

// chunk builds the next chunk. more reports that it is not the last one.
func (m *outgoing) chunk(tx *sender, h header) (more bool) {
	tx.sent, tx.one, tx.many, tx.files = 0, nil, nil, nil
	h.size = min(m.remaining, maxChunk)
	m.remaining -= h.size
	more = m.remaining > 0
	if !more {
		tx.files, h.files = m.files, len(m.files)
	}
	tx.size = h.size
	h.append(tx.head[:0])
	tx.last[0] = complete
	if more {
		tx.last[0] = continues
	}
	if h.size <= smallChunk {
		tx.small = append(tx.small[:0], tx.head[:]...)
		m.each(h.size, func(p []byte) { tx.small = append(tx.small, p...) })
		tx.small = append(tx.small, tx.last[0])
		tx.one = tx.small
		return more
	}
	tx.spare = append(tx.spare[:0], tx.head[:])
	m.each(h.size, func(p []byte) { tx.spare = append(tx.spare, p) })
	tx.spare = append(tx.spare, tx.last[:])
	tx.many = tx.spare
	return more
}

// each calls f with the next n bytes.
func (m *outgoing) each(n int, f func([]byte)) {
	for n > 0 {
		p := m.parts[0]
		if len(p) > n {
			m.parts[0] = p[n:]
			p = p[:n]
		} else {
			m.parts = m.parts[1:]
		}
		if len(p) > 0 {
			f(p)
		}
		n -= len(p)
	}
}

// write sends one, or many.
func (e *End) write(ctx context.Context) error {
	tx := &e.tx
	var since time.Time // when there were too many descriptors in flight
	for len(tx.one)+len(tx.many) > 0 {
		tx.n, tx.err, tx.wait = 0, nil, false
		err := e.waitError(ctx, e.sending.wait(tx.step))
		if err == nil && tx.err == syscall.EAGAIN {
			tx.wait = true
			err = e.waitReady(ctx, &e.sending, tx.step)
		}
		if err != nil {
			return err
		}
		switch tx.err {
		case nil:
		case syscall.EPIPE, syscall.ECONNRESET:
			return carrier.ErrPeer
		case fdpass.ErrClosed:
			return errAttachmentClosed
		case syscall.ETOOMANYREFS:
			if err := e.awaitReceivers(ctx, &since); err != nil {
				return err
			}
		default:
			return os.NewSyscallError("sendmsg", tx.err)
		}
		tx.wrote(tx.n)
	}
	return nil
}

// awaitReceivers waits for a moment for others to receive descriptors. The kernel limits how many
// are in flight between all processes of a user.
func (e *End) awaitReceivers(ctx context.Context, since *time.Time) error {
	if since.IsZero() {
		*since = time.Now()
	} else if time.Since(*since) > fdpass.InFlightTimeout {
		return errTooManyInFlight
	}
	moment := time.NewTimer(time.Millisecond)
	defer moment.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-moment.C:
		return e.checkOpen()
	}
}

// wrote removes what was sent.
func (tx *sender) wrote(n int) {
	tx.sent += n
	if n > 0 {
		tx.files = nil
	}
	if tx.one != nil {
		tx.one = tx.one[n:]
		return
	}
	for len(tx.many) > 0 && n >= len(tx.many[0]) {
		n -= len(tx.many[0])
		tx.many = tx.many[1:]
	}
	if n > 0 {
		tx.many[0] = tx.many[0][n:]
	}
}

// sendStep is called with the socket. It reports whether waiting is over.
func (e *End) sendStep(fd uintptr) bool {
	tx := &e.tx
	if len(tx.files) == 0 {
		tx.n, tx.err = fdpass.Sendmsg(int(fd), tx.one, tx.many, nil, sendFlags)
	} else {
		tx.err = fdpass.With(tx.files, func(fds []int) (err error) {
			tx.n, err = fdpass.Sendmsg(int(fd), tx.one, tx.many, fds, sendFlags)
			return err
		})
	}
	return !tx.wait || tx.err != syscall.EAGAIN
}
