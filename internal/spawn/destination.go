package spawn

import (
	"fmt"
	"io"
	"reflect"
	"sync"
)

// destination is a writer of the program's into which any number of children print. Equal
// writers are one destination, so that no two of its lines are written at once.
type destination struct {
	to io.Writer

	mu   sync.Mutex // held while writing
	refs int        // guarded by destinations
}

var destinations struct {
	sync.Mutex
	byWriter map[io.Writer]*destination
}

// destinationOf is the destination of w. It is released when the stream is over.
func destinationOf(w io.Writer) *destination {
	if !reflect.ValueOf(w).Comparable() {
		return &destination{to: w}
	}
	destinations.Lock()
	defer destinations.Unlock()
	d := destinations.byWriter[w]
	if d == nil {
		d = &destination{to: w}
		if destinations.byWriter == nil {
			destinations.byWriter = make(map[io.Writer]*destination)
		}
		destinations.byWriter[w] = d
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
		delete(destinations.byWriter, d.to)
	}
}

// write writes all of b. A writer that panics has failed, no more: it is called on a
// goroutine of ours, where a panic would end the program.
func (d *destination) write(b []byte) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("spawn: the writer panicked: %v", v)
		}
	}()
	n, err := d.to.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
