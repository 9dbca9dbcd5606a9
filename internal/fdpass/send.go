package fdpass

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
)

// Send writes p to w along with the descriptors of files, at most Max. They arrive with the first
// byte of p. w must be a Unix domain socket. Send replaces a closed file: see IsPlaceholder.
func Send(w io.Writer, p []byte, files []*os.File) error {
	conn, ok := w.(syscall.Conn)
	if !ok {
		return fmt.Errorf("mp: descriptors cannot be sent through a %T, only through a Unix domain socket: %w", w, errors.ErrUnsupported)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	n := 0
	send := func(fds []int) (err error) {
		n, err = sendWaiting(raw, p, fds)
		return err
	}
	if err = With(files, send); err == ErrClosed {
		err = sendReplaced(files, send)
	}
	if err == nil && n < len(p) {
		_, err = w.Write(p[n:])
	}
	return err
}

// sendReplaced calls send with placeholders for the files that are closed.
func sendReplaced(files []*os.File, send func(fds []int) error) error {
	stand, err := placeholder()
	if err != nil {
		return errors.Join(ErrClosed, err)
	}
	defer stand.Close()
	files = slices.Clone(files)
	for err = ErrClosed; err == ErrClosed; { // another one may be closed meanwhile
		for i, f := range files {
			if IsClosed(f) {
				files[i] = stand
			}
		}
		err = With(files, send)
	}
	return err
}

// IsClosed reports whether f is closed.
func IsClosed(f *os.File) bool {
	raw, err := f.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
