//go:build !linux

package shm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// Supported says why processes share nothing here.
func Supported() error {
	return fmt.Errorf("mp: what processes share, on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// The rest is not called.

func futexWait(_ *atomic.Uint32, _ uint32, timeout time.Duration) { time.Sleep(timeout) }
func futexWake(*atomic.Uint32)                                    {}
func reopen(*os.File) (*os.File, error)                           { return nil, Supported() }
func lockByte(*os.File, int) (bool, error)                        { return false, Supported() }
func isLocked(*os.File, int) bool                                 { return true }
func newSparse(string, int, int64) (*Region, error)               { return nil, Supported() }
func openSparse(*os.File, int, int64) (*Region, error)            { return nil, Supported() }
