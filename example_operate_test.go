package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
)

var settingsVersion atomic.Int64 // of this process

var (
	readSettings = mp.Register("example/read settings", func(ctx context.Context, version int64) (mp.None, error) {
		settingsVersion.Store(version)
		return mp.None{}, nil
	})
	tellSettings = mp.Register("example/tell settings", func(context.Context, mp.None) (int64, error) {
		return settingsVersion.Load(), nil
	})
)

// Each worker reads its settings anew, without being replaced.
func ExampleBroadcast() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(readSettings, 1)})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	if _, err := mp.Broadcast(ctx, pool, readSettings, 2); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mp.Broadcast(ctx, pool, tellSettings, mp.None{}))
	// Output: map[1:2 2:2] <nil>
}

// Each worker is replaced by a new one when it is free.
func ExamplePool_Recycle() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	old := map[int]bool{}
	for _, w := range pool.Stats().Workers {
		old[w.PID] = true
	}
	if err := pool.Recycle(ctx); err != nil {
		log.Fatal(err)
	}
	for _, w := range pool.Stats().Workers {
		fmt.Println("an old one:", old[w.PID])
	}
	// Output:
	// an old one: false
	// an old one: false
}

// What waits is cancelled, what runs finishes.
func ExamplePool_Drain() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	var begun, gate *mp.Event
	for _, e := range []**mp.Event{&begun, &gate} {
		if *e, err = mp.NewEvent(); err != nil {
			log.Fatal(err)
		}
	}
	running := mp.ApplyAsync(ctx, pool, exampleBegin, []*mp.Event{begun, gate})
	waiting := mp.ApplyAsync(ctx, pool, tellSettings, mp.None{})
	if err := begun.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	pool.Drain()
	gate.Set()
	_, err = running.Get(ctx)
	fmt.Println("what ran:", err)
	_, err = waiting.Get(ctx)
	fmt.Println("what waited:", errors.Is(err, mp.ErrCancelled))
	if err := pool.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// what ran: <nil>
	// what waited: true
}

var exampleBegin = mp.Register("example/begin", func(ctx context.Context, es []*mp.Event) (mp.None, error) {
	es[0].Set()
	return mp.None{}, es[1].Wait(ctx)
})

// A server that is asked for more than it can do refuses at once.
func ExampleNoWait() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, MaxQueued: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	gate, err := mp.NewEvent()
	if err != nil {
		log.Fatal(err)
	}
	for range 3 { // one runs, two wait
		mp.ApplyAsync(ctx, pool, exampleAwait, gate, mp.NoWait())
	}
	_, err = mp.Apply(ctx, pool, tellSettings, mp.None{}, mp.NoWait())
	fmt.Println(errors.Is(err, mp.ErrFull))
	gate.Set()
	// Output: true
}

var exampleAwait = mp.Register("example/await", func(ctx context.Context, gate *mp.Event) (mp.None, error) {
	return mp.None{}, gate.Wait(ctx)
})
