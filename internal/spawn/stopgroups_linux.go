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

// stoppedGroup is a process group that was stopped, or those of its processes that were running.
type stoppedGroup struct {
	child      *Process // nil: a descendant that is no child of this process
	group      int
	partial    []procStat // the processes that were running, if others were stopped already; nil: the whole group
	startTicks uint64     // when the leader was started
}

// stopChildren stops the process groups of all children and of their descendants. It returns when
// they have stopped, or at the deadline. It needs no cooperation, so it works for a child that is
// busy or hangs. It does not touch a process that was stopped before.
//
// It works level by level: a stopped process neither starts nor reaps anything, so the set of its
// children is fixed and their pids stay valid.
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

// groupsToStop returns the groups of children and of their descendants that are not in seen.
func groupsToStop(procs map[int]procStat, children []*Process, seen map[int]bool) (fresh []*stoppedGroup) {
	ours := make(map[int]bool) // children and their descendants
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

// stop stops the group, and reports whether there was anything to stop.
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

// resume continues what stop has stopped.
func (h *stoppedGroup) resume() {
	if h.partial != nil {
		h.signalEach(syscall.SIGCONT)
		return
	}
	h.signal(syscall.SIGCONT) // an error: the group is dead
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

// signalEach signals the processes of the group that were running.
func (h *stoppedGroup) signalEach(sig syscall.Signal) (any bool) {
	for _, was := range h.partial {
		if k, ok := procStatOf(was.pid); ok && k.startTicks == was.startTicks && syscall.Kill(was.pid, sig) == nil {
			any = true
		}
	}
	return any
}

// procStat is what /proc/PID/stat tells about a process or thread.
type procStat struct {
	pid, parent, group int
	state              byte
	startTicks         uint64 // start time, in clock ticks
}

// allProcStats returns all visible processes by pid.
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

// procStatOf returns one of them.
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

// isStopped reports whether all threads of a process have stopped or ended.
func isStopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		if k, ok := readProcStat(path); ok && !strings.ContainsRune("TtZXx", rune(k.state)) {
			return false
		}
	}
	return true
}

// startedAsChild reports whether a process was started as a child, by whatever process. The
// kernel keeps its original environment, in which the bootstrap comes last.
func startedAsChild(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(b, []byte("\x00"+childVar+"="))
}
