//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package fdpass

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var controlSize = 0

func (s *Socket) receive(int) bool {
	s.err = fmt.Errorf("mp: descriptors cannot be received on this system: %w", errors.ErrUnsupported)
	return true
}

func sendWith(syscall.RawConn, []byte, []int) (int, error) {
	return 0, fmt.Errorf("mp: descriptors cannot be sent on this system: %w", errors.ErrUnsupported)
}

func statusFlags(*os.File) (int, bool) { return 0, false }

func Duplicate(*os.File, string) (*os.File, error) {
	return nil, fmt.Errorf("mp: descriptors cannot be sent on this system: %w", errors.ErrUnsupported)
}
