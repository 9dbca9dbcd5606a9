package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var flush = mp.Register("example/flush", func(ctx context.Context, done *mp.Counter) (mp.None, error) {
	done.Add(1) // a program would write its spans, its profile, its log
	return mp.None{}, nil
})

// Each worker flushes what it has collected before it ends.
func ExamplePoolConfig_exit() {
	ctx := context.Background()
	done, err := mp.NewCounter(0)
	if err != nil {
		log.Fatal(err)
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Exit: mp.Bind(flush, done)})
	if err != nil {
		log.Fatal(err)
	}
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Load(), "workers have flushed")
	// Output: 2 workers have flushed
}

var goodbye = mp.Register("example/goodbye", func(ctx context.Context, q *mp.Queue[string]) (mp.None, error) {
	mp.OnExit(func(ctx context.Context) { q.Put(ctx, "files are closed") })
	mp.OnExit(func(ctx context.Context) { q.Put(ctx, "spans are flushed") })
	return mp.None{}, q.Put(ctx, "the work is done")
})

// What was registered last is called first when the process ends.
func ExampleOnExit() {
	ctx := context.Background()
	q, err := mp.NewQueue[string](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	p, err := mp.Start(ctx, goodbye, q)
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Join(ctx); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		fmt.Println(q.Get(ctx))
	}
	// Output:
	// the work is done <nil>
	// spans are flushed <nil>
	// files are closed <nil>
}
