package mp

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/readiness"
)

// Readable makes Select wait for r, which is not of this package: a net.Conn, a net.Listener, or an *os.File
// such as a pipe's end, a terminal or os.Stdin. It is ready when a Read or an Accept would not block: there is
// data, the end was reached, or r was closed. Select reads nothing from r and leaves its deadlines alone, and
// other goroutines may use r meanwhile. multiprocessing.connection.wait takes sockets likewise.
//
// Select does not see bytes that were read ahead: pass what is below a bufio.Reader only while its Buffered is
// zero. A connection of crypto/tls buffers such bytes where nothing can see them. Select refuses it, as it refuses
// everything without a descriptor (no method SyscallConn), and names it.
//
// A Select with such values takes one more descriptor while it waits, and checks them ten times a second, since
// the kernel does not report that one was closed. Elsewhere than on Linux it returns errors.ErrUnsupported.
func Readable(r any) Selectable { return readable{r} }

type readable struct{ r any }

func (r readable) selectable() source {
	if v := reflect.ValueOf(r.r); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return source{err: errors.New("Readable(nil)")}
	}
	c, ok := r.r.(syscall.Conn)
	if !ok {
		return source{err: fmt.Errorf("Readable of a %T, which has no descriptor to wait for: give it a value with the method SyscallConn", r.r)}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return source{err: fmt.Errorf("Readable of a %T: %w", r.r, err)}
	}
	return source{raw: raw, ready: func() bool { return readiness.Ready(raw) }}
}

// Selectable is what Select can wait for: a *Queue or an end of a pipe to receive from,
// an *Event, a *Process, a *Result, and by Readable a net.Conn or an *os.File.
type Selectable interface {
	selectable() source
}

// mostCases is how many channels reflect.Select takes.
const mostCases = 1 << 16

// source is how Select looks at one thing; without ready, one that was not made.
type source struct {
	ready func() bool // does not block
	// One of these tells when it is worth to look again.
	watch func(notify func()) (stop func())
	done  <-chan struct{}
	raw   syscall.RawConn

	err error // it can never be looked at
}

// Select waits until at least one of the given things is ready, and returns the indices of all that are, in
// their order, as multiprocessing.connection.wait. A queue is ready when it has an item, or is closed and empty;
// an end of a pipe when it has a message or is at end of file; an event when it is set; a process when it has
// ended; a result when it is done. Select takes nothing, and another goroutine or process may be faster: follow
// it by TryGet, or by a Get or Recv with a deadline.
//
// While it waits it uses no processor time and no thread, however many things are given. A check costs some ten
// nanoseconds for each thing. Any number of goroutines may wait for the same things.
//
// It checks once before it checks ctx. The error is ctx's if ctx has ended and nothing is ready. Select also
// returns an error if there is nothing to wait for, if a thing is nil (the error names its index), and for more
// than 65,534 processes and results.
func Select(ctx context.Context, from ...Selectable) (ready []int, err error) {
	sources, err := sourcesOf(from)
	if err != nil {
		return nil, err
	}
	if ready = readyOf(sources); ready != nil {
		return ready, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(changed)},
	}
	var files []syscall.RawConn
	for _, s := range sources {
		switch {
		case s.watch != nil:
			defer s.watch(notify)()
		case s.raw != nil:
			files = append(files, s.raw)
		case len(cases) == mostCases:
			return nil, fmt.Errorf("mp: Select of more than %d processes and results: AsCompleted takes any number of results", mostCases-2)
		default:
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(s.done)})
		}
	}
	if files != nil {
		stop, err := readiness.Watch(files, notify)
		if err != nil {
			return nil, fmt.Errorf("mp: Select of %d files and connections: %w", len(files), err)
		}
		defer stop()
	}
	for {
		if ready = readyOf(sources); ready != nil {
			return ready, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reflect.Select(cases)
	}
}

// sourcesOf asks all things how to look at them.
func sourcesOf(from []Selectable) ([]source, error) {
	if len(from) == 0 {
		return nil, errors.New("mp: Select: nothing to wait for: give it at least one thing")
	}
	sources := make([]source, len(from))
	for i, s := range from {
		if v := reflect.ValueOf(s); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, fmt.Errorf("mp: Select: number %d (of %d, from 0) is nil", i, len(from))
		}
		if sources[i] = s.selectable(); sources[i].err != nil {
			return nil, errtext.Errorf("mp: Select: number %d (of %d, from 0): %w", i, len(from), sources[i].err)
		}
		if sources[i].ready == nil {
			return nil, fmt.Errorf("mp: Select: number %d, a %T, was not made by its constructor", i, s)
		}
	}
	return sources, nil
}

// readyOf are the indices of those that are ready, nil if none is.
func readyOf(sources []source) (ready []int) {
	for i, s := range sources {
		if s.ready() {
			ready = append(ready, i)
		}
	}
	return ready
}

// doneSource is ready once a channel is closed. A nil channel is that of a zero Process.
func doneSource(done <-chan struct{}) source {
	if done == nil {
		return source{}
	}
	return source{done: done, ready: func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}}
}

func (q *Queue[T]) selectable() source {
	switch {
	case q.carrier == nil:
		return source{}
	case q.closed.Load():
		return source{err: q.Err()}
	}
	return source{ready: q.carrier.Readable, watch: q.carrier.Watch}
}

func (p *Process) selectable() source { return doneSource(p.done) }

func (r *Result[T]) selectable() source { return doneSource(r.Done()) }
