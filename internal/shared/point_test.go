//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
	"golang.org/x/sys/unix"
)

// taggedBinary is this test, built with the invariants: its processes die at labelled
// points, and check what they do. It has no name any more.
var taggedBinary = sync.OnceValues(func() (string, error) {
	if shm.Invariants {
		return "/proc/self/exe", nil
	}
	dir, err := os.MkdirTemp("", "mp-tagged")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "tagged")
	if out, err := exec.Command("go", "test", "-c", "-tags", "mpinvariants", "-o", name, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %s", err, out)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	taggedFile = f
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()), nil
})

// taggedFile keeps it open.
var taggedFile *os.File

// playTagged is playWith of the binary with the invariants.
func playTagged(t *testing.T, env []string, role string, files []*os.File, args ...string) *child {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil && !shm.Invariants {
		t.Skip("no go command in PATH: what dies at a point cannot be built")
	}
	binary, err := taggedBinary()
	if err != nil {
		t.Fatal(err)
	}
	return playFrom(t, binary, env, role, files, args...)
}

// doomed starts a child that dies at a point.
func doomed(t *testing.T, label, role string, files []*os.File, args ...string) *child {
	t.Helper()
	return playTagged(t, []string{"MP_POINT=" + label}, role, files, args...)
}

// errStillRuns is what within returns of a child that did not end.
var errStillRuns = errors.New("the process still ran")

// within waits for the end of the child, and kills it when that takes too long.
func (c *child) within(d time.Duration) error {
	kill := time.AfterFunc(d, func() { c.Process.Signal(syscall.SIGTERM) })
	err := c.reap()
	c.bury()
	if !kill.Stop() {
		return errStillRuns
	}
	return err
}

// dies waits until the child has died at its point.
func (c *child) dies() {
	c.t.Helper()
	c.within(15 * time.Second)
	if status := c.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		c.t.Errorf("it did not die at its point: %v", c.ProcessState)
	}
}

func init() {
	roles["lock turns"] = func(files []*os.File, args []string) {
		l := openLock(files[0])
		for range atoi(args[0]) {
			g, err := l.Acquire(context.Background())
			must(err)
			time.Sleep(1500 * time.Microsecond) // long enough for a waiter to become the successor
			l.Release(g.Token)
		}
	}
	roles["permit turns"] = func(files []*os.File, args []string) {
		s := openSemaphore(files[0])
		for range atoi(args[0]) {
			_, err := s.Acquire(context.Background())
			must(err)
			time.Sleep(1500 * time.Microsecond)
			must(s.Return(0))
		}
	}
	roles["more permits"] = func(files []*os.File, args []string) { must(openSemaphore(files[0]).Release(atoi(args[0]))) }
	roles["notify"] = func(files []*os.File, args []string) {
		c := openCondition(files)
		g, err := c.Mutex().Acquire(context.Background())
		must(err)
		must(c.Notify(g.Token, atoi(args[0])))
		c.Mutex().Release(g.Token)
	}
	roles["await shortly"] = func(files []*os.File, _ []string) { // until its ctx ends
		c := openCondition(files)
		ctx, cancel := context.WithCancel(context.Background())
		e, err := shared.OpenEvent(files[2])
		must(err)
		go func() { must(e.Wait(context.Background())); cancel() }()
		g, err := c.Mutex().Acquire(ctx)
		must(err)
		_, err = c.Wait(ctx, g.Token)
		must(err)
	}
	roles["barrier act"] = func(files []*os.File, args []string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(atoi(args[0]))*time.Millisecond)
		defer cancel()
		openBarrier(files[0]).Wait(ctx, func() error { return nil })
	}
	roles["wait broken"] = func(files []*os.File, _ []string) { // ends well if the barrier breaks
		if _, err := openBarrier(files[0]).Wait(context.Background(), nil); !errors.Is(err, carrier.ErrBarrierBroken) {
			panic(err)
		}
	}
	roles["barrier reset"] = func(files []*os.File, _ []string) {
		b := openBarrier(files[0])
		b.Abort()
		b.Reset()
	}
	roles["set"] = func(files []*os.File, _ []string) {
		e, err := shared.OpenEvent(files[0])
		must(err)
		e.Set()
		forever()
	}
}

// blindTime is how long a test waits for a process that does not learn of a death.
const blindTime = 3 * time.Second

// blindVar makes a child blind: it does not learn of deaths. Its parent does not reap those that die,
// and it has no descriptor by which to ask the kernel about a zombie. So it stands for a process that
// ignores deaths, by which a test shows that it would notice one.
const blindVar = "MP_SHARED_BLIND"

func blindEnv(blind bool) []string {
	if !blind {
		return nil
	}
	return []string{blindVar + "=1"}
}

// blindIfAsked is called by a role once it has its objects.
func blindIfAsked() {
	if os.Getenv(blindVar) != "" {
		time.Sleep(time.Microsecond) // the runtime's poller takes its descriptors with the first timer
		must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{}))
	}
}

// diesFor waits until the child has died at its point. For the blind it remains a zombie, and nobody
// is told.
func (c *child) diesFor(blind bool) {
	c.t.Helper()
	if !blind {
		c.dies()
		return
	}
	var info unix.Siginfo
	for err := unix.EINTR; err == unix.EINTR; {
		err, _ = unix.Waitid(unix.P_PID, c.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil).(unix.Errno)
	}
}

func TestPointsOfTheLock(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"lock.owned", "lock.held", "lock.released", "lock.free", "lock.successor"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			if err := lockSurvives(t, label, false, 15*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a process that ignores death is caught", func(t *testing.T) {
		t.Parallel()
		if err := lockSurvives(t, "lock.held", true, blindTime); !errors.Is(err, errStillRuns) {
			t.Error(err)
		}
	})
}

// lockSurvives returns an error if others cannot use the lock after a process has died at a point.
func lockSurvives(t *testing.T, label string, blind bool, limit time.Duration) error {
	l := newLock(t)
	c := doomed(t, label+":3", "lock turns", []*os.File{l.File()}, "100000")
	survivor := playTagged(t, blindEnv(blind), "lock turns", []*os.File{l.File()}, "100000")
	c.diesFor(blind)
	survivor.kill() // wherever it is
	last := playTagged(t, blindEnv(blind), "lock turns", []*os.File{l.File()}, "10")
	if err := last.within(limit); err != nil {
		return fmt.Errorf("a survivor: %w", err)
	}
	g := acquire(t, l)
	if g.Abandoned || l.Release(g.Token) != nil || l.Locked() {
		return errors.New("the lock is not as it should be")
	}
	return nil
}

func TestPointsOfTheSemaphore(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"latched", "numbered", "taken", "succeeded", "returned", "successor", "released"} {
		for _, bounded := range []bool{false, true} {
			t.Run(fmt.Sprint(label, " bounded ", bounded), func(t *testing.T) {
				t.Parallel()
				if label == "released" && bounded {
					t.Skip("there is nothing to release")
				}
				if err := semaphoreSurvives(t, "semaphore."+label, bounded); err != nil {
					t.Error(err)
				}
			})
		}
	}
	t.Run("a process that ignores death is caught", func(t *testing.T) {
		t.Parallel()
		for _, blind := range []bool{false, true} {
			s, e := newSemaphore(t, 2, false), newEvent(t)
			c := play(t, "permits", []*os.File{s.File(), e.File()}, "2")
			must(e.Wait(soon(t)))
			survivor := playTagged(t, blindEnv(blind), "permit turns", []*os.File{s.File()}, "1")
			time.Sleep(100 * time.Millisecond) // it waits
			limit := 15 * time.Second
			if blind {
				limit = blindTime
				c.Process.Kill()
				c.diesFor(blind)
			} else {
				c.kill()
			}
			if err := survivor.within(limit); blind && err != errStillRuns || !blind && err != nil {
				t.Errorf("blind %v: %v", blind, err)
			}
		}
	})
	t.Run("semaphore.trimmed", func(t *testing.T) {
		t.Parallel()
		s, e := newSemaphore(t, 1, true), newEvent(t)
		c := play(t, "permits", []*os.File{s.File(), e.File()}, "1")
		must(e.Wait(soon(t)))
		must(s.Release(1))
		c.kill()
		doomed(t, "semaphore.trimmed", "permit turns", []*os.File{s.File()}, "1").dies()
		if n := s.Available(); n != 1 {
			t.Errorf("%d available", n)
		}
	})
}

// semaphoreSurvives says whether others can use the semaphore when two die at a point.
func semaphoreSurvives(t *testing.T, label string, bounded bool) error {
	s, total := newSemaphore(t, 2, bounded), 2
	role, args := "permit turns", "100000"
	if label == "semaphore.released" {
		role, args, total = "more permits", "1", 4
	}
	files := []*os.File{s.File()}
	var survivors, dead []*child
	for range 2 {
		survivors = append(survivors, playTagged(t, nil, "permit turns", files, "40"))
	}
	for range 2 { // both permits, if the dead kept theirs
		dead = append(dead, doomed(t, label, role, files, args))
	}
	for _, c := range dead {
		c.dies()
	}
	for _, c := range survivors {
		if err := c.within(15 * time.Second); err != nil {
			return fmt.Errorf("a survivor: %w", err)
		}
	}
	if n := s.Available(); n != total {
		return fmt.Errorf("%d permits of %d", n, total)
	}
	return nil
}

func TestPointOfTheEvent(t *testing.T) {
	t.Parallel()
	e := newEvent(t)
	done := make(chan error)
	go func() { done <- e.Wait(soon(t)) }()
	time.Sleep(20 * time.Millisecond)
	doomed(t, "event.set", "set", []*os.File{e.File()}).dies()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
