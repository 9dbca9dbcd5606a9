package inproc

import (
	"context"
	"io"
	"sync"

	"github.com/gomultiprocessing/mp/internal/bubble"
	"github.com/gomultiprocessing/mp/internal/carrier"
)

// What is sent and not yet received.
const (
	maxMessages = 1024
	maxBytes    = 1 << 20
)

// direction is one direction of a pipe.
//
// While a receiver waits there is no message, and while a sender waits there is no room: a sender
// hands its message to the receiver that has waited longest, and a receiver lets in the sender
// that has waited longest. So none is overtaken, and a goroutine that is woken is done.
type direction[T any] struct {
	mu            sync.Mutex
	messages      *deque[message[T]]
	bytes         int  // in the messages
	sendClosed    bool // the sending end is closed
	receiveClosed bool // the receiving end is closed
	receivers     waitQueue[pendingReceive[T]]
	senders       waitQueue[pendingSend[T]]
	pollers       waitQueue[struct{}]
	watches       map[*watcher]struct{}
}

func newDirection[T any]() *direction[T] { return &direction[T]{messages: newDeque[message[T]](false)} }

// request is what a receiver wants.
type request struct {
	bytes bool // not a value
	limit int  // of bytes; -1: none
}

// pendingReceive is a receive that waits.
type pendingReceive[T any] struct {
	request
	message message[T]
	err     error
}

// pendingSend is a send that waits.
type pendingSend[T any] struct {
	message message[T]
	err     error
}

// watcher is a function to call when there may be something to receive.
type watcher struct {
	notify  func()
	bubbled bool
}

// mismatch returns an error if a message is not what the receiver wants.
func (q request) mismatch(bytes bool, size int) error {
	switch {
	case bytes && !q.bytes:
		return carrier.ErrNextIsBytes
	case q.bytes && !bytes:
		return carrier.ErrNextIsValue
	case q.limit >= 0 && size > q.limit:
		return carrier.ErrTooLong
	}
	return nil
}

// send hands the message to a waiting receiver, or queues it if there is room, or waits.
func (w *direction[T]) send(ctx context.Context, m message[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := w.sendNow(m)
	if s != nil {
		if err = w.senders.await(ctx, &w.mu, s); err == nil {
			err = s.value.err
		} else {
			w.sendCancelled()
		}
		w.senders.recycle(s)
	}
	return err
}

// sendNow is send if that is possible at once. Otherwise it returns a waiter.
func (w *direction[T]) sendNow(m message[T]) (*waiter[pendingSend[T]], error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.sendClosed:
		return nil, errEndClosed
	case w.receiveClosed:
		return nil, carrier.ErrPeer
	case w.deliver(m):
		return nil, nil
	case w.senders.first() == nil && w.hasSpace(len(m.data)):
		w.put(m)
		w.notifyReadable(allWaiters)
		return nil, nil
	}
	s := w.senders.newWaiter(pendingSend[T]{message: m})
	w.senders.push(s)
	return s, nil
}

// deliver hands a message to the receiver that has waited longest. Receivers that want something
// else get their error.
func (w *direction[T]) deliver(m message[T]) bool {
	for r := w.receivers.pop(); r != nil; r = w.receivers.pop() {
		err := r.value.mismatch(m.bytes, len(m.data))
		if r.value.err = err; err == nil {
			r.value.message = m
		}
		r.signal() // it is not ours any more
		if err == nil {
			return true
		}
	}
	return false
}

func (w *direction[T]) hasSpace(bytes int) bool {
	return w.messages.len() < maxMessages && (bytes == 0 || w.bytes == 0 || w.bytes+bytes <= maxBytes)
}

func (w *direction[T]) put(m message[T]) {
	w.messages.push(m)
	w.bytes += len(m.data)
}

// receive takes the next message, or waits for it.
func (w *direction[T]) receive(ctx context.Context, q request) (message[T], error) {
	if err := ctx.Err(); err != nil {
		return message[T]{}, err
	}
	m, s, err := w.receiveNow(q)
	if s != nil {
		if err = w.receivers.await(ctx, &w.mu, s); err == nil {
			m, err = s.value.message, s.value.err
		}
		w.receivers.recycle(s)
	}
	return m, err
}

// receiveNow is receive if that is possible at once. Otherwise it returns a waiter.
func (w *direction[T]) receiveNow(q request) (m message[T], s *waiter[pendingReceive[T]], err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.receiveClosed:
		return m, nil, errEndClosed
	case w.messages.len() > 0:
		m, err = w.take(q)
		return m, nil, err
	case w.sendClosed:
		return m, nil, io.EOF
	}
	s = w.receivers.newWaiter(pendingReceive[T]{request: q})
	w.receivers.push(s)
	return m, s, nil
}

// take takes the next message, which must exist, and lets in a sender that waits for room.
func (w *direction[T]) take(q request) (message[T], error) {
	next := w.messages.peek()
	if err := q.mismatch(next.bytes, len(next.data)); err != nil {
		return message[T]{}, err
	}
	m := w.messages.pop()
	w.bytes -= len(m.data)
	w.admit()
	return m, nil
}

// admit lets in waiting senders as far as there is room.
func (w *direction[T]) admit() {
	for s := w.senders.first(); s != nil && w.hasSpace(len(s.value.message.data)); s = w.senders.first() {
		w.put(s.value.message)
		w.senders.remove(s)
		s.signal()
	}
}

// sendCancelled lets in senders that waited behind a larger message, whose send has given up.
func (w *direction[T]) sendCancelled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.admit()
}

// peek is the next item of a deque that is not empty.
func (l *deque[T]) peek() *T { return &l.head.items[l.start] }

// readable reports whether receive would not wait.
func (w *direction[T]) readable() bool {
	return w.messages.len() > 0 || w.sendClosed || w.receiveClosed
}

func (w *direction[T]) isReady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.readable()
}

func (w *direction[T]) isReceiveClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.receiveClosed
}

func (w *direction[T]) isSendClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sendClosed
}

// poll waits until receive would not wait.
func (w *direction[T]) poll(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.readable() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := w.pollers.newWaiter(struct{}{})
		w.pollers.push(s)
		w.mu.Unlock()
		s.wait(ctx)
		w.mu.Lock()
		w.pollers.remove(s)
		w.pollers.recycle(s)
	}
	if w.receiveClosed {
		return errEndClosed
	}
	return nil
}

// notifyReadable wakes pollers and calls watchers: there may be something to receive.
func (w *direction[T]) notifyReadable(which wakeups) {
	w.pollers.settleAll(which, func(*struct{}) {})
	for watch := range w.watches {
		if which.includes(watch.bubbled) {
			watch.notify()
		}
	}
}

func (w *direction[T]) watch(notify func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readable() {
		notify()
	}
	if w.watches == nil {
		w.watches = make(map[*watcher]struct{})
	}
	watch := &watcher{notify, bubble.Inside()}
	w.watches[watch] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watches, watch)
	}
}

// closeSend closes the sending end: nothing more will be sent.
func (w *direction[T]) closeSend(which wakeups) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sendClosed {
		return
	}
	w.sendClosed = true
	w.senders.settleAll(which, func(s *pendingSend[T]) { s.err = errEndClosed })
	w.receivers.settleAll(which, func(r *pendingReceive[T]) { r.err = io.EOF })
	w.notifyReadable(which)
}

// closeReceive closes the receiving end, and drops what was sent.
func (w *direction[T]) closeReceive(which wakeups) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.receiveClosed {
		return
	}
	w.receiveClosed = true
	w.messages = newDeque[message[T]](false)
	w.bytes = 0
	w.senders.settleAll(which, func(s *pendingSend[T]) { s.err = carrier.ErrPeer })
	w.receivers.settleAll(which, func(r *pendingReceive[T]) { r.err = errEndClosed })
	w.notifyReadable(which)
}
