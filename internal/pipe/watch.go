package pipe

import (
	"os"
	"sync/atomic"
	"time"
)

// watch tells somebody when an End has become readable. It has a descriptor of its own,
// so that it is in nobody's way and nobody in its.
type watch struct {
	notify func()
	file   *os.File // nil: there was no descriptor to be had
	over   atomic.Bool
	quit   chan struct{} // closed when over, if file is nil
}

// pollEvery is how often one looks without a descriptor.
const pollEvery = 10 * time.Millisecond

// Watch calls notify, which must not block, each time that Ready may have turned true,
// and now if it is; also for no reason. stop ends that. It does not wait for a notify that
// goes on, and at once afterwards nothing of the watch is left. Closing or moving the end
// is notified, and ends the watch.
func (e *End) Watch(notify func()) (stop func()) {
	w := &watch{notify: notify, quit: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != open {
		go notify()
		return func() {}
	}
	if err := e.raw.Control(func(fd uintptr) { w.file, _ = duplicate(int(fd)) }); err != nil {
		w.file = nil
	}
	if e.watches == nil {
		e.watches = make(map[*watch]struct{})
	}
	e.watches[w] = struct{}{}
	e.watched.Store(int32(len(e.watches)))
	go w.run()
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches, w)
		e.watched.Store(int32(len(e.watches)))
		w.end()
	}
}

func (w *watch) run() {
	w.notify() // something may have been read ahead
	if w.file == nil {
		w.poll()
		return
	}
	defer w.file.Close()
	raw, err := w.file.SyscallConn()
	if err != nil {
		w.poll()
		return
	}
	first := true
	raw.Read(func(fd uintptr) bool {
		if w.over.Load() {
			return true
		}
		if !first || readable(int(fd)) {
			w.notify()
		}
		first = false
		return false // until the next time that something comes
	})
}

func (w *watch) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			w.notify()
		case <-w.quit:
			return
		}
	}
}

func (w *watch) end() {
	if w.over.Swap(true) {
		return
	}
	close(w.quit)
	if w.file != nil {
		w.file.SetReadDeadline(longAgo)
	}
}

// unwatch ends all watches, and tells them. e.mu is held.
func (e *End) unwatch() {
	for w := range e.watches {
		w.end()
		go w.notify()
	}
	e.watches = nil
	e.watched.Store(0)
}

// notify calls all who watch.
func (e *End) notify() {
	e.mu.Lock()
	all := make([]func(), 0, len(e.watches))
	for w := range e.watches {
		all = append(all, w.notify)
	}
	e.mu.Unlock()
	for _, f := range all {
		f()
	}
}
