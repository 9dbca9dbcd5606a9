//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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

// cutOff stands for a stream of whose last line a part could not be written.
var truncated = new(stream)

// destinationKey is equal for writers that lead to one place. ok is false if it cannot be compared.
func destinationKey(w io.Writer) (key any, ok bool) {
	key = w
	if f, isFile := w.(*os.File); isFile && f != nil {
		if id, ok := fileID(f); ok {
			key = id
		}
	}
	if !reflect.ValueOf(key).Comparable() {
		return nil, false
	}
	return key, true
}

// destinationOf is the destination that w leads to. It is released when the stream is over.
func destinationOf(w io.Writer) *destination {
	key, ok := destinationKey(w)
	if !ok {
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
// one has left without a newline gets one first. It returns how much could not be
// written, and why; it waits for a file that takes nothing just now.
func (d *destination) write(s *stream, b []byte) (lost int64, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.sink.labels {
		b = s.sink.withLabels(b, d.unfinished != s)
	}
	for len(b) > 0 {
		rest, err := d.writeOnto(s, b)
		if err == nil {
			break
		}
		why = err
		n := len(rest)
		if diskFull(err) { // there may be room for the lines that follow, which are shorter or later
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				n = end + 1
			}
		}
		lost += int64(n)
		b = rest[n:]
	}
	return lost, why
}

// try writes b once, and before it the newline that is missing. It returns what was not written.
func (d *destination) writeOnto(s *stream, b []byte) (rest []byte, err error) {
	lead := 0
	if d.unfinished != nil && d.unfinished != s {
		lead = 1
		b = append([]byte{'\n'}, b...)
	}
	n, err := writeAll(s.sink.to, b)
	switch {
	case n == 0:
	case b[n-1] == '\n':
		d.unfinished = nil
	case n == len(b):
		d.unfinished = s
	default:
		d.unfinished = truncated
	}
	return b[max(n, lead):], err
}

// diskFull says that a write failed for want of room.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// writeAll writes b and returns how much of it was written. It waits as long as w can take nothing just
// now, as a file that blocks would.
func writeAll(w io.Writer, b []byte) (written int, err error) {
	for tries := 0; ; tries++ {
		n, err := writeOnce(w, b[written:])
		written += n
		switch {
		case err == nil && written == len(b):
			return written, nil
		case err == nil:
			return written, io.ErrShortWrite
		case !errors.Is(err, syscall.EAGAIN):
			return written, err
		}
		if n > 0 {
			tries = 0
		}
		waitWritable(w, tries)
	}
}

// writeOnce calls Write. A writer that panics has failed, no more: it is called on a
// goroutine of ours, where a panic would end the program.
func writeOnce(w io.Writer, b []byte) (n int, err error) {
	returned := false
	defer func() {
		if v := recover(); !returned { // v is nil after panic(nil)
			n, err = 0, fmt.Errorf("the writer panicked: %s", panicText(v))
		}
	}()
	n, err = w.Write(b)
	returned = true
	if n < 0 || n > len(b) {
		return 0, errors.New("the writer returned an impossible number of bytes")
	}
	return n, err
}

// panicText is the text of a panic's value, whose own methods may panic again.
func panicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", v)
		}
	}()
	return fmt.Sprint(v)
}

// awaitRoom waits until a file may take something, or for a moment.
func waitWritable(w io.Writer, tries int) {
	if f, ok := w.(*os.File); ok {
		if raw, err := f.SyscallConn(); err == nil {
			polled := false
			raw.Control(func(fd uintptr) {
				fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
				n, err := unix.Poll(fds, 100)
				polled = err == nil && (n == 0 || fds[0].Revents == unix.POLLOUT) || err == unix.EINTR
			})
			if polled {
				return
			}
		}
	}
	time.Sleep(min(time.Millisecond<<min(tries, 6), 50*time.Millisecond))
}
