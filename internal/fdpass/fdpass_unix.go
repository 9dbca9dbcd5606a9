//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package fdpass

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controlSize is the size in bytes of a control message with Max descriptors.
var controlSize = unix.CmsgSpace(4 * Max)

// receive reads once. It reports whether the read is complete, as opposed to EAGAIN.
func (s *Socket) receive(fd int) (done bool) {
	n, controlled, flags, err := receiveMessage(fd, s.p, s.control)
	for err == unix.EINTR {
		n, controlled, flags, err = receiveMessage(fd, s.p, s.control)
	}
	if err == unix.EAGAIN {
		return false
	}
	if err != nil {
		s.err = os.NewSyscallError("recvmsg", err)
		return true
	}
	s.n = n
	if controlled > 0 || flags&unix.MSG_CTRUNC != 0 {
		s.addSet(s.control[:controlled], flags&unix.MSG_CTRUNC != 0)
	}
	return true
}

// addSet makes files of the descriptors in a control message.
func (s *Socket) addSet(control []byte, lost bool) {
	set := Set{Lost: lost}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		messages = nil // cut off in its header, so it has no descriptors
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // another kind of message
		}
		for _, fd := range fds {
			set.Files = append(set.Files, os.NewFile(uintptr(fd), "attachment"))
		}
	}
	if len(set.Files) == 0 && !lost {
		return
	}
	s.pending = append(s.pending, set)
	if len(s.pending) > maxPending {
		s.Close()
		s.n, s.err = 0, ErrUnannounced
	}
}

// tooManyRefsTimeout is how long sending is retried while the kernel's limit on descriptors in
// flight is reached. All processes of a user share that limit.
const tooManyRefsTimeout = 5 * time.Second

// sendWith writes p along with descriptors, and returns how many bytes of p it sent. All
// descriptors go with the first byte.
func sendWith(conn syscall.RawConn, p []byte, fds []int) (n int, err error) {
	rights := unix.UnixRights(fds...)
	var failed error
	wait := time.Millisecond
	for end := time.Now().Add(tooManyRefsTimeout); ; time.Sleep(wait) {
		err = conn.Write(func(fd uintptr) bool {
			n, failed = unix.SendmsgN(int(fd), p, rights, nil, noSignal)
			for failed == unix.EINTR {
				n, failed = unix.SendmsgN(int(fd), p, rights, nil, noSignal)
			}
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
