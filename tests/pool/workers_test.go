//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What a PoolConfig says about the workers: how many, for how long, with how much.

var optionsKeep [][]byte

var optionsEat = mp.Register("options/eat", func(ctx context.Context, n int) (int, error) {
	for ; n > 0; n -= 1 << 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		optionsKeep = append(optionsKeep, b)
	}
	if len(optionsKeep) > 50 {
		<-ctx.Done() // the parent will look
	}
	optionsKeep = nil
	return 1, nil
})

func TestOptionsMaxMemory(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, MaxMemory: 300 << 20})
	in := make([]int, 40)
	in[7], in[23] = 400<<20, 400<<20
	out, err := mp.Map(poolCtx(t), p, optionsEat, in)
	errs := mapErrs(t, err)
	if len(errs) != 2 || !errors.Is(errs[7], mp.ErrMemory) || !errors.Is(errs[23], mp.ErrMemory) {
		t.Fatal(err)
	}
	for i, v := range out {
		if errs[i] == nil && v != 1 {
			t.Errorf("task %d: %d", i, v)
		}
	}
	limit, err := mp.Apply(poolCtx(t), p, optionsLimit, mp.None{})
	if want := int64(300<<20) / 10 * 9; limit != want || err != nil {
		t.Errorf("GOMEMLIMIT %d, %v", limit, err)
	}
}

var optionsLimit = mp.Register("options/limit", func(context.Context, mp.None) (int64, error) {
	return debug.SetMemoryLimit(-1), nil
})

// Memory that is shared does not count.
func TestOptionsMaxMemorySharedMapping(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, MaxMemory: 150 << 20})
	if v, err := mp.Apply(poolCtx(t), p, optionsMap, filepath.Join(t.TempDir(), "map")); v != 1 || err != nil {
		t.Error(v, err)
	}
}

var optionsMap = mp.Register("options/map", func(_ context.Context, name string) (int, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	const size = 300 << 20
	f.Truncate(size)
	mem, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer syscall.Munmap(mem)
	for i := 0; i < size; i += 4096 {
		mem[i] = 1
	}
	time.Sleep(300 * time.Millisecond) // many looks
	return 1, nil
})

func TestOptionsResize(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	var wg sync.WaitGroup
	wg.Go(func() {
		in := make([]time.Duration, 600)
		for i := range in {
			in[i] = 500 * time.Microsecond
		}
		if _, err := mp.Map(poolCtx(t), p, fairSleep, in); err != nil {
			t.Error(err)
		}
	})
	for _, n := range []int{4, 2, 3, 1, 5, 2} {
		if err := p.Resize(n); err != nil {
			t.Error(err)
		}
		testkit.Until(t, "there are as many workers", func() bool { return len(p.Stats().Workers) == n })
	}
	wg.Wait()
	if p.Resize(0) == nil {
		t.Error("a pool of none")
	}
	if n := p.Stats().Restarts; n != 0 {
		t.Errorf("%d restarts", n)
	}
}

func TestOptionsTasksPerWorker(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, TasksPerWorker: 7})
	pids, err := mp.Map(poolCtx(t), p, stopPID, make([]mp.None, 100))
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[int]int)
	for _, pid := range pids {
		count[pid]++
	}
	for pid, n := range count {
		if n > 7 {
			t.Errorf("worker %d had %d tasks", pid, n)
		}
	}
}

func TestOptionsIdleTimeout(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, IdleTimeout: 20 * time.Millisecond})
	for range 3 {
		if v, err := mp.Apply(poolCtx(t), p, poolValuesInt, 1); v != -1 || err != nil {
			t.Error(v, err)
		}
		testkit.Until(t, "nobody is idle any more", func() bool { return len(p.Stats().Workers) == 0 })
	}
}

var optionsState string

var optionsInit = mp.Register("options/init", func(_ context.Context, file string) (mp.None, error) {
	text, err := os.ReadFile(file)
	optionsState = string(text)
	return mp.None{}, err
})
var optionsAsk = mp.Register("options/ask", func(context.Context, mp.None) (string, error) { return optionsState, nil })

func TestOptionsInit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "init")
	cfg := mp.PoolConfig{Workers: 1, Init: mp.Bind(optionsInit, file)}
	if _, err := mp.NewPool(cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("NewPool: %v", err)
	}
	if err := os.WriteFile(file, []byte("state"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testkit.NewPool(t, cfg)
	if s, err := mp.Apply(poolCtx(t), p, optionsAsk, mp.None{}); s != "state" || err != nil {
		t.Error(s, err)
	}
	os.Remove(file)
	mp.Apply(poolCtx(t), p, killNth, -1)
	_, err := mp.Apply(poolCtx(t), p, optionsAsk, mp.None{})
	if !errors.Is(err, mp.ErrBroken) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestOptionsStartTimeout(t *testing.T) {
	t.Parallel()
	start := time.Now()
	_, err := mp.NewPool(mp.PoolConfig{Workers: 2, StartTimeout: 100 * time.Millisecond, Init: mp.Bind(stopTask, stopIn{How: "loops"})})
	if err == nil || !strings.Contains(err.Error(), "StartTimeout") || time.Since(start) > testkit.Within(time.Second) {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

var optionsWorld = mp.Register("options/world", func(context.Context, mp.None) ([]string, error) {
	dir, err := os.Getwd()
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return append(os.Environ(), dir, fmt.Sprint(runtime.GOMAXPROCS(0)), fmt.Sprint(limit.Cur)), err
})

func TestOptionsEnvDirProcsLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Env: []string{"A=b"}, Dir: dir, Procs: 3, Limits: mp.Limits{OpenFiles: 77}})
	got, err := mp.Apply(poolCtx(t), p, optionsWorld, mp.None{})
	for _, want := range []string{"A=b", dir, "3", "77"} {
		if !slices.Contains(got, want) || err != nil {
			t.Errorf("%q is not in %q, %v", want, got, err)
		}
	}
	for _, v := range got {
		if strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "MP_") {
			t.Errorf("%s", v)
		}
	}
}
