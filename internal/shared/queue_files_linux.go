package shared

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The descriptors of items travel through a pair of sockets that belongs to the queue: the kernel
// keeps them when their process dies. A put sends them in one message with a tag, before it is
// committed; the item names the tag. Tags grow, so a getter recognises by its tag what was sent by a
// process that was killed before its commit, or got by one that was killed after it.
//
// A message is two words: the tag, and the number of descriptors.
const (
	messageSize = 16
	sendBuffer  = 4 << 20 // bytes; the kernel allows less, and takes its own limit then
)

func socketPair() (pair [2]*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return pair, os.NewSyscallError("socketpair", err)
	}
	for i, fd := range fds {
		pair[i] = os.NewFile(uintptr(fd), "mp-queue")
	}
	unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	return pair, nil
}

// sendFiles sends an item's descriptors. fits is false if the socket has no room.
func (q *Queue) sendFiles(tag uint64, files []*os.File) (fits bool, err error) {
	if !q.sockets.carries {
		return false, errors.New("mp: the item holds open files or shared objects, and the type of the queue's items has none: the handle is of another queue")
	}
	if n := len(files); n > fdpass.Max {
		return false, fmt.Errorf("mp: the item holds %d descriptors of open files and shared objects, and at most %d can travel with one item: put it in several parts", n, fdpass.Max)
	}
	var body [messageSize]byte
	setWord(body[:], tag)
	setWord(body[8:], uint64(len(files)))
	err = fdpass.With(files, func(fds []int) error {
		return on(q.sockets.pair[0].Load(), func(fd int) error {
			_, err := fdpass.Sendmsg(fd, body[:], nil, fds, unix.MSG_DONTWAIT)
			return err
		})
	})
	switch err {
	case nil:
		return true, nil
	case unix.EAGAIN:
		return false, nil
	case fdpass.ErrClosed:
		return false, errFileClosed
	case unix.ETOOMANYREFS: // the latch is held: the caller waits without it
		return false, fmt.Errorf("%w: %w", errCrowded, os.NewSyscallError("sendmsg", err))
	}
	if no, ok := err.(unix.Errno); ok {
		err = os.NewSyscallError("sendmsg", no)
	}
	return false, err
}

// errFileClosed: a file was closed after its item was encoded, perhaps while the put waited for
// room.
var errFileClosed = fmt.Errorf("mp: something that the item holds was closed before it was put: %w", os.ErrClosed)

// message is what sendFiles sent.
type message struct {
	tag, sent uint64 // sent is the number of descriptors
	files     []*os.File
}

// peekMessage reads the next message of a socket and leaves it there: its descriptors are
// duplicates. It returns nil if there is none.
func peekMessage(from *os.File) (*message, error) {
	var body [messageSize]byte
	control := make([]byte, fdpass.ControlSize)
	var n int
	var set fdpass.Set
	err := on(from, func(fd int) (err error) {
		n, set, err = fdpass.Recvmsg(fd, body[:], nil, control, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err
	})
	switch {
	case err == unix.EAGAIN:
		return nil, nil
	case err != nil:
		return nil, os.NewSyscallError("recvmsg", err)
	case set.Lost:
		set.Close()
		return nil, os.NewSyscallError("recvmsg", unix.EMFILE)
	case n == 0:
		return nil, nil
	case n != messageSize:
		set.Close()
		return nil, ErrDamaged
	}
	return &message{tag: word(body[:]), sent: word(body[8:]), files: set.Files}, nil
}

// peekFiles returns duplicates of the descriptors with a tag. Their message is the next one from
// then on. If they are gone, it returns lost; after err they are still there.
func (q *Queue) peekFiles(tag uint64) (files []*os.File, lost, err error) {
	if !q.sockets.carries {
		return nil, ErrDamaged, nil
	}
	for {
		m, err := peekMessage(q.sockets.pair[1].Load())
		switch {
		case err != nil:
			return nil, nil, err
		case m == nil:
			return nil, ErrDamaged, nil
		case m.tag == tag && m.sent == uint64(len(m.files)):
			return m.files, nil, nil
		}
		fdpass.CloseAll(m.files)
		if m.tag >= tag {
			return nil, ErrDamaged, nil
		}
		q.dropFile()
		shm.Point("queue.get.stale")
	}
}

// dropFile removes the next message with its descriptors. It reports whether there was one.
func (q *Queue) dropFile() (more bool) {
	var body [messageSize]byte
	n := 0
	err := on(q.sockets.pair[1].Load(), func(fd int) (err error) {
		n, _, err = fdpass.Recvmsg(fd, body[:], nil, nil, unix.MSG_DONTWAIT)
		return err
	})
	return err == nil && n > 0
}

// dropFiles removes all messages.
func (q *Queue) dropFiles() {
	for q.sockets.carries && q.dropFile() {
	}
}
