package task

import (
	"bytes"
	"runtime"
)

const (
	firstDump = 64 << 10 // bytes
	lastDump  = 16 << 20
)

// Goroutine is the number of this goroutine, to find it in a dump of all.
func Goroutine() string {
	var buf [64]byte
	return string(bytes.Fields(buf[:runtime.Stack(buf[:], false)])[1])
}

// StackOf is the stack of the goroutine with that number: "" when it is not found.
// It stops the program for as long as the dump of all goroutines takes.
func StackOf(id string) string {
	for size := firstDump; size <= lastDump; size *= 4 {
		buf := make([]byte, size)
		buf = buf[:runtime.Stack(buf, true)]
		if stack, whole := cutStack(buf, id); whole {
			return stack
		}
	}
	return ""
}

// cutStack finds one goroutine in a dump; whole says that a longer dump would
// not find more.
func cutStack(dump []byte, id string) (stack string, whole bool) {
	head := []byte("goroutine " + id + " ")
	at := 0
	if !bytes.HasPrefix(dump, head) {
		at = bytes.Index(dump, append([]byte("\n\n"), head...))
		if at < 0 {
			return "", len(dump) < cap(dump)
		}
		at += 2
	}
	end := bytes.Index(dump[at:], []byte("\n\n"))
	if end < 0 {
		return string(dump[at:]), len(dump) < cap(dump)
	}
	return string(dump[at : at+end+1]), true
}
