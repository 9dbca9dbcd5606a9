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

// destination is where children's output ends up: a writer of the program's, or a file that
// several writers lead to, as os.Stdout and os.Stderr do after 2>&1. Any number of children share
// it. It writes one line at a time.
type destination struct {
	key any

	mu         sync.Mutex // held while writing
	unfinished *stream    // wrote last, without a newline at the end; nil: the last line is complete
	refs       int        // guarded by destinations
}

var destinations struct {
	sync.Mutex
	byKey map[any]*destination
}

// truncated stands for a stream whose last line could not be written completely.
var truncated = new(stream)

// destinationKey returns a key that is equal for writers that lead to one place. ok is false if
// the writer cannot be compared.
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

// destinationOf returns the destination of w. The stream releases it when it ends.
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
		return // not registered
	}
	if d.refs--; d.refs == 0 {
		delete(destinations.byKey, d.key)
	}
}

// write writes all of b to the writer of s. If another stream has left a line without a newline,
// a newline goes first. It returns how many bytes could not be written, and why. It blocks while
// the file blocks.
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
		if diskFull(err) { // later or shorter lines may still fit
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				n = end + 1
			}
		}
		lost += int64(n)
		b = rest[n:]
	}
	return lost, why
}

// writeOnto calls Write for b, after the missing newline if there is one. It returns what was not
// written.
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

// diskFull reports whether a write failed for lack of space.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// writeAll writes b and returns how many bytes were written. On EAGAIN it waits and tries again,
// as a blocking file would.
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

// writeOnce calls Write and turns a panic of the writer into an error. It runs on a goroutine of
// this package, where a panic would end the program.
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
		return 0, errors.New("the writer returned an invalid count from Write")
	}
	return n, err
}

// panicText formats the value of a panic, whose own methods may panic again.
func panicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", v)
		}
	}()
	return fmt.Sprint(v)
}

// waitWritable waits until a file can be written to, or for a short time.
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
