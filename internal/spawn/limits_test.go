//go:build linux

package spawn_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["burn"] = func(*spawn.Self) {
		//lint:ignore SA5002 it burns processor time
		for {
		}
	}
	helpers["limits"] = func(s *spawn.Self) {
		var files syscall.Rlimit
		check(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
		fmt.Fprintln(s.Conn, files.Cur, files.Max)
		tasks, err := os.ReadDir("/proc/self/task")
		check(err)
		for _, task := range tasks {
			nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, atoi(task.Name()))
			check(err)
			if 20-nice != 5 {
				fmt.Fprintln(s.Conn, "a thread has the nice value", 20-nice)
			}
		}
		fmt.Fprintln(s.Conn, "all nice")
	}
	helpers["grow"] = func(s *spawn.Self) {
		fmt.Fprintln(s.Conn, "small")
		s.Conn.Read(make([]byte, 1))
		b := make([]byte, 64<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		fmt.Fprintln(s.Conn, "grown")
		s.Conn.Read(b[:1])
	}
	helpers["in cgroup"] = func(s *spawn.Self) { // a parent in a small cgroup; its child does not fit
		check(os.WriteFile(filepath.Join(os.Getenv("CGROUP"), "cgroup.procs"), []byte("0"), 0))
		for range 2 {
			p, err := spawn.Start(spawn.Spec{Name: "grow"})
			check(err)
			p.Conn().Write([]byte("grow"))
			<-p.Done()
			fmt.Fprintln(s.Conn, p.Exit().Code, p.Exit().OOMKilled)
			p.Conn().Close()
		}
		p, err := spawn.Start(spawn.Spec{Name: "wait"})
		check(err)
		check(syscall.Kill(p.PID(), syscall.SIGKILL))
		<-p.Done()
		fmt.Fprintln(s.Conn, p.Exit().Code, p.Exit().OOMKilled)
	}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

func TestCPULimit(t *testing.T) {
	for _, procs := range []int{0, 1} {
		t.Run(fmt.Sprint("GOMAXPROCS ", procs), func(t *testing.T) {
			tidy(t)
			k := start(t, spawn.Spec{Name: "burn", Procs: procs, Stderr: io.Discard, Limits: spawn.Limits{CPU: 10 * time.Millisecond}})
			e := k.wait()
			if e.Code != 2 || e.Reason != "SIGXCPU: cpu limit exceeded" || !strings.Contains(e.Stderr, "goroutine ") || e.OOMKilled {
				t.Errorf("%+v", e)
			}
			// The limit is one second; the kernel counts it exactly, in ticks.
			if e.CPU < 200*time.Millisecond || e.CPU > 10*time.Second {
				t.Errorf("it had %v", e.CPU)
			}
		})
	}
}

func TestFileAndNiceLimits(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "limits", Limits: spawn.Limits{OpenFiles: 77, Nice: 5}})
	for _, want := range []string{"77 77", "all nice"} {
		if got := k.line(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	k.wait()
}

func TestLimitThatCannotBeSet(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "limits", Stderr: io.Discard, Limits: spawn.Limits{OpenFiles: 1 << 30}})
	if e := k.wait(); e.Code != 2 || !strings.HasPrefix(e.Reason, "fatal error: cannot start this child process: set the limit of 1073741824 open files: setrlimit: ") {
		t.Errorf("%+v", e)
	}
}

func TestMemory(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "grow"})
	k.line()
	before, err := k.Memory()
	if err != nil || before <= 0 || before > 32<<20 {
		t.Errorf("before: %d, %v", before, err)
	}
	k.say("")
	k.line()
	after, err := k.Memory()
	if err != nil || after-before < 60<<20 || after-before > 256<<20 {
		t.Errorf("after: %d, before: %d, %v", after, before, err)
	}
	if n := testing.AllocsPerRun(100, func() { k.Memory() }); n != 0 {
		t.Errorf("asking allocates %v times", n)
	}
	k.Kill()
	k.wait()
	if n, err := k.Memory(); n != 0 || err == nil {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

func TestOOMKilled(t *testing.T) {
	tidy(t)
	cgroup := memoryCgroup(t, 48<<20)
	k := start(t, spawn.Spec{Name: "in cgroup", Env: append(os.Environ(), "CGROUP="+cgroup)})
	for _, want := range []string{"-9 true", "-9 true", "-9 false"} {
		if got := k.line(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	k.wait()
}

// memoryCgroup makes a cgroup with little memory below this process's.
func memoryCgroup(t *testing.T, limit int) string {
	const v1 = "/sys/fs/cgroup/memory"
	groups, _ := os.ReadFile("/proc/self/cgroup")
	parent, file := "", ""
	for line := range strings.Lines(string(groups)) {
		switch f := strings.SplitN(strings.TrimSpace(line), ":", 3); {
		case f[1] == "memory":
			parent, file = filepath.Join(v1, f[2]), "memory.limit_in_bytes"
		case f[0] == "0" && parent == "":
			parent, file = filepath.Join("/sys/fs/cgroup", f[2]), "memory.max"
		}
	}
	dir := filepath.Join(parent, fmt.Sprint("spawn-test-", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip("no cgroup to try it in: ", err)
	}
	t.Cleanup(func() {
		eventually(t, patience, "the cgroup is empty", func() bool { return syscall.Rmdir(dir) == nil })
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(fmt.Sprint(limit)), 0); err != nil {
		t.Skip("no cgroup to try it in: ", err)
	}
	return dir
}
