package spawn

import (
	"bufio"
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
)

// oomWatch reports whether the kernel's out-of-memory killer has killed something in a child's
// cgroup since the child was started.
type oomWatch struct {
	counter string // the file with the kernel's count
	start   int64
}

// oomAttributed holds, by counter file, up to which value its count is attributed to children. It
// keeps a child that dies later by another SIGKILL from being counted as well.
var oomAttributed struct {
	sync.Mutex
	upTo map[string]int64
}

// watchOOM begins to watch a child that has not been reaped. It does not follow a child that is
// moved to another cgroup later.
func watchOOM(pid int) oomWatch {
	for _, counter := range oomCounters(pid) {
		if n, ok := oomKills(counter); ok {
			return oomWatch{counter, n}
		}
	}
	return oomWatch{}
}

// killedChild reports whether the out-of-memory killer killed a child that died by SIGKILL.
func (w oomWatch) killedChild() bool {
	if w.counter == "" {
		return false
	}
	now, ok := oomKills(w.counter)
	if !ok {
		return false
	}
	oomAttributed.Lock()
	defer oomAttributed.Unlock()
	from := max(w.start, oomAttributed.upTo[w.counter])
	if now <= from {
		return false
	}
	if oomAttributed.upTo == nil {
		oomAttributed.upTo = make(map[string]int64)
	}
	oomAttributed.upTo[w.counter] = from + 1
	return true
}

// oomCounters returns the files that may count the kills that concern a process, the most
// specific first: of its cgroup (version 2, then version 1), then of the whole machine.
func oomCounters(pid int) []string {
	groups, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return nil
	}
	var counters []string
	for _, m := range cgroupMounts() {
		for line := range strings.Lines(string(groups)) { // 4:memory:/path or 0::/path
			fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
			if len(fields) == 3 && m.has(fields[0], fields[1]) {
				counters = append(counters, path.Join(m.point, m.below(fields[2]), m.counter))
			}
		}
	}
	return append(counters, "/proc/vmstat")
}

// cgroupMount is a mounted hierarchy that counts memory.
type cgroupMount struct {
	root, point string // the path in the hierarchy that is mounted at point
	counter     string
}

func (m cgroupMount) has(hierarchy, controllers string) bool {
	if m.counter == "memory.events" {
		return hierarchy == "0"
	}
	return strings.Contains(","+controllers+",", ",memory,")
}

// below returns the path under the mount. A container may see its own cgroup as the root.
func (m cgroupMount) below(group string) string {
	if rest, ok := strings.CutPrefix(group, m.root); ok && m.root != "/" {
		return rest
	}
	return group
}

var cgroupMounts = sync.OnceValue(func() (mounts []cgroupMount) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 36 35 98:0 /root /point rw shared:1 - cgroup cgroup rw,memory
		mount, super, _ := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(mount), strings.Fields(super)
		if len(fields) < 5 || len(kind) < 3 {
			continue
		}
		m := cgroupMount{root: fields[3], point: fields[4]}
		switch {
		case kind[0] == "cgroup2":
			m.counter = "memory.events"
			mounts = append([]cgroupMount{m}, mounts...)
		case kind[0] == "cgroup" && strings.Contains(","+kind[2]+",", ",memory,"):
			m.counter = "memory.oom_control"
			mounts = append(mounts, m)
		}
	}
	return mounts
})

// oomKills reads the line "oom_kill N", which all three kinds of file have.
func oomKills(file string) (n int64, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	_, after, ok := bytes.Cut(append([]byte("\n"), b...), []byte("\noom_kill "))
	if !ok {
		return 0, false
	}
	n, _ = number(after)
	return n, true
}
