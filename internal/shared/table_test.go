//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
)

func init() {
	roles["take many"] = func(files []*os.File, _ []string) { // one coin of each, waiting for all at once
		var all []*coins
		for _, f := range files[1:] {
			all = append(all, openCoins(f))
		}
		took := make(chan error)
		for _, c := range all {
			go func() { took <- c.take(context.Background()) }()
		}
		e, err := shared.OpenEvent(files[0])
		must(err)
		e.Set()
		for range all {
			must(<-took)
		}
	}
	roles["main"] = func(files []*os.File, args []string) { // the main process of a program of two, see below
		l, said := openLock(files[0]), files[1:]
		holder := playFrom(nil, "/proc/self/exe", nil, "hold", []*os.File{l.File(), said[0]})
		held, err := shared.OpenEvent(again(nil, said[0]))
		must(err)
		must(held.Wait(context.Background()))
		waiter := playFrom(nil, "/proc/self/exe", nil, "get it", []*os.File{l.File(), said[1], said[2]})
		b := openBoard(said[3])
		b.words[0].Store(uint64(holder.Process.Pid))
		b.words[1].Store(uint64(waiter.Process.Pid))
		waiter.reap()
		forever()
	}
	roles["get it"] = func(files []*os.File, _ []string) {
		l := openLock(files[0])
		e, err := shared.OpenEvent(files[1])
		must(err)
		e.Set()
		g, err := l.Acquire(context.Background())
		must(err)
		if !g.Abandoned {
			panic("not abandoned")
		}
		got, err := shared.OpenEvent(files[2])
		must(err)
		got.Set()
		forever()
	}
}

// A circle is found although no process shares something with all the others: each has only the
// lock that it holds and the one that it waits for.
func TestDeadlockOfFour(t *testing.T) {
	t.Parallel()
	locks := []*shared.Lock{newLock(t), newLock(t), newLock(t), newLock(t)}
	g := acquire(t, locks[0])
	defer locks[0].Release(g.Token)
	for i := 3; i > 0; i-- {
		play(t, "hold and want", []*os.File{locks[i].File(), locks[(i+1)%4].File()})
		for !locks[i].Locked() {
			time.Sleep(time.Millisecond)
		}
	}
	for end := time.Now().Add(20 * time.Second); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		_, err := locks[1].Acquire(ctx)
		cancel()
		var blocked *shared.BlockedError
		if !errors.As(err, &blocked) {
			t.Fatal(err)
		}
		if len(blocked.Cycle) == 4 {
			for i, w := range blocked.Cycle {
				if next := locks[(i+1)%4]; w.Object != next.Number() || w.Holder != blocked.Cycle[(i+1)%4].Waiter {
					t.Errorf("the circle is %+v", blocked.Cycle)
				}
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the circle is not found: %+v", blocked.Cycle)
		}
	}
}

// A process that waits for more objects than the kernel can wait for words hears of each, also
// where the kernel can wait for one word only.
func TestWaitingForManyObjects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env []string
		n   int
	}{
		"one": {nil, 1}, "some": {nil, 40}, "more than 128": {nil, 300},
		"one, an old kernel": {[]string{shm.OldFutexVar + "=1"}, 1}, "some, an old kernel": {[]string{shm.OldFutexVar + "=1"}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvent(t)
			files := []*os.File{e.File()}
			var all []*coins
			for range c.n {
				one := newCoins(t)
				all = append(all, one)
				files = append(files, one.object.File())
			}
			taker := playTagged(t, c.env, "take many", files)
			must(e.Wait(soon(t)))
			time.Sleep(30 * time.Millisecond) // they fall asleep
			slices.Reverse(all)
			for i, one := range all {
				one.give()
				if i%50 != 0 {
					continue
				}
				begin := time.Now()
				for one.word.Load() != 0 {
					if time.Since(begin) > 10*time.Second {
						t.Fatal("a coin is not taken")
					}
					time.Sleep(100 * time.Microsecond)
				}
			}
			if err := taker.within(20 * time.Second); err != nil {
				t.Error(err)
			}
		})
	}
}

// While the main process is stopped nobody says who is dead. Those that wait find out by themselves.
func TestMainProcessIsStopped(t *testing.T) {
	t.Parallel()
	// The objects are made by this process, which is the main one of another program: it only watches.
	l, held, waits, got, b := newLock(t), newEvent(t), newEvent(t), newEvent(t), newBoard(t)
	main := exec.Command("/proc/self/exe")
	files := []*os.File{l.File(), held.File(), waits.File(), got.File(), b.file}
	main.Env = append(os.Environ(), roleVar+"=main", fmt.Sprint("MP_SHARED_FILES=", len(files)), mainVar+"=1")
	null, err := os.Open(os.DevNull)
	must(err)
	defer null.Close()
	main.ExtraFiles = append([]*os.File{null, null}, files...)
	main.Stdout, main.Stderr = os.Stderr, os.Stderr
	must(main.Start())
	defer main.Wait()
	defer main.Process.Kill()
	board := func(i int) int {
		for end := time.Now().Add(20 * time.Second); b.words[i].Load() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the other program has not begun")
			}
		}
		return int(b.words[i].Load())
	}
	holder, waiter := board(0), board(1)
	defer syscall.Kill(waiter, syscall.SIGKILL)
	until := func(e *shared.Event, what string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !e.IsSet(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	until(held, "nobody holds the lock")
	until(waits, "nobody waits for the lock")
	main.Process.Signal(syscall.SIGSTOP)
	time.Sleep(50 * time.Millisecond) // it stops, and who waits falls asleep
	syscall.Kill(holder, syscall.SIGKILL)
	begin := time.Now()
	until(got, "the lock of the dead is not passed on while the main process is stopped")
	t.Log("passed on after", time.Since(begin))
}
