// Package bubble tells whether a goroutine runs inside a bubble of testing/synctest. Channels and
// timers made inside one must not be used outside it.
package bubble

import (
	"bytes"
	"runtime"
	"strconv"
	"time"
)

// Inside reports whether the caller runs inside a bubble. It costs as much as time.Now.
func Inside() bool { return HasTime(time.Now()) }

// HasTime reports whether a result of time.Now was read inside a bubble. The clock of a bubble is
// not that of the system, and so its times have no monotonic clock reading, unlike all others.
func HasTime(now time.Time) bool { return now == now.Round(0) }

// Number is the number of the caller's bubble; 0 outside of bubbles. Outside it costs as much as
// Inside, and some microseconds within.
func Number() int {
	if !Inside() {
		return 0
	}
	head := make(chan []byte)
	go func() { // in the same bubble, with a stack that is cheap to print
		buf := make([]byte, 128)
		head <- buf[:runtime.Stack(buf, false)]
	}()
	return numberIn(<-head)
}

// unknown is the number of a bubble that a stack does not tell.
const unknown = -1

// numberIn is the number of the bubble in the first line of a goroutine's stack, which looks like
// this: goroutine 7 [running, synctest bubble 3]:
func numberIn(stack []byte) int {
	line, _, _ := bytes.Cut(stack, []byte("\n"))
	_, rest, _ := bytes.Cut(line, []byte("synctest bubble "))
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(rest[:end]))
	if err != nil || n == 0 {
		return unknown
	}
	return n
}
