//go:build linux

package spawn_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["exit 0"] = func(*spawn.Self) {}
	helpers["exit 3"] = func(*spawn.Self) { os.Exit(3) }
	helpers["panic"] = func(*spawn.Self) { panic("oh no") }
	helpers["map writes"] = func(*spawn.Self) {
		m := map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1] = 1
				}
			}()
		}
		select {}
	}
	helpers["stack overflow"] = func(*spawn.Self) {
		debug.SetMaxStack(16 << 20) // otherwise it takes a gigabyte
		fmt.Println(deep(1))
	}
	helpers["unlock"] = func(*spawn.Self) { new(sync.Mutex).Unlock() }
	helpers["nil"] = func(*spawn.Self) { *(*int)(nil) = 1 } //nolint:staticcheck
	helpers["crowd"] = func(*spawn.Self) {
		fmt.Fprintln(os.Stderr, strings.Repeat("noise before the end\n", 10_000))
		debug.SetTraceback("all")
		for range 200 {
			go func() { select {} }()
		}
		panic("in a crowd")
	}
	helpers["recovered"] = func(*spawn.Self) {
		fmt.Fprintln(os.Stderr, "panic: logged, and lived on")
		os.Exit(1)
	}
	helpers["last words"] = func(*spawn.Self) {
		fmt.Fprint(os.Stderr, strings.Repeat("x", 10_000), "the end")
		os.Exit(2)
	}
}

func init() {
	helpers["parent of sleep"] = func(s *spawn.Self) {
		sleep := exec.Command("sleep", "1000")
		sleep.Stdout, sleep.Stderr = os.Stdout, os.Stderr
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(s.Conn, sleep.Process.Pid)
		io.Copy(io.Discard, s.Conn)
	}
	helpers["lost"] = func(s *spawn.Self) {
		sleep := exec.Command("sleep", "1000")
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(s.Conn, sleep.Process.Pid)
		io.Copy(io.Discard, s.Conn)
		s.ExitOrphaned()
	}
	helpers["daemon"] = func(s *spawn.Self) {
		sleep := exec.Command("sleep", "1000")
		sleep.Stdout, sleep.Stderr = os.Stdout, os.Stderr
		sleep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		fmt.Println("started")
		fmt.Fprintln(s.Conn, sleep.Process.Pid)
	}
	helpers["leaves its group"] = func(s *spawn.Self) {
		if err := syscall.Setpgid(0, os.Getppid()); err != nil {
			pgid, _ := syscall.Getpgid(os.Getppid())
			if err := syscall.Setpgid(0, pgid); err != nil {
				panic(err)
			}
		}
		fmt.Fprintln(s.Conn, "ready")
		io.Copy(io.Discard, s.Conn)
	}
}

//go:noinline
func deep(n int) int {
	var frame [1 << 10]int
	frame[n%len(frame)] = n
	//lint:ignore SA5007 it overflows its stack
	return deep(n+1) + frame[(n+1)%len(frame)]
}

func TestExit(t *testing.T) {
	for _, c := range []struct {
		helper string
		code   int
		signal syscall.Signal
		reason string
		words  string
	}{
		{helper: "exit 0"},
		{helper: "exit 3", code: 3},
		{helper: "panic", code: 2, reason: "panic: oh no", words: "goroutine 1 [running]"},
		{helper: "map writes", code: 2, reason: "fatal error: concurrent map writes", words: "goroutine "},
		{helper: "stack overflow", code: 2, reason: "fatal error: stack overflow", words: "runtime stack:"},
		{helper: "unlock", code: 2, reason: "fatal error: sync: unlock of unlocked mutex", words: "goroutine 1 "},
		{helper: "nil", code: 2, reason: "panic: runtime error: invalid memory address or nil pointer dereference", words: "[signal SIGSEGV"},
		{helper: "crowd", code: 2, reason: "panic: in a crowd", words: "goroutine 1 [running]"},
		{helper: "recovered", code: 1, words: "panic: logged, and lived on\n"},
		{helper: "last words", code: 2, words: "the end"},
	} {
		t.Run(c.helper, func(t *testing.T) {
			tidy(t)
			if raceBuild && c.helper == "map writes" {
				used.Store(c.helper, true)
				t.Skip("the race detector has its own words for it")
			}
			k := start(t, spawn.Spec{Name: c.helper, Stderr: io.Discard})
			e := k.wait()
			if e.Code != c.code || e.Signal != c.signal || e.Core || e.OOMKilled {
				t.Errorf("%d %v %v %v", e.Code, e.Signal, e.Core, e.OOMKilled)
			}
			if e.Reason != c.reason {
				t.Errorf("reason %q, want %q", e.Reason, c.reason)
			}
			if !strings.Contains(e.Stderr, c.words) || len(e.Stderr) > 32<<10 {
				t.Errorf("%d last words: %q", len(e.Stderr), e.Stderr)
			}
			if e.Reason != "" && !strings.HasPrefix(e.Stderr, e.Reason) {
				t.Errorf("the last words begin with %.100q", e.Stderr)
			}
		})
	}
}

func TestLongCrashIsCutAtTheEnd(t *testing.T) {
	tidy(t)
	var all buffer
	k := start(t, spawn.Spec{Name: "crowd", Stderr: &all})
	e := k.wait()
	_, crash, _ := strings.Cut(all.String(), "panic: in a crowd")
	if len(crash) < 50_000 {
		t.Fatalf("the crash has only %d bytes", len(crash))
	}
	if want := ("panic: in a crowd" + crash)[:32<<10]; e.Stderr != want {
		t.Errorf("%d bytes, %.80q ...", len(e.Stderr), e.Stderr)
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			if signal.Ignored(sig) {
				t.Skip("this process ignores it, as under nohup, and so do its children")
			}
			tidy(t)
			k := start(t, spawn.Spec{Name: "wait"})
			k.line()
			if err := k.Signal(sig); err != nil {
				t.Error(err)
			}
			e := k.wait()
			if e.Code != -int(sig) || e.Signal != sig || e.OOMKilled {
				t.Errorf("%+v", e)
			}
			for _, late := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
				if err := k.Signal(late); err != nil {
					t.Errorf("after the end: %v", err)
				}
			}
		})
	}
}

func TestForeignKillIsNoOOM(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "wait"})
	k.line()
	syscall.Kill(k.PID(), syscall.SIGKILL)
	if e := k.wait(); e.Code != -9 || e.OOMKilled {
		t.Errorf("%+v", e)
	}
}

// A signal to a child that may be dead, a zombie or reaped reaches the child or nothing.
func TestSignalWhileDying(t *testing.T) {
	tidy(t)
	for range 20 {
		k := start(t, spawn.Spec{Name: "wait"})
		k.line()
		k.Conn().Close()
		for dying := true; dying; {
			select {
			case <-k.Done():
				dying = false
			default:
				if err := k.Signal(syscall.Signal(0)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if e := k.wait(); e.Code != 0 {
			t.Errorf("%+v", e)
		}
	}
}

func TestGroupGoesWithTheChild(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*kid)
	}{
		{"exit", func(k *kid) { k.Conn().Close() }},
		{"kill", func(k *kid) { k.Kill() }},
		{"kill of the leader alone", func(k *kid) { syscall.Kill(k.PID(), syscall.SIGKILL) }},
		{"stopped", func(k *kid) { k.Signal(syscall.SIGSTOP); k.Kill() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tidy(t)
			k := start(t, spawn.Spec{Name: "parent of sleep"})
			sleep := k.line()
			if !children(sleep) {
				t.Fatal("it does not sleep")
			}
			c.end(k)
			begin := time.Now()
			k.wait()
			if took := time.Since(begin); took >= within(200*time.Millisecond) {
				t.Errorf("the output was waited for: %v", took)
			}
			eventually(t, within(time.Second), "the sleep ends", func() bool { return !children(sleep) })
		})
	}
}

func TestLost(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "lost"})
	sleep := k.line()
	k.Conn().Close()
	if e := k.wait(); e.Code != -9 {
		t.Errorf("%+v", e)
	}
	eventually(t, within(time.Second), "the sleep ends", func() bool { return !children(sleep) })
}

// A process that has left the group may hold the pipes; the wait for it is short.
func TestDoneDoesNotWaitForADaemon(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "daemon", Stdout: &out})
	var sleep int
	fmt.Sscan(k.line(), &sleep)
	defer syscall.Kill(sleep, syscall.SIGKILL)
	<-k.Dead()
	begin := time.Now()
	k.wait()
	if took := time.Since(begin); took > within(time.Second) {
		t.Errorf("Done came %v after Dead", took)
	}
	if out.String() != "started\n" {
		t.Errorf("%q", out.String())
	}
	if !children(fmt.Sprint(sleep)) {
		t.Error("the daemon was killed")
	}
}

func TestChildThatLeftItsGroupIsKilled(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "leaves its group"})
	k.line()
	if err := k.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := k.wait(); e.Code != -9 {
		t.Errorf("%+v", e)
	}
}

// Something else may reap every child, as programs do that run as PID 1.
func TestStatusTakenBySomebodyElse(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "wait"})
	k.line()
	stolen := make(chan struct{})
	go func() {
		defer close(stolen)
		var status syscall.WaitStatus
		syscall.Wait4(k.PID(), &status, 0, nil)
	}()
	if _, err := os.ReadFile("/proc/thread-self/syscall"); err == nil { // otherwise the kernel does not report it
		eventually(t, patience, "somebody waits", waitsInWait4)
	}
	k.Kill()
	<-stolen
	if e := k.wait(); e.Code != spawn.CodeUnknown && e.Code != -9 { // in either order
		t.Errorf("%+v", e)
	}
}

func waitsInWait4() bool {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		if b, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/syscall"); strings.HasPrefix(string(b), fmt.Sprint(syscall.SYS_WAIT4, " ")) {
			return true
		}
	}
	return false
}
