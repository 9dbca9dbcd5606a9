package spawn

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// selfExe is this process's binary whatever has happened to its file since.
const selfExe = "/proc/self/exe"

// starter counts the children and, while there are any, keeps the thread that forked
// them: the parent-death signal is sent when the forking thread ends, and the threads
// of a Go program come and go.
var starter struct {
	sync.Mutex
	children int
	forks    chan func() // to the thread; nil: there is none
}

// enter counts a child that is about to be forked.
func addChild() {
	starter.Lock()
	defer starter.Unlock()
	starter.children++
	if starter.forks == nil {
		starter.forks = make(chan func())
		go starterThread(starter.forks)
	}
}

// leave counts a child that is reaped, or that never came to be.
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
	defer runtime.UnlockOSThread() // no child depends on it any more, so it may be used for anything
	for fork := range forks {
		fork()
	}
}

// Children is the number of children that are not reaped yet.
func Children() int {
	starter.Lock()
	defer starter.Unlock()
	return starter.children
}

// fork starts a child in a process group of its own that dies with this process. pidfd
// is -1 where the kernel has none. Between enter and leave only.
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
	look := time.NewTicker(stopTimeout)
	defer look.Stop()
	for {
		select {
		case <-done:
			return pid, pidfd, err
		case <-look.C:
			resumeStoppedFork()
		}
	}
}
