package spawn

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// selfExe is this process's binary, whatever has happened to its file since.
const selfExe = "/proc/self/exe"

// starter counts the children. While there are any it keeps the thread that forked them: the
// kernel sends the parent-death signal when the forking thread ends, and a Go program's threads
// come and go.
var starter struct {
	sync.Mutex
	children int
	forks    chan func() // to the thread; nil: not running
}

// addChild counts a child that is about to be forked.
func addChild() {
	starter.Lock()
	defer starter.Unlock()
	starter.children++
	if starter.forks == nil {
		starter.forks = make(chan func())
		go starterThread(starter.forks)
	}
}

// removeChild uncounts a child that was reaped, or could not be started.
func removeChild() {
	starter.Lock()
	defer starter.Unlock()
	if starter.children--; starter.children == 0 {
		close(starter.forks)
		starter.forks = nil
	}
}

func starterThread(forks <-chan func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // no child depends on this thread any more, so it may serve other goroutines
	for fork := range forks {
		fork()
	}
}

// Children returns the number of children that have not been reaped.
func Children() int {
	starter.Lock()
	defer starter.Unlock()
	return starter.children
}

// fork starts a child in a process group of its own that dies with this process. pidfd is -1 if
// the kernel does not support it. Call it only between addChild and removeChild.
func fork(argv []string, attr *syscall.ProcAttr, as *Thread) (pid, pidfd int, err error) {
	pidfd = -1
	attr.Sys = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd}
	starter.Lock()
	forks := starter.forks
	starter.Unlock()
	done := make(chan struct{})
	forks <- func() {
		defer close(done)
		defer as.useCPUs()()
		pid, err = forkExec(argv, attr)
	}
	ticker := time.NewTicker(stopTimeout)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return pid, pidfd, err
		case <-ticker.C:
			resumeStoppedFork()
		}
	}
}
