package spawn

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Thread is what a child inherits from the thread that starts it, as with os/exec. A thread of
// this package forks the children, and it knows nothing of what the program set on its own
// threads.
type Thread struct {
	cpus *unix.CPUSet // allowed processors; nil: unknown
	nice int
}

// CallingThread returns the attributes of the thread that this goroutine runs on.
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

// nice returns the nice value of this thread.
func nice() int {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return 20 - n // the raw system call returns 20 - nice
}

// setNice sets the nice value of this process. It runs early, so the group consists of this
// process's threads. The kernel may refuse to lower the value; then it stays.
func setNice(n int) {
	if n != nice() {
		unix.Setpriority(unix.PRIO_PGRP, 0, n)
	}
}

// useCPUs gives this thread, which is locked, the processors of t until restore is called.
func (t *Thread) useCPUs() (restore func()) {
	var own unix.CPUSet
	if t.cpus == nil || unix.SchedGetaffinity(0, &own) != nil || own == *t.cpus || unix.SchedSetaffinity(0, t.cpus) != nil {
		return func() {}
	}
	return func() { unix.SchedSetaffinity(0, &own) }
}
