package pipe

import (
	"os"
	"sync/atomic"
	"time"
)

// watch is a function to call when an End has become readable.
type watch struct {
	notify func()
	poller *poller // nil while the end is about to move
}

// poller waits for the socket on behalf of a watch. It has its own descriptor, so that it and the
// end's receivers do not disturb each other.
type poller struct {
	notify  func()
	file    *os.File // nil: there was no descriptor to be had
	stopped atomic.Bool
	quit    chan struct{} // closed when over, if file is nil
}

// pollInterval is how often a poller without a descriptor calls notify.
const pollInterval = 10 * time.Millisecond

// Watch calls notify whenever Ready may have become true, and at once if it is; also for no
// reason. notify must not block. stop ends that: it does not wait for a call of notify that is
// running, and leaves nothing behind. Closing or moving the end calls notify, and ends the watch.
// When the end does not move after all, the watch goes on.
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
		go notify() // a poller would keep the end open here
	} else {
		e.startPoller(w)
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches, w)
		e.watched.Store(int32(len(e.watches)))
		w.stopPoller()
	}
}

// startPoller starts the poller of a watch. e.mu is held, and the end is open.
func (e *End) startPoller(w *watch) {
	y := &poller{notify: w.notify, quit: make(chan struct{})}
	if err := e.raw.Control(func(fd uintptr) { y.file, _ = duplicate(int(fd)) }); err != nil {
		y.file = nil
	}
	w.poller = y
	go y.run()
}

// stopPoller stops the poller.
func (w *watch) stopPoller() {
	if w.poller != nil {
		w.poller.stop()
		w.poller = nil
	}
}

func (y *poller) run() {
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
		if y.stopped.Load() {
			return true
		}
		if !first || readable(int(fd)) {
			y.notify()
		}
		first = false
		return false // until the next time that something comes
	})
}

func (y *poller) poll() {
	t := time.NewTicker(pollInterval)
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

func (y *poller) stop() {
	if y.stopped.Swap(true) {
		return
	}
	close(y.quit)
	if y.file != nil {
		y.file.SetReadDeadline(pastDeadline)
	}
}

// stopPollers stops the pollers of all watches, and notifies them. e.mu is held.
func (e *End) stopPollers() {
	for w := range e.watches {
		w.stopPoller()
		go w.notify()
	}
}

// startPollers starts them again. e.mu is held, and the end is open.
func (e *End) startPollers() {
	for w := range e.watches {
		e.startPoller(w)
	}
}

// endWatches ends all watches, and notifies them. e.mu is held.
func (e *End) endWatches() {
	e.stopPollers()
	e.watches = nil
	e.watched.Store(0)
}

// notify calls the functions of all watches.
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
