package shared

import (
	"os"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// sockets are the pair by which a queue passes the descriptors of its items: producers send on
// one, consumers receive on the other. They are closed with the last handle of the program, and
// are there again when the queue arrives again.
type sockets struct {
	carries bool // there is a pair, or would be
	pair    [2]atomic.Pointer[os.File]

	mu      sync.Mutex
	handles int
}

// set is called once, with the first handle.
func (s *sockets) set(pair [2]*os.File) {
	s.carries, s.handles = pair[0] != nil, 1
	for i, f := range pair {
		s.pair[i].Store(f)
	}
}

// retain counts one more handle, and takes over the files that came with it.
func (s *sockets) retain(files []*os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles++
	if s.handles > 1 {
		fdpass.CloseAll(files)
		return
	}
	for i, f := range files {
		s.pair[i].Store(f)
	}
}

// release ends one handle.
func (s *sockets) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handles--; s.handles > 0 {
		return
	}
	for i := range s.pair {
		if f := s.pair[i].Swap(nil); f != nil {
			f.Close()
		}
	}
}

// on calls f with the descriptor of a socket, which stays open meanwhile.
func on(socket *os.File, f func(fd int) error) error {
	if socket == nil {
		return carrier.ErrHandleClosed
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return carrier.ErrHandleClosed
	}
	result := carrier.ErrHandleClosed
	raw.Control(func(fd uintptr) { result = f(int(fd)) })
	return result
}
