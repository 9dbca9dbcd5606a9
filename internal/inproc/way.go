package inproc

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// What is sent and not yet received.
const (
	mostMessages = 1024
	mostBytes    = 1 << 20
)

// way is one direction of a pipe.
//
// While somebody waits to receive there is no message, and while somebody waits to send
// there is no room: who sends hands the message to the first who waits for it, and
// who receives lets the first in who waits for room. So nobody is overtaken, and who is
// woken is done.
type way[T any] struct {
	mu        sync.Mutex
	messages  *line[message[T]]
	bytes     int  // in the messages
	ended     bool // the sending end is closed
	abandoned bool // the receiving end is closed
	receivers sleepers[reception[T]]
	senders   sleepers[sending[T]]
	pollers   sleepers[struct{}]
	watches   map[*watcher]struct{}
}

func newWay[T any]() *way[T] { return &way[T]{messages: newLine[message[T]](false)} }

// request is what a receiver wants.
type request struct {
	bytes bool // not a value
	limit int  // of bytes; -1: none
}

// reception is a receive that waits.
type reception[T any] struct {
	request
	message message[T]
	err     error
}

// sending is a send that waits.
type sending[T any] struct {
	message message[T]
	err     error
}

// watcher is told when there may be something to receive.
type watcher struct {
	notify func()
	since  time.Time
}

// refuses is why a message is not what was wanted.
func (q request) refuses(bytes bool, size int) error {
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

// send hands the message to who waits for it, or puts it behind the others when there is
// room.
func (w *way[T]) send(ctx context.Context, m message[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := w.sendNow(m)
	if s != nil {
		if err = await(ctx, &w.mu, &w.senders, s); err == nil {
			err = s.has.err
		} else {
			w.gaveUp()
		}
		w.senders.done(s)
	}
	return err
}

// sendNow is send if that is possible at once. Otherwise the sleeper is one that waits.
func (w *way[T]) sendNow(m message[T]) (*sleeper[sending[T]], error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ended:
		return nil, errEndClosed
	case w.abandoned:
		return nil, carrier.ErrPeer
	case w.deliver(m):
		return nil, nil
	case w.senders.first == nil && w.hasRoom(len(m.data)):
		w.put(m)
		w.tell(everybody)
		return nil, nil
	}
	s := w.senders.sleeper(sending[T]{message: m})
	w.senders.push(s)
	return s, nil
}

// await waits until the outcome of a sleeper is there, which is so once it is called, or until
// ctx ends before that.
func await[V any](ctx context.Context, mu *sync.Mutex, list *sleepers[V], s *sleeper[V]) error {
	err := s.rest(ctx)
	if err == nil {
		return nil
	}
	mu.Lock()
	defer mu.Unlock()
	if list.remove(s) {
		return err
	}
	return nil
}

// deliver hands a message to the first who waits to receive it. Those who want something
// else have their error.
func (w *way[T]) deliver(m message[T]) bool {
	for r := w.receivers.pop(); r != nil; r = w.receivers.pop() {
		err := r.has.refuses(m.bytes, len(m.data))
		if r.has.err = err; err == nil {
			r.has.message = m
		}
		r.call() // it is not ours any more
		if err == nil {
			return true
		}
	}
	return false
}

func (w *way[T]) hasRoom(bytes int) bool {
	return w.messages.len() < mostMessages && (bytes == 0 || w.bytes == 0 || w.bytes+bytes <= mostBytes)
}

func (w *way[T]) put(m message[T]) {
	w.messages.push(m)
	w.bytes += len(m.data)
}

// receive takes the next message, or waits for it.
func (w *way[T]) receive(ctx context.Context, q request) (message[T], error) {
	if err := ctx.Err(); err != nil {
		return message[T]{}, err
	}
	m, s, err := w.receiveNow(q)
	if s != nil {
		if err = await(ctx, &w.mu, &w.receivers, s); err == nil {
			m, err = s.has.message, s.has.err
		}
		w.receivers.done(s)
	}
	return m, err
}

// receiveNow is receive if that is possible at once. Otherwise the sleeper is one that waits.
func (w *way[T]) receiveNow(q request) (m message[T], s *sleeper[reception[T]], err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.abandoned:
		return m, nil, errEndClosed
	case w.messages.len() > 0:
		m, err = w.take(q)
		return m, nil, err
	case w.ended:
		return m, nil, io.EOF
	}
	s = w.receivers.sleeper(reception[T]{request: q})
	w.receivers.push(s)
	return m, s, nil
}

// take takes the next message, which there is, and lets in who waits for room.
func (w *way[T]) take(q request) (message[T], error) {
	next := w.messages.peek()
	if err := q.refuses(next.bytes, len(next.data)); err != nil {
		return message[T]{}, err
	}
	m := w.messages.pop()
	w.bytes -= len(m.data)
	w.admit()
	return m, nil
}

// admit lets in who waits for room, as far as there is some.
func (w *way[T]) admit() {
	for s := w.senders.first; s != nil && w.hasRoom(len(s.has.message.data)); s = w.senders.first {
		w.put(s.has.message)
		w.senders.remove(s)
		s.call()
	}
}

// gaveUp lets those in who waited behind a send that was larger than theirs, and has given up.
func (w *way[T]) gaveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.admit()
}

// peek is the item that is next in a line that has one.
func (l *line[T]) peek() *T { return &l.head.items[l.start] }

// something says whether receive would not wait.
func (w *way[T]) something() bool { return w.messages.len() > 0 || w.ended || w.abandoned }

func (w *way[T]) isReady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.something()
}

func (w *way[T]) isAbandoned() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.abandoned
}

func (w *way[T]) isEnded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// poll waits until receive would not wait.
func (w *way[T]) poll(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.something() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := w.pollers.sleeper(struct{}{})
		w.pollers.push(s)
		w.mu.Unlock()
		s.rest(ctx)
		w.mu.Lock()
		w.pollers.remove(s)
		w.pollers.done(s)
	}
	if w.abandoned {
		return errEndClosed
	}
	return nil
}

// tell tells those who look for a message that there may be something.
func (w *way[T]) tell(wakes whom) {
	callAll(&w.pollers, wakes, func(*struct{}) {})
	for watch := range w.watches {
		if wakes(watch.since) {
			watch.notify()
		}
	}
}

func (w *way[T]) watch(notify func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.something() {
		notify()
	}
	if w.watches == nil {
		w.watches = make(map[*watcher]struct{})
	}
	watch := &watcher{notify, time.Now()}
	w.watches[watch] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watches, watch)
	}
}

// noSender ends what is sent: the sending end is closed.
func (w *way[T]) noSender(wakes whom) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.ended = true
	callAll(&w.senders, wakes, func(s *sending[T]) { s.err = errEndClosed })
	callAll(&w.receivers, wakes, func(r *reception[T]) { r.err = io.EOF })
	w.tell(wakes)
}

// noReceiver drops what was sent: the receiving end is closed.
func (w *way[T]) noReceiver(wakes whom) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.abandoned {
		return
	}
	w.abandoned = true
	w.messages = newLine[message[T]](false)
	w.bytes = 0
	callAll(&w.senders, wakes, func(s *sending[T]) { s.err = carrier.ErrPeer })
	callAll(&w.receivers, wakes, func(r *reception[T]) { r.err = errEndClosed })
	w.tell(wakes)
}

// callAll wakes sleepers, each after it was given its outcome.
func callAll[V any](all *sleepers[V], wakes whom, outcome func(*V)) {
	for s := all.first; s != nil; {
		next := s.next
		if wakes(s.since) {
			outcome(&s.has)
			all.remove(s)
			s.call()
		}
		s = next
	}
}
