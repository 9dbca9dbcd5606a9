//go:build linux

package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// stoppedAt stops its own process when the input is 1: right after the outcome of the item
// before, in a chunk of two.
var stoppedAt = mp.Register("stopped/at", func(_ context.Context, n int) (int, error) {
	if n == 1 {
		runtime.LockOSThread() // a thread that sends it to itself does not go on before the process is stopped
		defer runtime.UnlockOSThread()
		unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
	}
	return n + 10, nil
})

// stoppedPID returns a worker's pid after a moment.
var stoppedPID = mp.Register("stopped/pid", func(_ context.Context, d time.Duration) (int, error) {
	time.Sleep(d)
	return os.Getpid(), nil
})

// stoppedWorker is a pool of one worker which has committed the outcome of item 0, and
// stopped itself in item 1. Both were in one chunk, with the given options.
func stoppedWorker(t *testing.T, opts ...mp.TaskOption) (p *mp.Pool, outs chan mp.Outcome[int, int], cancel func()) {
	t.Helper()
	p = testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	ctx, cancel := context.WithCancel(poolCtx(t))
	outs = make(chan mp.Outcome[int, int], 10)
	left := make(chan struct{})
	go func() {
		defer close(left)
		defer close(outs)
		for o := range mp.Outcomes(ctx, p, stoppedAt, slices.Values([]int{0, 1}), append(opts, mp.Chunk(2))...) {
			outs <- o
		}
	}()
	t.Cleanup(func() {
		cancel()
		p.Terminate()
		<-left
	})
	return p, outs, cancel
}

// first is the outcome that was committed before the worker was stopped.
func first(t *testing.T, outs chan mp.Outcome[int, int]) {
	t.Helper()
	select {
	case o := <-outs:
		if o.Index != 0 || o.Out != 10 || o.Err != nil {
			t.Errorf("the first outcome is %+v", o)
		}
	case <-time.After(testkit.Within(5 * time.Second)):
		t.Fatal("the outcome that was committed before the worker was stopped did not come")
	}
}

// isStopped waits until the process is stopped.
func isStopped(t *testing.T, pid int) {
	t.Helper()
	testkit.Until(t, "it is stopped", func() bool { return testkit.ProcessState(pid) == 'T' })
}

// What was committed is delivered, and the pool waits for the item that runs.
func TestStoppedWorkerCommitted(t *testing.T) {
	t.Parallel()
	p, outs, _ := stoppedWorker(t)
	first(t, outs)
	pid := p.Stats().Workers[0].PID
	isStopped(t, pid)
	select {
	case o := <-outs:
		t.Fatalf("a stopped task has the outcome %+v", o)
	default:
	}
	syscall.Kill(pid, syscall.SIGCONT)
	select {
	case o := <-outs:
		if o.Index != 1 || o.Out != 11 || o.Err != nil {
			t.Errorf("after SIGCONT %+v", o)
		}
	case <-poolCtx(t).Done():
		t.Fatal("nothing after SIGCONT")
	}
}

// A deadline kills a stopped worker; only the item that ran is blamed.
func TestStoppedWorkerTimeout(t *testing.T) {
	t.Parallel()
	_, outs, _ := stoppedWorker(t, mp.Timeout(300*time.Millisecond))
	first(t, outs)
	select {
	case o := <-outs:
		var late *mp.TimeoutError
		if o.Index != 1 || !errors.As(o.Err, &late) {
			t.Errorf("%+v", o)
		}
	case <-time.After(testkit.Within(5 * time.Second)):
		t.Fatal("the deadline of a stopped task was not enforced")
	}
}

// The ctx of a call whose worker is stopped ends the call, its worker is replaced, and
// what was sent ahead for others is done.
func TestStoppedWorkerCancelled(t *testing.T) {
	t.Parallel()
	p, outs, cancel := stoppedWorker(t)
	first(t, outs)
	isStopped(t, p.Stats().Workers[0].PID)
	other := mp.ApplyAsync(poolCtx(t), p, stoppedAt, 5)
	third := mp.ApplyAsync(poolCtx(t), p, stoppedAt, 6)
	third.Cancel()
	if _, err := third.Get(poolCtx(t)); !errors.Is(err, mp.ErrCancelled) {
		t.Error(err)
	}
	cancel()
	if v, err := other.Get(poolCtx(t)); v != 15 || err != nil {
		t.Error(v, err)
	}
}

// Join after Close ends when the stopped task is at its deadline.
func TestStoppedWorkerJoin(t *testing.T) {
	t.Parallel()
	p, outs, _ := stoppedWorker(t, mp.Timeout(500*time.Millisecond))
	first(t, outs)
	p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Within(5*time.Second))
	defer cancel()
	if err := p.Join(ctx); err != nil {
		t.Error(err)
	}
}

// A Cancel that comes for what was sent ahead, while the outcome before it lies unread.
func TestStoppedWorkerAheadIsCancelled(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	if _, err := mp.Map(poolCtx(t), p, stoppedAt, make([]int, 2000)); err != nil { // so that tasks are sent ahead
		t.Fatal(err)
	}
	for range testkit.Times(5, 100) {
		a := mp.ApplyAsync(poolCtx(t), p, stoppedPID, 10*time.Millisecond)
		b := mp.ApplyAsync(poolCtx(t), p, stoppedAt, 0)
		c := mp.ApplyAsync(poolCtx(t), p, stoppedAt, 1)
		if _, err := a.Get(poolCtx(t)); err != nil {
			t.Fatal(err)
		}
		isStoppedSoon(p)
		c.Cancel()
		if v, err := b.Get(poolCtx(t)); v != 10 || err != nil {
			t.Fatal(v, err)
		}
		if v, err := mp.Apply(poolCtx(t), p, stoppedAt, 7); v != 17 || err != nil { // by another worker
			t.Fatal(v, err)
		}
	}
}

// isStoppedSoon waits until the only worker is stopped, or gone.
func isStoppedSoon(p *mp.Pool) {
	for {
		ws := p.Stats().Workers
		if len(ws) == 1 && testkit.ProcessState(ws[0].PID) == 'T' {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Workers are stopped from outside at random instants: with a Timeout every task has its
// outcome, whatever the call, and nobody else's.
func TestStoppedAtRandom(t *testing.T) {
	t.Parallel()
	const n = 200
	in := make([]int, n)
	for i := range in {
		in[i] = i + 2
	}
	check := func(t *testing.T, i, out int, err error) {
		if err != nil && !errors.Is(err, context.DeadlineExceeded) || err == nil && out != in[i]+10 {
			t.Errorf("item %d: %d, %v", i, out, err)
		}
	}
	limit := mp.Timeout(200 * time.Millisecond)
	for name, call := range map[string]func(t *testing.T, p *mp.Pool){
		"Apply": func(t *testing.T, p *mp.Pool) {
			for i := range in {
				out, err := mp.Apply(poolCtx(t), p, stoppedAt, in[i], limit)
				check(t, i, out, err)
			}
		},
		"Map": func(t *testing.T, p *mp.Pool) {
			outs, err := mp.Map(poolCtx(t), p, stoppedAt, in, limit)
			checkMapped(t, outs, err, check)
		},
		"Chunk(1)": func(t *testing.T, p *mp.Pool) {
			outs, err := mp.Map(poolCtx(t), p, stoppedAt, in, limit, mp.Chunk(1))
			checkMapped(t, outs, err, check)
		},
		"Imap": func(t *testing.T, p *mp.Pool) {
			i := 0
			for out, err := range mp.Imap(poolCtx(t), p, stoppedAt, slices.Values(in), limit) {
				check(t, i, out, err)
				i++
			}
			if i != n {
				t.Errorf("%d outcomes of %d", i, n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
			for range testkit.Times(3, 50) {
				quit, done := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(done)
					stopSome(p, quit, 5*time.Millisecond)
				}()
				call(t, p)
				close(quit)
				<-done
				if t.Failed() {
					return
				}
			}
		})
	}
}

func checkMapped(t *testing.T, outs []int, err error, check func(t *testing.T, i, out int, err error)) {
	errs := make([]error, len(outs))
	var failed *mp.MapError
	if errors.As(err, &failed) {
		for _, e := range failed.Errs {
			errs[e.Index] = e.Err
		}
	} else if err != nil {
		t.Error(err)
	}
	for i, out := range outs {
		check(t, i, out, errs[i])
	}
}

// stopSome stops workers of the pool, one after another, until quit.
func stopSome(p *mp.Pool, quit <-chan struct{}, every time.Duration) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(rand.N(2 * every)):
		}
		if ws := p.Stats().Workers; len(ws) > 0 {
			if pid := ws[rand.IntN(len(ws))].PID; pid > 0 {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
		}
	}
}

// Without deadlines a stopped worker keeps the item that it runs and nothing else: what it
// had committed is delivered, and the others do what it had not begun.
func TestStoppedWithoutDeadlines(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for round := range testkit.Times(5, 100) {
		const n = 2000
		outs := make(chan mp.Outcome[int, int], n)
		go func() {
			defer close(outs)
			for o := range mp.Outcomes(poolCtx(t), p, stoppedAt, slices.Values(slices.Repeat([]int{3}, n))) {
				outs <- o
			}
		}()
		time.Sleep(rand.N(3 * time.Millisecond))
		pid := p.Stats().Workers[round%2].PID
		syscall.Kill(pid, syscall.SIGSTOP)
		late := time.NewTimer(testkit.Within(10 * time.Second))
		for got := range n - 1 {
			select {
			case o := <-outs:
				if o.Out != 13 || o.Err != nil {
					t.Fatalf("%+v", o)
				}
			case <-late.C:
				t.Fatalf("round %d: %d of %d outcomes while one worker is stopped", round, got, n)
			}
		}
		late.Stop()
		syscall.Kill(pid, syscall.SIGCONT)
		if o := <-outs; o.Out != 13 || o.Err != nil {
			t.Fatalf("the last one is %+v", o)
		}
		if _, more := <-outs; more {
			t.Fatal("an outcome too many")
		}
	}
}

// Terminate and what a stopped worker holds.
func TestStoppedWorkerTerminate(t *testing.T) {
	t.Parallel()
	p, outs, _ := stoppedWorker(t)
	first(t, outs)
	start := time.Now()
	p.Terminate()
	if d := time.Since(start); d > testkit.Within(time.Second) {
		t.Errorf("Terminate took %v", d)
	}
}
