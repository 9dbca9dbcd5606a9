//go:build !linux

package readiness

import (
	"errors"
	"syscall"
)

// Ready always returns false on this system.
func Ready(syscall.RawConn) bool { return false }

// Watch is supported only on Linux.
func Watch([]syscall.RawConn, func()) (stop func(), err error) {
	return nil, errors.ErrUnsupported
}
