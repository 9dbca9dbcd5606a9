//go:build linux

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// memoryWrite writes into everything that it gets.
var memoryWrite = mp.Register("memory/write", func(_ context.Context, in memoryParcel) (mp.None, error) {
	copy(in.Memory.Bytes(), "memory")
	for _, m := range in.Named {
		copy(m.Bytes(), m.Name())
	}
	for _, a := range in.Array {
		a.Slice()[a.Len()-1].X = 2.5
		a.Slice()[0].Hits.Add(1)
	}
	return mp.None{}, nil
})

func TestMemoryInAChild(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	in := memoryParcel{
		Memory: newMemory(t, 6), Named: []*mp.Memory{createMemory(t, name, 300), nil},
		Array: map[string]*mp.Array[arrayPoint]{"a": newArray[arrayPoint](t, 5000)}, Any: newArray[int8](t, 0),
	}
	ctx := testkit.Ctx(t)
	check := func(hits int64) {
		t.Helper()
		if got := string(in.Memory.Bytes()); got != "memory" {
			t.Errorf("the child wrote %q", got)
		}
		if got := string(in.Named[0].Bytes()[:len(name)]); got != name {
			t.Errorf("the child wrote %q", got)
		}
		if a := in.Array["a"].Slice(); a[4999].X != 2.5 || a[0].Hits.Load() != hits {
			t.Errorf("the child wrote %v, %d times", a[4999].X, a[0].Hits.Load())
		}
	}
	if _, err := mp.Call(ctx, memoryWrite, in); err != nil {
		t.Fatal(err)
	}
	check(1)
	p, err := mp.Start(ctx, memoryWrite, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(ctx); err != nil {
		t.Fatal(err)
	}
	check(2)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	if _, err := mp.Map(ctx, pool, memoryWrite, []memoryParcel{in, in, in, in, in}); err != nil {
		t.Fatal(err)
	}
	check(7)
}

// memoryGive makes memory, in a child of a child if it is told so, and hands it up.
var memoryGive *mp.Func[int, memoryParcel]

func init() {
	memoryGive = mp.Register("memory/give", func(ctx context.Context, deep int) (memoryParcel, error) {
		if deep > 0 {
			return mp.Call(ctx, memoryGive, deep-1)
		}
		m, err := mp.NewMemory(20)
		if err != nil {
			return memoryParcel{}, err
		}
		copy(m.Bytes(), fmt.Sprintf("of %d", os.Getpid()))
		a, err := mp.NewArray[arrayPoint](3)
		if err != nil {
			return memoryParcel{}, err
		}
		a.Slice()[2].Y = 1.5
		return memoryParcel{Memory: m, Array: map[string]*mp.Array[arrayPoint]{"a": a}}, nil
	})
}

// Memory outlives the process that made it, and goes on from hand to hand.
func TestMemoryFromAChild(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	for deep := range 3 {
		got, err := mp.Call(ctx, memoryGive, deep)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Memory.Close()
		defer got.Array["a"].Close()
		var pid int
		if _, err := fmt.Sscanf(string(got.Memory.Bytes()), "of %d", &pid); err != nil || pid == os.Getpid() || got.Array["a"].Slice()[2].Y != 1.5 {
			t.Errorf("got %q of %d, %v", got.Memory.Bytes(), pid, err)
		}
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("who made it lives on: %v", err)
		}
		if _, err := mp.Call(ctx, memoryWrite, got); err != nil { // a cousin
			t.Fatal(err)
		}
		if text := string(got.Memory.Bytes()[:6]); text != "memory" || got.Array["a"].Slice()[2].X != 2.5 {
			t.Errorf("the cousin wrote %q", text)
		}
	}
}

// memoryDie writes, and is killed.
var memoryDie = mp.Register("memory/die", func(_ context.Context, m *mp.Memory) (mp.None, error) {
	copy(m.Bytes(), "last words")
	return mp.None{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

func TestMemoryOfTheDead(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	m := newMemory(t, 10)
	var died *mp.WorkerDiedError
	if _, err := mp.Apply(ctx, pool, memoryDie, m); !errors.As(err, &died) {
		t.Errorf("it ended by %v", err)
	}
	if got := string(m.Bytes()); got != "last words" {
		t.Errorf("it wrote %q", got)
	}
}

var memorySum = mp.Register("memory/sum", func(_ context.Context, in []*mp.Array[int]) (sum int, err error) {
	for _, a := range in {
		sum += a.Slice()[0]
		a.Close()
	}
	return sum, nil
})

// One value takes 253 descriptors at most, so a thousand arrays are several inputs.
func TestMemoryByTheThousand(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	in, want := make([]*mp.Array[int], 1000), 0
	for i := range in {
		in[i] = newArray[int](t, 1)
		in[i].Slice()[0] = i
		want += i
	}
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	sums, err := mp.Map(ctx, pool, memorySum, slices.Collect(slices.Chunk(in, 250)))
	got := 0
	for _, n := range sums {
		got += n
	}
	if err != nil || got != want {
		t.Errorf("the sum is %d, %v, want %d", got, err, want)
	}
}

var memoryClosed = mp.Register("memory/closed", func(_ context.Context, _ mp.None) (memoryParcel, error) {
	m, err := mp.NewMemory(1)
	if err != nil {
		return memoryParcel{}, err
	}
	return memoryParcel{Memory: m}, m.Close()
})

func TestMemoryClosedIsNoInputNorOutput(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	m := newMemory(t, 1)
	m.Close()
	_, apply := mp.Apply(ctx, pool, memoryWrite, memoryParcel{Memory: m})
	_, call := mp.Call(ctx, memoryWrite, memoryParcel{Memory: m})
	_, out := mp.Apply(ctx, pool, memoryClosed, mp.None{})
	for path, err := range map[string]error{"in.Memory": apply, "in.Memory:": call, "out.Memory": out} {
		if !errors.Is(err, mp.ErrClosed) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// memoryTouch looks at an array, or not, and drops it; and says what its process holds.
type memoryTouch struct {
	Array *mp.Array[int]
	Look  bool
}

var memoryTouched = mp.Register("memory/touched", func(_ context.Context, in memoryTouch) (mp.None, error) {
	if in.Look {
		in.Array.Slice()[0]++
		return mp.None{}, in.Array.Close()
	}
	return mp.None{}, nil
})

var memoryCounts = mp.Register("memory/counts", func(_ context.Context, _ mp.None) (held [2]int, err error) {
	for range 200 {
		runtime.GC()
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return held, err
		}
		held = [2]int{}
		for _, fd := range fds {
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "mp-array") {
				held[0]++
			}
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			return held, err
		}
		if held[1] = strings.Count(string(maps), "mp-array"); held == [2]int{} {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return held, nil
})

// Arrays that are made, passed to a worker and dropped leave nothing, here and there.
func TestArraysPassedAndDropped(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	descriptors, mappings := testkit.Held(t, "mp-array")
	for i := range testkit.Times(1000, 100_000) {
		a, err := mp.NewArray[int](10)
		if err != nil {
			t.Fatal(err)
		}
		in := memoryTouch{a, i%2 == 0}
		if i%3 == 0 {
			if _, err := mp.Apply(ctx, pool, memoryTouched, in); err != nil {
				t.Fatal(err)
			}
		} else if r := mp.ApplyAsync(ctx, pool, memoryTouched, in); i%100 == 1 {
			if _, err := r.Get(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	held, err := mp.Apply(ctx, pool, memoryCounts, mp.None{})
	if err != nil || held != [2]int{} {
		t.Errorf("the worker holds %d descriptors and %d mappings, %v", held[0], held[1], err)
	}
	testkit.ComesTo(t, "mp-array", descriptors+8, mappings+8) // what the last tasks were may still be known
	pool.Terminate()
	testkit.ComesTo(t, "mp-array", descriptors, mappings)
}

var memoryInit = mp.Register("memory/init", func(_ context.Context, m *mp.Memory) (mp.None, error) {
	memoryOfInit = m
	return mp.None{}, nil
})

var memoryOfInit *mp.Memory

var memoryRead = mp.Register("memory/read", func(context.Context, int) (byte, error) {
	return memoryOfInit.Bytes()[0], nil
})

// What a pool's Init got is there for workers that are started when it was closed long ago.
func TestMemoryOfInitIsClosed(t *testing.T) {
	ctx := testkit.Ctx(t)
	m, err := mp.NewMemory(4096)
	if err != nil {
		t.Fatal(err)
	}
	m.Bytes()[0] = 7
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, TasksPerWorker: 1, Init: mp.Bind(memoryInit, m)})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	m.Close()
	for range 4 {
		if v, err := mp.Apply(ctx, pool, memoryRead, 0); v != 7 || err != nil {
			t.Fatal(v, err)
		}
	}
}
