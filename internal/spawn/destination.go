//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
)

// destination is where any number of children print: a writer of the program's, or a file
// that several writers lead to, as os.Stdout and os.Stderr do after 2>&1. No two of its
// lines are written at once.
type destination struct {
	key any

	mu         sync.Mutex // held while writing
	unfinished *stream    // that wrote last, and no newline at the end; nil: none
	refs       int        // guarded by destinations
}

var destinations struct {
	sync.Mutex
	byKey map[any]*destination
}

// destinationOf is the destination that w leads to. It is released when the stream is over.
func destinationOf(w io.Writer) *destination {
	var key any = w
	if f, ok := w.(*os.File); ok && f != nil {
		if id, ok := fileID(f); ok {
			key = id
		}
	}
	if !reflect.ValueOf(key).Comparable() {
		return new(destination)
	}
	destinations.Lock()
	defer destinations.Unlock()
	d := destinations.byKey[key]
	if d == nil {
		d = &destination{key: key}
		if destinations.byKey == nil {
			destinations.byKey = make(map[any]*destination)
		}
		destinations.byKey[key] = d
	}
	d.refs++
	return d
}

func (d *destination) release() {
	destinations.Lock()
	defer destinations.Unlock()
	if d.refs == 0 {
		return // was never registered
	}
	if d.refs--; d.refs == 0 {
		delete(destinations.byKey, d.key)
	}
}

// write writes all of b to the writer of one of the streams that end here. What another
// one has left without a newline gets one first.
func (d *destination) write(s *stream, b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unfinished != nil && d.unfinished != s {
		b = append([]byte{'\n'}, b...)
	}
	d.unfinished = nil
	if b[len(b)-1] != '\n' {
		d.unfinished = s
	}
	return writeAll(s.to, b)
}

// writeAll writes all of b. A writer that panics has failed, no more: it is called on a
// goroutine of ours, where a panic would end the program.
func writeAll(w io.Writer, b []byte) (err error) {
	returned := false
	defer func() {
		if v := recover(); !returned { // v is nil after panic(nil)
			err = fmt.Errorf("spawn: the writer panicked: %v", v)
		}
	}()
	n, err := w.Write(b)
	returned = true
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
