package shared

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Descriptors of items travel through a pair of sockets that belongs to the queue: the
// kernel keeps them when their process dies. A put sends them in one message with a tag, before it
// is committed; the item names the tag. Tags grow, so what was sent by one that was killed before
// its commit, or got by one that was killed after it, is found behind by its tag.
//
// A message is three words: the tag, the number of descriptors, and how many come in
// each bundle, 0 for no bundles. With bundles, the message's descriptors are sockets in
// each of which lies one message with descriptors and no sender.
const (
	// maxTogether is how many descriptors one message of the kernel's carries.
	maxTogether = 253
	messageSize = 24
	sendBuffer  = 4 << 20 // as many as the kernel allows
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

// sendFiles sends an item's descriptors; false if the socket has no room.
func (q *Queue) sendFiles(tag uint64, files []*os.File) (fits bool, err error) {
	if !q.sockets.carries {
		return false, fmt.Errorf("mp: a queue of another type: an item has descriptors")
	}
	if len(files) > maxTogether*maxTogether {
		return false, fmt.Errorf("mp: an item with %d descriptors; at most %d can be sent", len(files), maxTogether*maxTogether)
	}
	bundle := 0
	send := files
	if len(files) > maxTogether {
		bundle = maxTogether
		var err error
		if send, err = bundles(files); err != nil {
			return false, err
		}
		defer closeFiles(send)
	}
	return sendMessage(q.sockets.pair[0].Load(), message(tag, len(files), bundle), send)
}

func message(tag uint64, files, bundle int) []byte {
	b := make([]byte, 0, messageSize)
	b = binary.NativeEndian.AppendUint64(b, tag)
	b = binary.NativeEndian.AppendUint64(b, uint64(files))
	return binary.NativeEndian.AppendUint64(b, uint64(bundle))
}

// bundles puts descriptors into sockets, and returns these.
func bundles(files []*os.File) (sockets []*os.File, err error) {
	for len(files) > 0 {
		n := min(len(files), maxTogether)
		pair, err := socketPair()
		if err == nil {
			var fits bool
			fits, err = sendMessage(pair[0], make([]byte, messageSize), files[:n])
			pair[0].Close()
			sockets = append(sockets, pair[1])
			if err == nil && !fits {
				err = os.NewSyscallError("sendmsg", unix.EAGAIN)
			}
		}
		if err != nil {
			closeFiles(sockets)
			return nil, err
		}
		files = files[n:]
	}
	return sockets, nil
}

// sendMessage sends one message; false if there is no room for it.
func sendMessage(to *os.File, body []byte, files []*os.File) (fits bool, err error) {
	err = withFds(files, make([]int, 0, len(files)), func(fds []int) error {
		rights := unix.UnixRights(fds...)
		for {
			err := on(to, func(fd int) error {
				return unix.Sendmsg(fd, body, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			})
			if err != unix.EINTR {
				return err
			}
		}
	})
	if err == unix.EAGAIN {
		return false, nil
	}
	if no, ok := err.(unix.Errno); ok {
		err = os.NewSyscallError("sendmsg", no)
		if no == unix.ETOOMANYREFS { // the latch is held: who waits for this does so without
			err = fmt.Errorf("%w: %w", errCrowded, err)
		}
	}
	return err == nil, err
}

// errGone: a file was closed after its item was made, perhaps while it waited for room.
var errGone = fmt.Errorf("mp: something that the item holds was closed before it was put: %w", os.ErrClosed)

// withFds calls f with the files' descriptors, which stay open meanwhile.
func withFds(files []*os.File, fds []int, f func(fds []int) error) error {
	if len(files) == 0 {
		return f(fds)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return errGone
	}
	err = errGone
	raw.Control(func(fd uintptr) { err = withFds(files[1:], append(fds, int(fd)), f) })
	return err
}

// peekMessage reads one message and leaves it where it is: its descriptors are
// duplicates. none says that there is no message.
func peekMessage(from *os.File) (words [3]uint64, files []*os.File, none bool, err error) {
	body := make([]byte, messageSize)
	control := make([]byte, unix.CmsgSpace(4*maxTogether))
	var n, controlled, flags int
	for {
		err = on(from, func(fd int) (err error) {
			n, controlled, flags, _, err = unix.Recvmsg(fd, body, control, unix.MSG_PEEK|unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
			return err
		})
		if err != unix.EINTR {
			break
		}
	}
	if err == unix.EAGAIN {
		return words, nil, true, nil
	}
	if err != nil {
		return words, nil, false, os.NewSyscallError("recvmsg", err)
	}
	if controlled > 0 {
		messages, err := unix.ParseSocketControlMessage(control[:controlled])
		for i := range messages {
			fds, _ := unix.ParseUnixRights(&messages[i]) // or something else
			for _, fd := range fds {
				files = append(files, os.NewFile(uintptr(fd), "attachment"))
			}
		}
		if err != nil && flags&unix.MSG_CTRUNC == 0 {
			closeFiles(files)
			return words, nil, false, err
		}
	}
	if flags&unix.MSG_CTRUNC != 0 {
		closeFiles(files)
		return words, nil, false, os.NewSyscallError("recvmsg", unix.EMFILE)
	}
	if n != messageSize {
		closeFiles(files)
		return words, nil, n == 0, ErrDamaged
	}
	for i := range words {
		words[i] = binary.NativeEndian.Uint64(body[8*i:])
	}
	return words, files, false, nil
}

// peekFiles returns duplicates of the descriptors with a tag, whose message is the next one from
// then on. lost says that they are gone; after err they are still there.
func (q *Queue) peekFiles(tag uint64) (files []*os.File, lost, err error) {
	if !q.sockets.carries {
		return nil, ErrDamaged, nil
	}
	for {
		words, sent, none, err := peekMessage(q.sockets.pair[1].Load())
		switch {
		case err != nil:
			return nil, nil, err
		case none, words[0] > tag:
			closeFiles(sent)
			return nil, ErrDamaged, nil
		case words[0] < tag:
			closeFiles(sent)
			q.dropFile()
			shm.Point("queue.get.stale")
			continue
		case words[2] != 0:
			bundled, err := unbundle(sent)
			closeFiles(sent)
			if err != nil {
				return nil, nil, err
			}
			sent = bundled
		}
		if uint64(len(sent)) != words[1] {
			closeFiles(sent)
			return nil, ErrDamaged, nil
		}
		return sent, nil, nil
	}
}

// unbundle is the inverse of bundles, and leaves all as it is.
func unbundle(sockets []*os.File) (files []*os.File, err error) {
	for _, s := range sockets {
		_, some, _, err := peekMessage(s)
		files = append(files, some...)
		if err != nil {
			closeFiles(files)
			return nil, err
		}
	}
	return files, nil
}

// dropFile takes the next message away, and its descriptors with it.
func (q *Queue) dropFile() (more bool) {
	var body [messageSize]byte
	for {
		n := 0
		err := on(q.sockets.pair[1].Load(), func(fd int) (err error) {
			n, _, _, _, err = unix.Recvmsg(fd, body[:], nil, unix.MSG_DONTWAIT)
			return err
		})
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}

// dropFiles takes all messages away.
func (q *Queue) dropFiles() {
	for q.sockets.carries && q.dropFile() {
	}
}
