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

// Ctrl-Z stops the foreground group of the terminal. Children have groups of their own, so that
// Ctrl-C does not reach them. The main process therefore stops them before it stops itself, and
// continues them afterwards.

// jobs is the job-control state of this process.
var jobs struct {
	once         sync.Once
	began, ended func()         // see OnStop
	stops        chan os.Signal // nil: this process does not handle SIGTSTP
	maskThread   int            // the thread whose signal mask shows whether a channel receives the signal
	probing      sync.Mutex     // held while that is looked up, and while subscribing
}

// OnStop sets functions that are called before children are stopped and after they are continued,
// to adjust clocks. It must be called before the first Start.
func OnStop(began, ended func()) { jobs.began, jobs.ended = began, ended }

// handleJobStops handles Ctrl-Z in a main process that a shell started from a terminal, unless
// something else handles it.
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
			signal.Notify(jobs.stops, syscall.SIGTSTP) // again, because signal.Reset removes it
		}
	}
}

// stopJob does what SIGTSTP does by default, and extends it to the children if it came from the
// terminal. If something else in the program now receives the signal, it does nothing.
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
	stopped := stopChildren(time.Now().Add(stopTimeout))
	select {
	case <-c: // SIGCONT discards pending ones
	default:
	}
	stopSelf()
	for i := len(stopped) - 1; i >= 0; i-- {
		stopped[i].resume() // a child before its parent, which would reap it
	}
	jobs.ended()
}

const (
	// stopTimeout is how long to wait for children to stop. A process that waits for a disk or
	// the network in the kernel stops when that wait ends.
	stopTimeout = 500 * time.Millisecond
	// startTimeout is how long to wait for a Start in progress.
	startTimeout = time.Second
)

// blockStarts keeps children from being started until release is called, if a Start in progress
// finishes in time.
func blockStarts() (release func()) {
	for end := time.Now().Add(startTimeout); !starts.TryLock(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return func() {}
		}
		resumeStoppedFork()
	}
	return starts.Unlock
}

// resumeStoppedFork continues a child that Ctrl-Z has stopped between fork and exec. At that
// moment it was in this process's group and now it is not, so no shell continues it, and the
// thread that forked it waits for it.
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

// stopSelf stops this process by the default action of SIGTSTP, and returns when it is continued.
// The Go runtime does not restore that action after signal.Stop, so stopSelf does, temporarily.
// It sends the signal to its own thread, so the signal has acted when the system call returns.
// The kernel discards it if no shell could continue the process.
func stopSelf() {
	page, err := unix.Mmap(-1, 0, 1024, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return
	}
	defer unix.Munmap(page)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	byDefault := reflect.ValueOf(page).Pointer() // a zero struct sigaction outside Go memory: it does not move
	before := byDefault + 512
	size := uintptr(8) // of a sigset_t
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 16
	}
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP), byDefault, before, size, 0, 0); errno != 0 {
		return
	}
	unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP) // an error: a seccomp filter forbids it
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP), before, 0, size, 0, 0)
}

// othersListen reports whether a channel other than c receives SIGTSTP. Package os/signal does
// not tell, but while no channel receives a signal, the Go runtime keeps it blocked on one
// thread. If that thread is unknown, the answer is false.
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

// findMaskThread finds that thread while only c is subscribed: the thread blocks SIGTSTP after
// Stop and not after Notify. It returns 0 if there is no such thread, because the Go runtime
// works differently.
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
	for range 2 { // a thread that starts another one, or forks, briefly blocks all signals
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

// signalMask reads a signal mask from a status file in /proc.
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

// handlesStop reports whether this program catches or ignores SIGTSTP, or whether that is
// unknown. The Go runtime does neither by itself.
func handlesStop() bool {
	caught, ok := signalMask("/proc/self/status", "SigCgt:")
	ignored, ok2 := signalMask("/proc/self/status", "SigIgn:")
	return !ok || !ok2 || (caught|ignored)&stopBit != 0
}

// leadsGroup reports whether this process is a job of a shell: the leader of a process group,
// with a controlling terminal.
func leadsGroup() bool {
	_, ok := foreground()
	return ok && unix.Getpgrp() == os.Getpid()
}

// inForeground reports whether this process leads the terminal's foreground group.
func inForeground() bool {
	group, ok := foreground()
	return ok && group == os.Getpid() && unix.Getpgrp() == group
}

// foreground returns the foreground group of the controlling terminal, if there is one.
func foreground() (group int, ok bool) {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return group, err == nil
}
