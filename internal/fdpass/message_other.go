//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package fdpass

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ControlSize is 0: there are no descriptors to receive.
const ControlSize = 0

var errUnsupported = fmt.Errorf("mp: descriptors cannot be sent or received on this system: %w", errors.ErrUnsupported)

// Sendmsg returns an error on this system.
func Sendmsg(int, []byte, [][]byte, []int, int) (n int, err error) { return 0, errUnsupported }

// Recvmsg returns an error on this system.
func Recvmsg(int, []byte, []byte, []byte, int) (n int, set Set, err error) {
	return 0, Set{}, errUnsupported
}

// Duplicate returns an error on this system.
func Duplicate(*os.File, string) (*os.File, error) { return nil, errUnsupported }

func (s *Socket) receive(int) bool {
	s.err = errUnsupported
	return true
}

func sendWaiting(syscall.RawConn, []byte, []int) (int, error) { return 0, errUnsupported }

func statusFlags(*os.File) (int, bool) { return 0, false }
