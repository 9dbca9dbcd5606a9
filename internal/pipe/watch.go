package pipe

import (
	"os"
	"sync/atomic"
	"time"
)

// watch tells somebody when an End has become readable.
type watch struct {
	notify func()
	eye    *eye // nil while the end is about to move
}

// eye looks for a watch. It has a descriptor of its own, so that it is in nobody's way and
// nobody in its.
type eye struct {
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
// is notified, and ends the watch. When it does not move after all the watch goes on.
func (e *End) Watch(notify func()) (stop func()) {
	w := &watch{notify: notify}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == closed {
		go notify()
		return func() {}
	}
	if e.watches == nil {
		e.watches = make(map[*watch]struct{})
	}
	e.watches[w] = struct{}{}
	e.watched.Store(int32(len(e.watches)))
	if e.state == moving {
		go notify() // an eye would keep the end open here
	} else {
		e.open(w)
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches, w)
		e.watched.Store(int32(len(e.watches)))
		w.shut()
	}
}

// open opens the eye of a watch. e.mu is held, and the end is open.
func (e *End) open(w *watch) {
	y := &eye{notify: w.notify, quit: make(chan struct{})}
	if err := e.raw.Control(func(fd uintptr) { y.file, _ = duplicate(int(fd)) }); err != nil {
		y.file = nil
	}
	w.eye = y
	go y.run()
}

// shut closes the eye.
func (w *watch) shut() {
	if w.eye != nil {
		w.eye.end()
		w.eye = nil
	}
}

func (y *eye) run() {
	y.notify() // something may have been read ahead
	if y.file == nil {
		y.poll()
		return
	}
	defer y.file.Close()
	raw, err := y.file.SyscallConn()
	if err != nil {
		y.poll()
		return
	}
	first := true
	raw.Read(func(fd uintptr) bool {
		if y.over.Load() {
			return true
		}
		if !first || readable(int(fd)) {
			y.notify()
		}
		first = false
		return false // until the next time that something comes
	})
}

func (y *eye) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			y.notify()
		case <-y.quit:
			return
		}
	}
}

func (y *eye) end() {
	if y.over.Swap(true) {
		return
	}
	close(y.quit)
	if y.file != nil {
		y.file.SetReadDeadline(longAgo)
	}
}

// shutEyes closes the eyes of all watches, and tells them. e.mu is held.
func (e *End) shutEyes() {
	for w := range e.watches {
		w.shut()
		go w.notify()
	}
}

// openEyes opens them again. e.mu is held, and the end is open.
func (e *End) openEyes() {
	for w := range e.watches {
		e.open(w)
	}
}

// unwatch ends all watches, and tells them. e.mu is held.
func (e *End) unwatch() {
	e.shutEyes()
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
