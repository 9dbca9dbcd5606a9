package spawn

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Ctrl-Z stops the foreground group of the terminal, in which children are not: each has a group of its own,
// so that Ctrl-C does not reach them. The main process therefore stops them before it stops itself, and
// continues them afterwards.

// jobs is the job control of this process.
var jobs struct {
	once         sync.Once
	began, ended func()         // see OnStop
	stops        chan os.Signal // nil: this process has none
	maskThread   int            // the thread whose mask says whether somebody listens to a signal
	probing      sync.Mutex     // whether somebody does: nothing is subscribed meanwhile
}

// OnStop sets what is called before children are stopped and after they were continued, for
// clocks. It must be called before anything is started.
func OnStop(began, ended func()) { jobs.began, jobs.ended = began, ended }

// controlJob listens for Ctrl-Z, in a main process that a shell started from a terminal and in
// which nothing else handles that.
func handleJobStops() {
	if child != nil || jobs.began == nil {
		return
	}
	jobs.once.Do(func() {
		if !leadsGroup() || handlesStop() {
			return
		}
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTSTP)
		jobs.maskThread, jobs.stops = findMaskThread(c), c
		go func() {
			for range c {
				stopJob(c)
			}
		}()
	})
	if jobs.stops != nil {
		jobs.probing.Lock()
		defer jobs.probing.Unlock()
		if !signal.Ignored(syscall.SIGTSTP) {
			signal.Notify(jobs.stops, syscall.SIGTSTP) // signal.Reset takes it away
		}
	}
}

// stopJob does what SIGTSTP does by default, and for the children too if it came from the terminal.
// Where something else in the program listens to the signal by now, it is left to that.
func stopJob(c chan os.Signal) {
	defer blockStarts()()
	if othersListen(c) {
		return
	}
	if !inForeground() {
		stopSelf()
		return
	}
	jobs.began()
	halted := stopChildren(time.Now().Add(stopTimeout))
	select {
	case <-c: // SIGCONT discards those that are pending
	default:
	}
	stopSelf()
	for i := len(halted) - 1; i >= 0; i-- {
		halted[i].resume() // a child before its parent, which would reap it
	}
	jobs.ended()
}

const (
	// haltTime is how long children may take to stop. One in the kernel, in a disk's or network's wait,
	// stops when it comes out of it.
	stopTimeout = 500 * time.Millisecond
	// startTime is how long a start that is on its way may take.
	startTimeout = time.Second
)

// holdStarts has no child be started until the returned function is called, if the start that
// is on its way comes to its end in time.
func blockStarts() (release func()) {
	for end := time.Now().Add(startTimeout); !starts.TryLock(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return func() {}
		}
		resumeStoppedFork()
	}
	return starts.Unlock
}

// freeFork continues a child that Ctrl-Z has stopped between fork and exec: it was in this process's group
// then and is not any more, so that no shell continues it, and the thread that forked it waits for it.
func resumeStoppedFork() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	listed := make(map[int]bool)
	for _, p := range liveChildren() {
		listed[p.pid] = true
	}
	for pid, k := range allProcStats() {
		if k.parent != os.Getpid() || k.state != 'T' || listed[pid] {
			continue
		}
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && exe == self {
			unix.Kill(pid, unix.SIGCONT)
		}
	}
}

// raiseStop stops this process, by the default action of SIGTSTP, and returns when it was continued. The
// Go runtime does not restore that action when nobody listens any more, so this does, for the moment. The signal
// goes to the thread that sends it: it has done its work when the system call returns. The kernel discards
// it where no shell could continue the process.
func stopSelf() {
	page, err := unix.Mmap(-1, 0, 1024, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return
	}
	defer unix.Munmap(page)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	byDefault := reflect.ValueOf(page).Pointer() // a struct sigaction of zeros, in no Go memory: it stays there
	before := byDefault + 512
	size := uintptr(8) // of a signal set
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 16
	}
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP), byDefault, before, size, 0, 0); errno != 0 {
		return
	}
	unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP) // an error: a filter forbids it
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP), before, 0, size, 0, 0)
}

// othersListen says whether another channel than c gets SIGTSTP. Package os/signal does not tell, but
// while nobody gets a signal the Go runtime has it blocked on one thread. Where that is not known, nobody
// is taken to.
func othersListen(c chan os.Signal) bool {
	jobs.probing.Lock()
	defer jobs.probing.Unlock()
	signal.Stop(c)
	mask, ok := signalMask(fmt.Sprintf("/proc/self/task/%d/status", jobs.maskThread), "SigBlk:")
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(c, syscall.SIGTSTP)
	}
	return ok && mask&stopBit == 0
}

// findMasker finds that thread, when nobody but c listens: it blocks SIGTSTP after Stop and does not after
// Notify. 0: there is none, so this is a Go runtime that works in another way.
func findMaskThread(c chan os.Signal) (tid int) {
	blocked := func() map[int]bool {
		all := make(map[int]bool)
		threads, _ := filepath.Glob("/proc/self/task/[0-9]*")
		for _, path := range threads {
			if mask, ok := signalMask(path+"/status", "SigBlk:"); ok {
				n, _ := strconv.Atoi(filepath.Base(path))
				all[n] = mask&stopBit != 0
			}
		}
		return all
	}
	possible := blocked()
	for range 2 { // a thread that starts another one, or forks, blocks all signals for a moment
		signal.Stop(c)
		without := blocked()
		signal.Notify(c, syscall.SIGTSTP)
		with := blocked()
		for tid := range possible {
			if was, ok := without[tid]; !ok || !was || with[tid] {
				delete(possible, tid)
			}
		}
	}
	for one := range possible {
		tid = one
	}
	if len(possible) != 1 {
		return 0
	}
	return tid
}

const stopBit = 1 << (unix.SIGTSTP - 1)

// signalMask is a mask of signals in a status of /proc.
func signalMask(path, name string) (mask uint64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if word, found := bytes.CutPrefix(line, []byte(name)); found {
			mask, err = strconv.ParseUint(string(bytes.TrimSpace(word)), 16, 64)
			return mask, err == nil
		}
	}
	return 0, false
}

// handlesStop says whether this program catches or ignores SIGTSTP, or whether that is not known. The Go
// runtime does neither by itself.
func handlesStop() bool {
	caught, ok := signalMask("/proc/self/status", "SigCgt:")
	ignored, ok2 := signalMask("/proc/self/status", "SigIgn:")
	return !ok || !ok2 || (caught|ignored)&stopBit != 0
}

// leadsGroup says whether this process is a job of a shell: the leader of a process group, with a
// controlling terminal.
func leadsGroup() bool {
	_, ok := foreground()
	return ok && unix.Getpgrp() == os.Getpid()
}

// inForeground says whether this process leads the terminal's foreground group.
func inForeground() bool {
	group, ok := foreground()
	return ok && group == os.Getpid() && unix.Getpgrp() == group
}

// foreground is the foreground group of the controlling terminal, if there is one.
func foreground() (group int, ok bool) {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return group, err == nil
}
