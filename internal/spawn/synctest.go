package spawn

import (
	"bytes"
	"errors"
	"runtime"
)

// errBubble is for who starts a process where time is not the kernel's.
var errSynctest = errors.New("no process can be started, and no object be shared with one, inside a bubble of " +
	"testing/synctest, whose clock and channels are its own: do it outside, or test with package thread")

// Startable says why this goroutine cannot start processes: it is in a bubble of testing/synctest.
// What this package keeps for all children, such as the goroutine that forks them, would belong to that
// bubble or be reached from it, and the runtime ends a program for either.
func CheckStartable() error {
	head := make(chan []byte)
	go func() { // in the same bubble, with a stack that is quick to print
		buf := make([]byte, 128)
		head <- buf[:runtime.Stack(buf, false)]
	}()
	line, _, _ := bytes.Cut(<-head, []byte("\n")) // goroutine 7 [running, synctest bubble 3]:
	if bytes.Contains(line, []byte("synctest bubble")) {
		return errSynctest
	}
	return nil
}
