package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

var nothing any // what is panicked with

// onTwo panics with nil for a 2, and ends its goroutine for a 3.
func onTwo(_ context.Context, n int) (int, error) {
	switch n {
	case 2:
		panic(nothing)
	case 3:
		runtime.Goexit()
	}
	return n * 10, nil
}

var two = mp.Register("two", onTwo)

// hostile panics with nil when it travels.
type hostile struct{ S string }

func (hostile) MarshalBinary() ([]byte, error)  { panic(nothing) }
func (*hostile) UnmarshalBinary(b []byte) error { return nil }

var takesHostile = mp.Register("hostile", func(_ context.Context, h hostile) (int, error) { return len(h.S), nil })

func init() { mains["panicnil"] = panicNil }

// panicNil is run with GODEBUG=panicnil=1.
func panicNil() {
	ctx := context.Background()
	pools := map[string]func(mp.PoolConfig) (*mp.Pool, error){"processes": mp.NewPool, "goroutines": thread.NewPool}
	for name, newPool := range pools {
		pool, err := newPool(mp.PoolConfig{Workers: 1})
		must(err)
		for _, opts := range [][]mp.TaskOption{nil, {mp.Chunk(4)}, {mp.Timeout(1e10)}} {
			out, err := mp.Map(ctx, pool, two, []int{1, 2, 3, 4}, opts...)
			var all *mp.MapError
			if !errors.As(err, &all) || len(all.Errs) != 2 || fmt.Sprint(out) != "[10 0 0 40]" {
				fmt.Println(name, "Map:", out, err)
				continue
			}
			check(name+": Map", all.Errs[0])
			if !strings.Contains(all.Errs[1].Error(), "Goexit") {
				fmt.Println(name, "Goexit:", all.Errs[1])
			}
		}
		_, err = mp.Apply(ctx, pool, two, 2)
		check(name+": Apply", err)
		result := mp.ApplyAsync(ctx, pool, two, 1)
		result.OnDone(func(int, error) { panic(nothing) })
		result.Get(ctx)
		if err := pool.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "a callback panicked") {
			fmt.Println(name, "callback:", err)
		}
		if _, err := newPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(two, 2)}); true {
			check(name+": Init", err)
		}
		iteratorPanics(newPool, name)
	}
	_, err := mp.Call(ctx, two, 2)
	check("Call", err)
	p, err := mp.Start(ctx, two, 2, mp.ProcessConfig{Stderr: io.Discard})
	must(err)
	check("Start", p.Join(ctx))
	if code, _ := p.ExitCode(); code != 2 {
		fmt.Println("Start: exit code", code)
	}
	if _, err := mp.Call(ctx, takesHostile, hostile{"s"}); err == nil || !strings.Contains(err.Error(), "failed: panic: ") {
		fmt.Println("marshaler:", err)
	}
	thread.SetExceptHook(func(*thread.Thread, error) {})
	t, err := thread.Start(ctx, "t", func(context.Context) error { panic(nothing) })
	must(err)
	check("thread.Start", t.Join(ctx))
	fmt.Println("ok")
	os.Exit(0)
}

func check(where string, err error) {
	var p *mp.PanicError
	if !errors.As(err, &p) || p.Value != "nil" || !strings.Contains(p.Stack, "panicnil.go") {
		fmt.Printf("%s: %v %+v\n", where, err, p)
	}
}

// iteratorPanics has the iterator of inputs panic with nil: so does the loop.
func iteratorPanics(newPool func(mp.PoolConfig) (*mp.Pool, error), name string) {
	pool, err := newPool(mp.PoolConfig{Workers: 1})
	must(err)
	defer pool.Terminate()
	var got any
	func() {
		defer func() { got = recover() }()
		for range mp.Imap(context.Background(), pool, two, func(yield func(int) bool) {
			yield(1)
			panic(nothing)
		}) {
		}
	}()
	if _, ok := got.(*runtime.PanicNilError); !ok {
		fmt.Println(name, "iterator:", got)
	}
}
