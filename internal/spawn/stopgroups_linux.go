package spawn

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// halted is a process group that was stopped, or those of its processes that ran.
type stoppedGroup struct {
	child      *Process // nil: a child of a child
	group      int
	partial    []procStat // others of the group were stopped before, and stay so; nil: all of it
	startTicks uint64     // when the leader was started
}

// haltChildren stops the process groups of all children and of their children, however far down, and
// returns when they have stopped or the time is over. Nobody need answer: a child may be busy, or hang. A
// process that was stopped before is not touched.
//
// It goes down level by level: a process that has stopped starts nothing and reaps nothing, so its
// children are those that it has then, and their pids are theirs.
func stopChildren(deadline time.Time) (all []*stoppedGroup) {
	seen := make(map[int]bool)
	for range maxDepth + 1 {
		procs := allProcStats()
		fresh := groupsToStop(procs, liveChildren(), seen)
		if len(fresh) == 0 {
			break
		}
		for _, h := range fresh {
			seen[h.group] = true
			if h.stop(procs) {
				all = append(all, h)
			}
		}
		for _, h := range fresh {
			for !isStopped(h.group) && time.Now().Before(deadline) {
				time.Sleep(500 * time.Microsecond)
			}
		}
	}
	return all
}

// groupsToHalt finds the groups of children and of those that descend from them, but for those that were seen.
func groupsToStop(procs map[int]procStat, children []*Process, seen map[int]bool) (fresh []*stoppedGroup) {
	ours := make(map[int]bool) // children, what they have started, and so on
	for _, p := range children {
		ours[p.pid] = true
		if !seen[p.pid] {
			fresh = append(fresh, &stoppedGroup{child: p, group: p.pid, startTicks: procs[p.pid].startTicks})
		}
	}
	for grew := true; grew; {
		grew = false
		for pid, k := range procs {
			if ours[pid] || !ours[k.parent] {
				continue
			}
			ours[pid], grew = true, true
			if k.group == pid && !seen[pid] && startedAsChild(pid) {
				fresh = append(fresh, &stoppedGroup{group: pid, startTicks: k.startTicks})
			}
		}
	}
	return fresh
}

// halt stops the group, and says whether there was anything to stop.
func (h *stoppedGroup) stop(procs map[int]procStat) bool {
	var running []procStat
	some := false
	for _, k := range procs {
		switch {
		case k.group != h.group || k.state == 'Z':
		case k.state == 'T':
			some = true
		default:
			running = append(running, k)
		}
	}
	if some {
		h.partial = running
		return h.signalEach(syscall.SIGSTOP)
	}
	return h.signal(syscall.SIGSTOP) == nil
}

// goOn continues what halt has stopped.
func (h *stoppedGroup) resume() {
	if h.partial != nil {
		h.signalEach(syscall.SIGCONT)
		return
	}
	h.signal(syscall.SIGCONT) // an error: it is dead
}

func (h *stoppedGroup) signal(sig syscall.Signal) error {
	if h.child != nil {
		return h.child.Signal(sig)
	}
	if k, ok := procStatOf(h.group); !ok || k.startTicks != h.startTicks {
		return syscall.ESRCH
	}
	return syscall.Kill(-h.group, sig)
}

// each signals the processes of the group that ran.
func (h *stoppedGroup) signalEach(sig syscall.Signal) (any bool) {
	for _, was := range h.partial {
		if k, ok := procStatOf(was.pid); ok && k.startTicks == was.startTicks && syscall.Kill(was.pid, sig) == nil {
			any = true
		}
	}
	return any
}

// kernelProcess is what the kernel says of a process.
type procStat struct {
	pid, parent, group int
	state              byte
	startTicks         uint64 // when it was started, in ticks
}

// kernelProcesses are all processes that can be seen, by their pids.
func allProcStats() map[int]procStat {
	procs := make(map[int]procStat)
	dir, err := os.Open("/proc")
	if err != nil {
		return procs
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if k, ok := procStatOf(pid); ok {
				procs[pid] = k
			}
		}
	}
	return procs
}

// kernelProcessOf is one of them.
func procStatOf(pid int) (k procStat, ok bool) {
	return readProcStat(fmt.Sprintf("/proc/%d/stat", pid))
}

func readProcStat(path string) (k procStat, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return k, false
	}
	head, rest, ok := cutLast(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || len(fields[0]) != 1 {
		return k, false
	}
	number, _, _ := strings.Cut(head, " (")
	k.state = fields[0][0]
	errs := [4]error{}
	k.pid, errs[0] = strconv.Atoi(number)
	k.parent, errs[1] = strconv.Atoi(fields[1])
	k.group, errs[2] = strconv.Atoi(fields[2])
	k.startTicks, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	return k, errs == [4]error{}
}

// isHalted says whether all threads of a process have stopped, or have ended.
func isStopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		if k, ok := readProcStat(path); ok && !strings.ContainsRune("TtZXx", rune(k.state)) {
			return false
		}
	}
	return true
}

// isMarked says whether a process was started as a child, by any process: the kernel keeps the
// environment that it was started with, in which the mark comes last.
func startedAsChild(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(b, []byte("\x00"+childVar+"="))
}
