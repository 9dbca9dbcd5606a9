package spawn

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Thread is what a child takes over of the thread that starts it, as it would with os/exec: children
// are forked by a thread of this package's, which has never seen what the program did to its own.
type Thread struct {
	cpus *unix.CPUSet // it may run on; nil: not known
	nice int
}

// CallingThread is the thread that this goroutine runs on.
func CallingThread() *Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t := &Thread{nice: nice()}
	var cpus unix.CPUSet
	if unix.SchedGetaffinity(0, &cpus) == nil {
		t.cpus = &cpus
	}
	return t
}

// nice is the nice value of this thread.
func nice() int {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return 20 - n // which is what the system call makes of it
}

// setNice sets that of this process, which is young: all its threads are the only ones of its group. Less
// than it has may be refused; then it stays.
func setNice(n int) {
	if n != nice() {
		unix.Setpriority(unix.PRIO_PGRP, 0, n)
	}
}

// lendCPUs has this thread, which is locked, run where t may, until the function that it returns is called.
func (t *Thread) useCPUs() (restore func()) {
	var own unix.CPUSet
	if t.cpus == nil || unix.SchedGetaffinity(0, &own) != nil || own == *t.cpus || unix.SchedSetaffinity(0, t.cpus) != nil {
		return func() {}
	}
	return func() { unix.SchedSetaffinity(0, &own) }
}
