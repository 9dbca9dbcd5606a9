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

// Supported returns why processes share nothing on this system: errors.ErrUnsupported.
func Supported() error {
	return fmt.Errorf("mp: memory shared by processes on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Nothing below is called where Supported returns an error.

// MaxFutexWords is how many words FutexWaitAny takes.
const MaxFutexWords = 2

// FutexWord is a word for FutexWaitAny.
type FutexWord struct{}

// FutexWait sleeps.
func FutexWait(_ *atomic.Uint32, _ uint32, timeout time.Duration) { time.Sleep(timeout) }

// FutexWaitPrivate sleeps.
func FutexWaitPrivate(_ *atomic.Uint32, _ uint32, timeout time.Duration) { time.Sleep(timeout) }

// FutexWaitAny sleeps.
func FutexWaitAny(_ []FutexWord, timeout time.Duration) { time.Sleep(timeout) }

// FutexWake does nothing.
func FutexWake(*atomic.Uint32) {}

// FutexWakeAll does nothing.
func FutexWakeAll(*atomic.Uint32) {}

// FutexWakePrivate does nothing.
func FutexWakePrivate(*atomic.Uint32) {}

// CanFutexWaitAny is false.
func CanFutexWaitAny() bool { return false }

// SharedFutex is a word for FutexWaitAny.
func SharedFutex(*atomic.Uint32, uint32) FutexWord { return FutexWord{} }

// PrivateFutex is a word for FutexWaitAny.
func PrivateFutex(*atomic.Uint32, uint32) FutexWord { return FutexWord{} }

// NewSingleWriter returns Supported's error.
func NewSingleWriter(string, int) (*os.File, *Region, error) { return nil, nil, Supported() }

// OpenReadOnly returns Supported's error.
func OpenReadOnly(*os.File, int) (*Region, error) { return nil, Supported() }

// NewSparse returns Supported's error.
func NewSparse(string, int, int64) (*Region, error) { return nil, Supported() }

// OpenSparse returns Supported's error.
func OpenSparse(*os.File, int, int64) (*Region, error) { return nil, Supported() }
