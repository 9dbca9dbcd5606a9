//go:build !linux

package readiness

import (
	"errors"
	"syscall"
)

// Now is not known here.
func Ready(syscall.RawConn) bool { return false }

// Watch is for Linux.
func Watch([]syscall.RawConn, func()) (stop func(), err error) {
	return nil, errors.ErrUnsupported
}
