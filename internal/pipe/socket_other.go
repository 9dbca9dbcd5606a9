//go:build !linux

package pipe

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

var errUnsupported = fmt.Errorf("mp: pipes between processes are not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func pair() (a, b *os.File, err error)         { return nil, nil, errUnsupported }
func collectInFlight()                         {}
func adoptSocket(f *os.File) (*os.File, error) { return nil, errUnsupported }
func duplicate(fd int) (*os.File, error)       { return nil, errUnsupported }
func readable(fd int) bool                     { return true }

const sendFlags = 0

func receive(fd int, direct, tail, control []byte) (int, fdpass.Set, error) {
	return 0, fdpass.Set{}, errUnsupported
}

func receiveKept(fd int, direct, tail, control []byte) (int, fdpass.Set, error) {
	return 0, fdpass.Set{}, errUnsupported
}
