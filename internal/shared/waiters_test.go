//go:build linux

package shared_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// coins is an object whose line is looked after only when somebody rings, as that of a
// queue: goroutines take coins that others give.
type coins struct {
	object *waitq.Object
	word   *atomic.Uint64
	line   *waitq.Queue
}

const kindCoins = 98

func coinsCore(o *waitq.Object) any {
	c := &coins{object: o, word: o.Word(waitq.StateAt)}
	c.line = waitq.NewQueue(o, 0, func(bool) int { return int(c.word.Load()) })
	return c
}

func openCoins(f *os.File) *coins {
	shape := func([4]uint64) (waitq.Shape, error) { return waitq.Shape{Name: "coins", Kind: kindCoins}, nil }
	o, err := waitq.OpenObject(f, kindCoins, shape, coinsCore)
	must(err)
	return o.Core().(*coins)
}

func (c *coins) take(ctx context.Context) error {
	return c.line.Wait(ctx, func(bool) bool {
		n := c.word.Load()
		return n > 0 && c.word.CompareAndSwap(n, n-1)
	})
}

func (c *coins) give() { c.word.Add(1); c.line.Wake(1) }

func init() {
	roles["take coin"] = func(files []*os.File, _ []string) { must(openCoins(files[0]).take(context.Background())) }
	roles["no coin"] = func(files []*os.File, _ []string) { // a member that waits for nothing
		openCoins(files[0])
		say(files[1])
	}
	roles["hold until"] = func(files []*os.File, _ []string) { // says when it has released
		l := openLock(files[0])
		g, err := l.Acquire(context.Background())
		must(err)
		e, err := shared.OpenEvent(files[1])
		must(err)
		must(e.Wait(context.Background()))
		l.Release(g.Token)
		say(files[2])
	}
	roles["permit until"] = func(files []*os.File, _ []string) {
		s := openSemaphore(files[0])
		_, err := s.Acquire(context.Background())
		must(err)
		e, err := shared.OpenEvent(files[1])
		must(err)
		must(e.Wait(context.Background()))
		must(s.Return(0))
		say(files[2])
	}
}

// say sets an event, and stays.
func say(f *os.File) {
	e, err := shared.OpenEvent(f)
	must(err)
	e.Set()
	forever()
}

// Who died while it waited swallows nobody's wake-up, not even when another process has its
// place in the roster.
func TestDeadWaiterSwallowsNoWakeUp(t *testing.T) { // not parallel: the place must stay free
	for name, replaced := range map[string]bool{"its place is free": false, "its place is taken": true} {
		t.Run(name, func(t *testing.T) {
			c := newCoins(t)
			victim := play(t, "take coin", []*os.File{c.object.File()})
			var died proctable.ID
			for ok := false; !ok; died, _, ok = c.line.Oldest() {
				time.Sleep(time.Millisecond)
			}
			got := make(chan error)
			go func() { got <- c.take(soon(t)) }()
			time.Sleep(20 * time.Millisecond) // it falls asleep
			if replaced {
				victim.killUnnoticed()
				e := newEvent(t)
				play(t, "no coin", []*os.File{c.object.File(), e.File()})
				must(e.Wait(soon(t)))
				if _, _, same := proctable.Describe(died); same {
					t.Skip("another place was free")
				}
			} else {
				victim.kill()
			}
			time.Sleep(50 * time.Millisecond) // its death has rung, and it is quiet again
			begin := time.Now()
			c.give()
			if err := <-got; err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > 300*time.Millisecond {
				t.Errorf("the one who lives got the coin after %v", took)
			}
		})
	}
}

// One who waits for a process that is stopped, inside of a semaphore, does not keep
// others of his process from being woken.
func TestOneWhoIsStuckLeadsNobody(t *testing.T) { // not parallel: nobody else may lead
	s, l, release := newSemaphore(t, 1, false), newLock(t), newEvent(t)
	play(t, "hold until", []*os.File{l.File(), release.File(), newEvent(t).File()})
	for !l.Locked() {
		time.Sleep(time.Millisecond)
	}
	owner, _ := l.Owner()
	take(t, s)
	permit, lock := make(chan error, 1), make(chan error, 1)
	go func() { _, err := s.Acquire(soon(t)); permit <- err }()
	time.Sleep(20 * time.Millisecond) // it leads
	go func() { _, err := l.Acquire(soon(t)); lock <- err }()
	time.Sleep(20 * time.Millisecond)
	memory, err := shm.Open(again(t, s.File()), waitq.PayloadAt)
	must(err)
	defer memory.Close()
	latch := memory.Word(waitq.StateAt + 64)
	latch.Store(uint64(owner)) // as if it had stopped there
	must(s.Return(0))
	time.Sleep(20 * time.Millisecond)
	release.Set()
	select {
	case err := <-lock:
		must(err)
	case <-time.After(3 * time.Second):
		t.Error("the lock is free, and nobody told who waits for it")
	}
	latch.Store(0)
	must(<-permit)
}

// An heir that is none any more, because it had the lock already when it was made the heir,
// keeps nobody waiting.
func TestHeirThatWaitsNoMore(t *testing.T) { // not parallel: it must be looked at soon
	t.Run("lock", func(t *testing.T) {
		l, release, released := newLock(t), newEvent(t), newEvent(t)
		c := playTagged(t, []string{"MP_POINT=lock.oldest", "MP_POINT_STOP=1"}, "hold until", []*os.File{l.File(), release.File(), released.File()})
		for !l.Locked() {
			time.Sleep(time.Millisecond)
		}
		done := make(chan struct{})
		go func() { takeLockAsSuccessor(t, l); close(done) }()
		untilAsleep(t, "takeLockAsSuccessor")
		release.Set()
		c.stops()
		<-done // our turn, before it says that it shall be ours
		c.Process.Signal(syscall.SIGCONT)
		must(released.Wait(soon(t))) // it has said so
		if _, ok := l.TryAcquire(); !ok {
			t.Error("nobody has the lock or waits for it, and it cannot be acquired")
		}
	})
	t.Run("semaphore", func(t *testing.T) {
		s, release, released := newSemaphore(t, 1, false), newEvent(t), newEvent(t)
		c := playTagged(t, []string{"MP_POINT=semaphore.oldest", "MP_POINT_STOP=1"}, "permit until", []*os.File{s.File(), release.File(), released.File()})
		for s.Available() > 0 {
			time.Sleep(time.Millisecond)
		}
		done := make(chan struct{})
		go func() { takePermitAsSuccessor(t, s); close(done) }()
		untilAsleep(t, "takePermitAsSuccessor")
		release.Set()
		c.stops()
		<-done
		c.Process.Signal(syscall.SIGCONT)
		must(released.Wait(soon(t)))
		if _, ok := s.TryAcquire(); !ok {
			t.Error("the permit is there and nobody waits for it, and it cannot be acquired")
		}
	})
}

//go:noinline
func takeLockAsSuccessor(t *testing.T, l *shared.Lock) { l.Release(acquire(t, l).Token) }

//go:noinline
func takePermitAsSuccessor(t *testing.T, s *shared.Semaphore) {
	take(t, s)
	must(s.Return(0))
}

// untilAsleep waits until the goroutine that runs function waits for another one, or for the kernel.
func untilAsleep(t *testing.T, function string) {
	t.Helper()
	buf := make([]byte, 1<<20)
	end := time.Now().Add(time.Minute)
	for asleep := 0; asleep < 3; time.Sleep(time.Millisecond) { // a goroutine that spins may wait for a moment
		is := false
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			state, frames, _ := strings.Cut(stack, "\n")
			is = is || strings.Contains(frames, "."+function+"(") && !strings.Contains(state, "[run")
		}
		if is {
			asleep++
		} else {
			asleep = 0
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not wait", function)
		}
	}
}

// stops waits until the child has stopped at its point. A child that does not is killed.
func (c *child) stops() {
	c.t.Helper()
	late := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer late.Stop()
	var status syscall.WaitStatus
	for {
		pid, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case pid > 0 && status.Stopped():
			return
		case pid > 0 || err != nil && err != syscall.EINTR:
			c.t.Fatalf("it did not stop: %v %v", status, err)
		}
	}
}
