//go:build unix

package shm_test

import (
	"errors"
	"io/fs"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// When the kernel has no mapping left, those of garbage are unmapped first.
func TestMappingOfGarbageIsFreed(t *testing.T) {
	t.Parallel()
	var unmapped atomic.Bool
	runtime.AddCleanup(new([64]byte), func(int) { unmapped.Store(true) }, 0)
	if _, err := shm.RetryMapping(func() ([]byte, error) {
		if unmapped.Load() {
			return nil, nil
		}
		return nil, unix.ENOMEM
	}); err != nil {
		t.Error(err)
	}
}

// What garbage does not hold is not waited for.
func TestMappingFailsForAnotherReason(t *testing.T) {
	t.Parallel()
	calls := 0
	_, err := shm.RetryMapping(func() ([]byte, error) { calls++; return nil, unix.EACCES })
	if !errors.Is(err, fs.ErrPermission) || calls != 1 {
		t.Error(err, "after", calls, "calls")
	}
}
