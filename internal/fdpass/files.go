package fdpass

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Max is the largest number of descriptors that one message, and so one value, can carry. It is the
// kernel's limit.
const Max = 253

// InFlightTimeout is how long a sender waits while the kernel refuses more descriptors in flight,
// which it does with ETOOMANYREFS. All processes of a user share that limit.
const InFlightTimeout = 5 * time.Second

var (
	// ErrLost reports that the descriptors of a message were lost because this process could not
	// open more files. The bytes are intact.
	ErrLost = fmt.Errorf("mp: the descriptors of a message were lost, because this process cannot open more files; close some or raise the limit: %w", syscall.EMFILE)
	// ErrUnannounced reports that the reader of a stream did not take the descriptors that arrived.
	ErrUnannounced = errors.New("mp: descriptors arrived that no message announced")
	// ErrClosed is returned by With if a file is closed.
	ErrClosed = fmt.Errorf("mp: a file was closed before it was sent: %w", os.ErrClosed)
)

// Set holds the descriptors that arrived together.
type Set struct {
	Files []*os.File
	Lost  bool // others were lost, because this process cannot open more files
}

// Empty reports whether no descriptors were sent.
func (s Set) Empty() bool { return len(s.Files) == 0 && !s.Lost }

// Close closes the files.
func (s Set) Close() { CloseAll(s.Files) }

// CloseAll closes files and ignores errors. A file may be nil.
func CloseAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// With calls f with the descriptors of up to Max files and returns its error. The files stay open
// during the call. If one of them is closed, f is not called and the error is ErrClosed.
func With(files []*os.File, f func(fds []int) error) error {
	return with(files, make([]int, 0, len(files)), f)
}

func with(files []*os.File, fds []int, f func(fds []int) error) error {
	if len(files) == 0 {
		return f(fds)
	}
	err := ErrClosed
	if raw, closed := files[0].SyscallConn(); closed == nil {
		raw.Control(func(fd uintptr) { err = with(files[1:], append(fds, int(fd)), f) })
	}
	return err
}
