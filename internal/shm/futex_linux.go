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
	futexWaitOp  = 0 // not private: other processes may map the word
	futexWakeOp  = 1
	futexPrivate = 128
)

// FutexWait blocks this thread while the word has a value, until it is woken or the timeout
// has passed. It may return early for no reason.
func FutexWait(w *atomic.Uint32, value uint32, timeout time.Duration) {
	futexWait(w, value, timeout, futexWaitOp)
}

// FutexWaitPrivate is FutexWait for a word that only this process maps.
func FutexWaitPrivate(w *atomic.Uint32, value uint32, timeout time.Duration) {
	futexWait(w, value, timeout, futexWaitOp|futexPrivate)
}

func futexWait(w *atomic.Uint32, value uint32, timeout time.Duration, op uintptr) {
	ts := unix.NsecToTimespec(int64(timeout))
	// An error means that the word has another value, that the timeout has passed, or that a
	// signal arrived. The caller looks again in each case.
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, uintptr(value), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// FutexWake wakes one thread that waits on the word.
func FutexWake(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp, 1, 0, 0, 0)
}

// FutexWakeAll wakes all threads that wait on the word.
func FutexWakeAll(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp, math.MaxInt32, 0, 0, 0)
}

// FutexWakePrivate is FutexWakeAll for a word that only this process maps.
func FutexWakePrivate(w *atomic.Uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), futexWakeOp|futexPrivate, math.MaxInt32, 0, 0, 0)
}

// FutexWord is a word for FutexWaitAny, with the value that it is expected to have: struct
// futex_waitv.
type FutexWord struct {
	value, address  uint64
	flags, reserved uint32
}

// MaxFutexWords is how many words the kernel takes in one FutexWaitAny.
const MaxFutexWords = 128

const futex32 = 2 // the flag for words of 32 bits

// SharedFutex is a word in memory that several processes map.
func SharedFutex(w *atomic.Uint32, value uint32) FutexWord {
	return FutexWord{value: uint64(value), address: uint64(uintptr(unsafe.Pointer(w))), flags: futex32}
}

// PrivateFutex is a word that only this process maps.
func PrivateFutex(w *atomic.Uint32, value uint32) FutexWord {
	return FutexWord{value: uint64(value), address: uint64(uintptr(unsafe.Pointer(w))), flags: futex32 | futexPrivate}
}

// OldFutexVar is an environment variable that makes CanFutexWaitAny return false in programs
// built with the tag mpinvariants.
const OldFutexVar = "MP_OLD_FUTEX"

// CanFutexWaitAny reports whether the kernel has futex_waitv, which came with Linux 5.16.
var CanFutexWaitAny = sync.OnceValue(func() bool {
	if Invariants && os.Getenv(OldFutexVar) != "" {
		return false
	}
	_, _, err := syscall.RawSyscall6(unix.SYS_FUTEX_WAITV, 0, 0, 0, 0, 0, 0)
	return err == unix.EINVAL // otherwise ENOSYS, or what a seccomp filter returns
})

// futexRetry is how long FutexWaitAny sleeps when the kernel has no memory for its call.
const futexRetry = time.Millisecond

// FutexWaitAny blocks this thread while all words have their values, until it is woken or the
// timeout has passed. It may return early for no reason. The caller keeps the words alive.
func FutexWaitAny(words []FutexWord, timeout time.Duration) {
	end := Now() + int64(timeout)
	ts := struct{ sec, ns int64 }{end / int64(time.Second), end % int64(time.Second)}
	_, _, err := syscall.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&words[0])), uintptr(len(words)), 0,
		uintptr(unsafe.Pointer(&ts)), unix.CLOCK_MONOTONIC, 0)
	switch err {
	case 0, unix.EAGAIN, unix.EINTR, unix.ETIMEDOUT:
	default:
		time.Sleep(futexRetry)
	}
}
