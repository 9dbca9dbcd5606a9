package spawn

import (
	"bytes"
	"errors"
	"runtime"
)

// errSynctest is returned where the clock and the channels are not the real ones.
var errSynctest = errors.New("processes and objects shared with them cannot be created inside a bubble of testing/synctest, " +
	"which has its own clock and channels: create them outside, or test with package thread")

// CheckStartable returns an error if this goroutine cannot start processes because it runs in a
// bubble of testing/synctest. The goroutine that forks children, and other state shared by all
// children, would belong to that bubble or be reached from it, and the runtime ends the program
// for either.
func CheckStartable() error {
	head := make(chan []byte)
	go func() { // in the same bubble, with a stack that is cheap to print
		buf := make([]byte, 128)
		head <- buf[:runtime.Stack(buf, false)]
	}()
	line, _, _ := bytes.Cut(<-head, []byte("\n")) // goroutine 7 [running, synctest bubble 3]:
	if bytes.Contains(line, []byte("synctest bubble")) {
		return errSynctest
	}
	return nil
}
