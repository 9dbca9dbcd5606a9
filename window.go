package mp

import "runtime"

// window bounds how many inputs of a lazy call are taken from its iterator and not yet given back as
// outcomes. The goroutine of the iterator enters for each input, the loop gives back.
type window struct {
	places chan struct{} // one for each input taken and not given back
	left   chan struct{} // closed: the loop was left
}

func newWindow(n int) window {
	return window{places: make(chan struct{}, n), left: make(chan struct{})}
}

// enter waits for a place; false: no more inputs are wanted.
func (w window) enter() bool {
	select {
	case w.places <- struct{}{}:
	case <-w.left:
		return false
	}
	select {
	case <-w.left:
		return false
	default:
		return true
	}
}

// giveBack frees a place.
func (w window) giveBack() { <-w.places }

// close ends the wait of enter: nothing is taken any more.
func (w window) close() { close(w.left) }

// panicOf is what f panics with, never nil for a panic. It does not return when f calls runtime.Goexit.
func panicOf(f func()) (v any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v = recover(); v == nil {
			v = new(runtime.PanicNilError) // what panic(nil) is without GODEBUG=panicnil=1
		}
	}()
	f()
	returned = true
	return nil
}
