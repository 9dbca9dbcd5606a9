//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package wire

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controlSize is the size in bytes of what carries maxTogether descriptors.
var controlSize = unix.CmsgSpace(4 * maxBatchFiles)

// receive reads once. It says whether there was something to read.
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
		s.addBatch(s.control[:controlled], flags&unix.MSG_CTRUNC != 0)
	}
	return true
}

// keep makes files of the descriptors in a control message.
func (s *Socket) addBatch(control []byte, cut bool) {
	p := fdBatch{truncated: cut}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		messages = nil // cut off in its header: there is no descriptor in it
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // something else
		}
		for _, fd := range fds {
			p.files = append(p.files, os.NewFile(uintptr(fd), "attachment"))
		}
	}
	if len(p.files) == 0 && !cut {
		return
	}
	s.batches = append(s.batches, p)
	if len(s.batches) > maxBatches {
		s.Close()
		s.n, s.err = 0, &FrameError{Reason: "descriptors came that no frame announces"}
	}
}

// crowded is how long the kernel's limit on descriptors that are on their way may be reached
// before that is an error. It is one for all of a user's processes.
const tooManyRefsTimeout = 5 * time.Second

// sendWith writes p along with descriptors. It returns how many bytes of p were sent: with the
// first of them all descriptors were.
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

// statusFlags are those that the file was opened with.
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

// duplicate is the same file with a descriptor of its own, under a name.
func duplicate(f *os.File, name string) (*os.File, error) {
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
