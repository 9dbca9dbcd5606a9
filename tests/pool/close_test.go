//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestCloseRunsWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(poolCtx(t)); !errors.Is(err, mp.ErrOpen) {
		t.Errorf("Join before Close: %v", err)
	}
	var rs []*mp.Result[int]
	for i := range 500 {
		rs = append(rs, mp.ApplyAsync(context.Background(), p, poolValuesInt, i))
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := mp.Apply(poolCtx(t), p, poolValuesInt, 1); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Apply after Close: %v", err)
	}
	if err := p.Resize(3); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Resize after Close: %v", err)
	}
	for range 2 {
		if err := p.Join(poolCtx(t)); err != nil {
			t.Error(err)
		}
	}
	for i, r := range rs {
		if !r.Ready() || r.Err() != nil {
			t.Errorf("%d: %v", i, r.Err())
		}
	}
	p.Terminate()
	if err := p.Join(poolCtx(t)); err != nil {
		t.Error(err)
	}
}

func TestCloseTerminateLoops(t *testing.T) {
	testkit.Beside(t)
	for range testkit.Times(5, 50) {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		pids := workerPIDs(p)
		a, b := stopIn{How: "loops", File: stopFile(t)}, stopIn{How: "loops", File: stopFile(t)}
		rs := []*mp.Result[int]{
			mp.ApplyAsync(context.Background(), p, stopTask, a), mp.ApplyAsync(context.Background(), p, stopTask, b),
			mp.ApplyAsync(context.Background(), p, stopTask, a),
		}
		stopBegun(t, a)
		stopBegun(t, b)
		start := time.Now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(p.Terminate)
			wg.Go(func() { p.Close() })
			wg.Go(func() { p.Join(poolCtx(t)) })
		}
		wg.Wait()
		if d := time.Since(start); d > testkit.Within(100*time.Millisecond) {
			t.Errorf("Terminate took %v", d)
		}
		for _, r := range rs {
			if !r.Ready() || !errors.Is(r.Err(), mp.ErrTerminated) {
				t.Errorf("%v, %v", r.Ready(), r.Err())
			}
		}
		for _, pid := range pids {
			if syscall.Kill(pid, 0) == nil {
				t.Errorf("worker %d is left", pid)
			}
		}
		if _, err := mp.Apply(poolCtx(t), p, poolValuesInt, 1); !errors.Is(err, mp.ErrTerminated) {
			t.Errorf("afterwards: %v", err)
		}
	}
}

func workerPIDs(p *mp.Pool) (pids []int) {
	for _, w := range p.Stats().Workers {
		pids = append(pids, w.PID)
	}
	return pids
}

func TestCloseShutdown(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := mp.ApplyAsync(context.Background(), p, poolValuesInt, 1)
	if err := p.Shutdown(poolCtx(t)); err != nil || !r.Ready() {
		t.Error(err)
	}
	if p, err = mp.NewPool(mp.PoolConfig{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	in := stopIn{How: "loops", File: stopFile(t)}
	r = mp.ApplyAsync(context.Background(), p, stopTask, in)
	stopBegun(t, in)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(ctx); err != context.DeadlineExceeded || !errors.Is(r.Err(), mp.ErrTerminated) {
		t.Error(err, r.Err())
	}
	if err := p.Join(poolCtx(t)); err != nil {
		t.Error(err)
	}
}

// Everything at once, from everywhere.
func TestCloseFromManySides(t *testing.T) {
	t.Parallel()
	for i := range testkit.Times(15, 300) {
		var pool *mp.Pool
		made := make(chan struct{})
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond, Events: func(e mp.PoolEvent) {
			<-made
			if e.Kind == mp.TaskDone && e.Index == 5 && i%3 == 0 {
				pool.Close()
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				defer cancel()
				if err := pool.Join(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error("Join in Events:", err)
				}
				pool.Terminate()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		pool = p
		close(made)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 20 {
					r := mp.ApplyAsync(context.Background(), p, poolValuesInt, 1)
					r.OnDone(func(int, error) {
						if i%3 == 1 {
							p.Terminate()
						}
						p.Close()
					})
				}
			})
			wg.Go(func() { mp.Map(context.Background(), p, poolValuesInt, make([]int, 100)) })
			wg.Go(func() {
				for range mp.Imap(context.Background(), p, poolValuesInt, streamCount(100)) {
				}
			})
		}
		wg.Wait()
		if err := p.Shutdown(poolCtx(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseNilPool(t *testing.T) {
	t.Parallel()
	var p *mp.Pool
	ctx := poolCtx(t)
	errs := []error{p.Close(), p.Join(ctx), p.Shutdown(ctx), p.Resize(2), mp.ApplyAsync(ctx, p, poolValuesInt, 1).Err(),
		mp.MapAsync(ctx, p, poolValuesInt, []int{1}).Err()}
	_, err := mp.Apply(ctx, p, poolValuesInt, 1)
	errs = append(errs, err)
	_, err = mp.Map(ctx, p, poolValuesInt, []int{1})
	errs = append(errs, err)
	for _, err := range mp.Imap(ctx, p, poolValuesInt, streamCount(3)) {
		errs = append(errs, err)
	}
	for i, err := range errs {
		if !errors.Is(err, mp.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	p.Terminate()
	if st := p.Stats(); len(st.Workers) != 0 {
		t.Error(st)
	}
}

// closeNest runs pools inside workers, down to loops that never end.
var closeNest *mp.Func[int, int]

func init() {
	closeNest = mp.Register("close/nest", func(ctx context.Context, depth int) (int, error) {
		fmt.Println("pid", os.Getpid())
		if depth == 0 {
			stopLoopForEver()
		}
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2})
		if err != nil {
			return 0, err
		}
		defer p.Terminate()
		_, err = mp.Map(ctx, p, closeNest, []int{depth - 1, depth - 1}, mp.Chunk(1))
		return 0, err
	})
}

// A main process that is killed leaves nothing of its nested pools.
func TestCloseMainIsKilled(t *testing.T) {
	if os.Getenv("MP_TEST_NEST") != "" {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		mp.Map(context.Background(), p, closeNest, []int{1, 1}, mp.Chunk(1))
		return
	}
	testkit.Beside(t)
	for range testkit.Times(2, 20) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCloseMainIsKilled$")
		cmd.Env = append(os.Environ(), "MP_TEST_NEST=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var pids []int
		var text bytes.Buffer
		for buf := make([]byte, 1000); len(pids) < 6; { // 2 that hold pools, 4 that loop
			n, err := out.Read(buf)
			if err != nil {
				t.Fatal(err, text.String())
			}
			text.Write(buf[:n])
			pids = pids[:0]
			for line := range strings.Lines(text.String()) {
				var pid int
				if n, _ := fmt.Sscanf(line, "pid %d\n", &pid); n == 1 && strings.HasSuffix(line, "\n") {
					pids = append(pids, pid)
				}
			}
		}
		cmd.Process.Kill()
		killed := time.Now()
		cmd.Wait()
		for _, pid := range pids {
			testkit.Until(t, "all are gone", func() bool { return !alive(pid) })
		}
		if d := time.Since(killed); d > testkit.Within(time.Second) {
			t.Errorf("gone after %v", d)
		}
	}
}

// A task whose pool inside is cancelled ends, and so does that pool.
func TestCloseNestedPoolEnds(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var mu sync.Mutex
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: closeWriter(func(b []byte) {
		mu.Lock()
		out.Write(b)
		mu.Unlock()
	})})
	r := mp.ApplyAsync(context.Background(), p, closeNest, 1)
	var pids []int
	testkit.Until(t, "all run", func() bool {
		mu.Lock()
		defer mu.Unlock()
		pids = nil
		for line := range strings.Lines(out.String()) {
			var pid int
			fmt.Sscanf(line, "pid %d", &pid)
			pids = append(pids, pid)
		}
		return len(pids) == 3
	})
	r.Cancel()
	for _, pid := range pids[1:] {
		testkit.Until(t, "the nested workers are gone", func() bool { return !alive(pid) })
	}
}

type closeWriter func(b []byte)

func (w closeWriter) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}

// Nothing is left of pools that ended in all the ways there are.
func TestCloseLeavesNothing(t *testing.T) {
	fds := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	round := func(i int) {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		mp.Map(context.Background(), p, killKinds, killInputs(50))
		mp.Apply(context.Background(), p, stopTask, stopIn{How: "loops"}, mp.Timeout(5*time.Millisecond))
		for range mp.Imap(context.Background(), p, poolValuesInt, streamCount(1<<30)) {
			break
		}
		if i%2 == 0 {
			p.Terminate()
		} else if err := p.Shutdown(poolCtx(t)); err != nil {
			t.Error(err)
		}
	}
	round(0) // the runtime keeps some
	before := fds()
	for i := range testkit.Times(6, 50) {
		round(i)
	}
	testkit.Until(t, "all descriptors are closed", func() bool { return fds() <= before })
}
