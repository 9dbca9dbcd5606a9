package fdpass

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Send writes p to w along with the descriptors of files, at most Max. The descriptors arrive with the
// first byte of p. w must be a Unix domain socket. The file of an owner who closed it meanwhile is
// replaced: see IsPlaceholder.
func Send(w io.Writer, p []byte, files []*os.File) error {
	conn, ok := w.(syscall.Conn)
	if !ok {
		return fmt.Errorf("mp: descriptors cannot be sent through a %T: %w", w, errors.ErrUnsupported)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	n := 0
	err = withFds(files, make([]int, 0, len(files)), func(fds []int) (err error) {
		n, err = sendWith(raw, p, fds)
		return err
	})
	if err == nil && n < len(p) {
		_, err = w.Write(p[n:])
	}
	return err
}

// withFds calls f with the descriptors of up to Max files. They stay open during the call.
func withFds(files []*os.File, fds []int, f func(fds []int) error) (err error) {
	if len(files) == 0 {
		return f(fds)
	}
	raw, err := files[0].SyscallConn()
	called := false
	if err == nil {
		controlErr := raw.Control(func(fd uintptr) {
			called = true
			err = withFds(files[1:], append(fds, int(fd)), f)
		})
		if called {
			return err
		}
		err = controlErr
	}
	// Its owner has closed it. The others are sent anyway.
	stand, other := placeholder()
	if other != nil {
		return errors.Join(err, other)
	}
	defer stand.Close()
	return withFds(append([]*os.File{stand}, files[1:]...), fds, f)
}

// CloseAll closes files and ignores errors.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
