//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package fdpass

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ControlSize is the size in bytes of a control message with Max descriptors.
var ControlSize = unix.CmsgSpace(4 * Max)

// Sendmsg sends one, or many if many is not nil, through the socket fd, along with the descriptors
// fds, and returns how many bytes it sent. The descriptors go with the first byte. It retries after
// EINTR, returns other errors of the system unchanged, and raises no signal.
func Sendmsg(fd int, one []byte, many [][]byte, fds []int, flags int) (n int, err error) {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		if many == nil {
			n, err = unix.SendmsgN(fd, one, rights, nil, flags|noSignal)
		} else {
			n, err = unix.SendmsgBuffers(fd, many, rights, nil, flags|noSignal)
		}
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Recvmsg reads from the socket fd into first and then second, with the descriptors that come along.
// control is memory of ControlSize bytes; if it is nil, descriptors are dropped, and Lost reports
// that there were some. Recvmsg retries after EINTR and returns other errors of the system
// unchanged; it has read nothing then. Without an error, 0 bytes mean the end of the stream.
func Recvmsg(fd int, first, second, control []byte, flags int) (n int, set Set, err error) {
	var controlled, got int
	for {
		n, controlled, got, err = recvmsg(fd, first, second, control, flags)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return 0, Set{}, err
	}
	set.Lost = got&unix.MSG_CTRUNC != 0
	if controlled > 0 {
		eachDescriptor(control[:controlled], func(fd int) {
			set.Files = append(set.Files, os.NewFile(uintptr(fd), "received"))
		})
	}
	return n, set, nil
}

func recv(fd int, first, second, control []byte, flags int) (n, controlled, got int, err error) {
	switch {
	case len(first) == 0:
		n, controlled, got, _, err = unix.Recvmsg(fd, second, control, flags)
	case len(second) == 0:
		n, controlled, got, _, err = unix.Recvmsg(fd, first, control, flags)
	default:
		n, controlled, got, _, err = unix.RecvmsgBuffers(fd, [][]byte{first, second}, control, flags)
	}
	return n, controlled, got, err
}

// eachDescriptor calls f with the descriptors in a control message.
func eachDescriptor(control []byte, f func(fd int)) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return // its header is cut off, so it has no descriptors
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // another kind of message
		}
		for _, fd := range fds {
			f(fd)
		}
	}
}

// sendWaiting writes p along with descriptors, and returns how many bytes of p it sent. It waits for
// room, and for at most InFlightTimeout while too many descriptors are in flight.
func sendWaiting(conn syscall.RawConn, p []byte, fds []int) (n int, err error) {
	var failed error
	for end := time.Now().Add(InFlightTimeout); ; time.Sleep(time.Millisecond) {
		err = conn.Write(func(fd uintptr) bool {
			n, failed = Sendmsg(int(fd), p, nil, fds, 0)
			return failed != unix.EAGAIN
		})
		if err != nil || failed != unix.ETOOMANYREFS || time.Now().After(end) {
			break
		}
	}
	if err == nil {
		err = os.NewSyscallError("sendmsg", failed)
	}
	return n, err
}

// receive reads once. It reports whether the read is complete, as opposed to EAGAIN.
func (s *Socket) receive(fd int) (done bool) {
	n, set, err := Recvmsg(fd, s.p, nil, s.control, 0)
	if err == unix.EAGAIN {
		return false
	}
	if err != nil {
		s.err = os.NewSyscallError("recvmsg", err)
		return true
	}
	s.n = n
	if !set.Empty() {
		s.add(set)
	}
	return true
}

// statusFlags returns the flags with which the file was opened.
func statusFlags(f *os.File) (flags int, ok bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		var failed error
		flags, failed = unix.FcntlInt(fd, unix.F_GETFL, 0)
		ok = failed == nil
	})
	return flags, ok && err == nil
}

// Duplicate returns a duplicate of the file under the given name.
func Duplicate(f *os.File, name string) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var own int
	var failed error
	if raw.Control(func(fd uintptr) { own, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }) != nil {
		return nil, &os.PathError{Op: "dup", Path: name, Err: os.ErrClosed}
	}
	if failed != nil {
		return nil, os.NewSyscallError("fcntl", failed)
	}
	return os.NewFile(uintptr(own), name), nil
}
