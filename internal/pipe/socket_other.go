//go:build !linux

package pipe

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

var errUnsupported = fmt.Errorf("mp: no pipes between processes on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func pair() (a, b *os.File, err error)               { return nil, nil, errUnsupported }
func collectInFlight()                               {}
func adoptSocket(f *os.File) (*os.File, error)       { return nil, errUnsupported }
func duplicate(fd int) (*os.File, error)             { return nil, errUnsupported }
func readable(fd int) bool                           { return true }
func send(int, []byte, [][]byte, []int) (int, error) { return 0, errUnsupported }

// received is what one look at a socket found.
type received struct {
	n   int
	set fileSet
	has bool
	err error
}

func receive(fd int, direct, tail, oob []byte) received { return received{err: errUnsupported} }

func receiveKept(int, []byte, []byte, []byte) received { return received{err: errUnsupported} }

const oobSize = 0
