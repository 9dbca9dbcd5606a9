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

const maxFutexWords = 2

type futexWord struct{}

func futexWait(_ *atomic.Uint32, _ uint32, timeout time.Duration)        { time.Sleep(timeout) }
func futexWaitPrivate(_ *atomic.Uint32, _ uint32, timeout time.Duration) { time.Sleep(timeout) }
func futexWaitAny(_ []futexWord, timeout time.Duration)                  { time.Sleep(timeout) }
func futexWake(*atomic.Uint32)                                           {}
func futexWakeAll(*atomic.Uint32)                                        {}
func futexWakePrivate(*atomic.Uint32)                                    {}
func canWaitForSeveral() bool                                            { return false }
func sharedWord(*atomic.Uint32, uint32) futexWord                        { return futexWord{} }
func privateWord(*atomic.Uint32, uint32) futexWord                       { return futexWord{} }
func createTable() (*os.File, *Region, error)                            { return nil, nil, Supported() }
func mapForReading(*os.File, int) (*Region, error)                       { return nil, Supported() }
func pidNamespace() uint64                                               { return 0 }
func openPIDFD(int) (*os.File, error)                                    { return nil, Supported() }
func dupPIDFD(*os.File) (int, error)                                     { return -1, Supported() }
func closePIDFD(int)                                                     {}
func awaitExit(int)                                                      {}
func processDead(int) bool                                               { return false }
func descendant(int, int) (int, bool)                                    { return 0, false }
func newSparse(string, int, int64) (*Region, error)                      { return nil, Supported() }
func openSparse(*os.File, int, int64) (*Region, error)                   { return nil, Supported() }
