package shm

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWaitOp  = 0 // not private: the word is in memory of several processes
	futexWakeOp  = 1
	futexPrivate = 128
)

// futexWait blocks this thread while the word has this value, until it is woken or the
// time is over. It may return for no reason.
func futexWait(w *atomic.Uint32, value uint32, timeout time.Duration) {
	futexWaitBy(w, value, timeout, futexWaitOp)
}

// futexWaitPrivate is futexWait for a word of this process alone.
func futexWaitPrivate(w *atomic.Uint32, value uint32, timeout time.Duration) {
	futexWaitBy(w, value, timeout, futexWaitOp|futexPrivate)
}

func futexWaitBy(w *atomic.Uint32, value uint32, timeout time.Duration, op uintptr) {
	ts := unix.NsecToTimespec(int64(timeout))
	// An error says that the value was another, that time is over, or that a signal came.
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, uintptr(value), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// futexWake wakes a thread that waits for the word.
func futexWake(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp, 1, 0, 0, 0)
}

// futexWakeAll wakes all threads that wait for the word.
func futexWakeAll(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp, math.MaxInt32, 0, 0, 0)
}

// futexWakePrivate is futexWakeAll for a word of this process alone.
func futexWakePrivate(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp|futexPrivate, math.MaxInt32, 0, 0, 0)
}

// futexWord is a word and the value that it is waited with: struct futex_waitv.
type futexWord struct {
	value, address  uint64
	flags, reserved uint32
}

const (
	futex32       = 2 // bits, that is
	maxFutexWords = 128
)

func sharedWord(w *atomic.Uint32, value uint32) futexWord {
	return futexWord{value: uint64(value), address: uint64(uintptr(unsafe.Pointer(w))), flags: futex32}
}

func privateWord(w *atomic.Uint32, value uint32) futexWord {
	return futexWord{value: uint64(value), address: uint64(uintptr(unsafe.Pointer(w))), flags: futex32 | futexPrivate}
}

// OldFutexVar is the environment variable that, with the build tag mpinvariants, makes this an
// old kernel.
const OldFutexVar = "MP_OLD_FUTEX"

// canWaitForSeveral says whether the kernel can wait for several words, as it can since 5.16.
var canWaitForSeveral = sync.OnceValue(func() bool {
	if Invariants && os.Getenv(OldFutexVar) != "" {
		return false
	}
	_, _, err := syscall.RawSyscall6(unix.SYS_FUTEX_WAITV, 0, 0, 0, 0, 0, 0)
	return err == unix.EINVAL // and not ENOSYS, or what a filter says
})

// futexWaitAny blocks this thread while all words have their values, until it is woken or the
// time is over. It may return for no reason. The caller keeps the words alive.
func futexWaitAny(words []futexWord, timeout time.Duration) {
	end := Now() + int64(timeout)
	ts := struct{ sec, ns int64 }{end / int64(time.Second), end % int64(time.Second)}
	_, _, err := syscall.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&words[0])), uintptr(len(words)), 0,
		uintptr(unsafe.Pointer(&ts)), unix.CLOCK_MONOTONIC, 0)
	switch err {
	case 0, unix.EAGAIN, unix.EINTR, unix.ETIMEDOUT:
	default:
		time.Sleep(pollInterval) // the kernel has no memory: look again soon
	}
}
