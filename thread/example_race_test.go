package thread_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/thread"
)

// Two threads add to a number, a million times each, by reading it and writing what they
// have read plus one. Here the first one reads, and writes only when the second is done: the
// million of the second is lost. Nobody sees it, the race detector neither, for each Load and
// each Store is fine by itself. When it is left to chance it is lost now and then.
func Example_race() {
	ctx := context.Background()
	var number atomic.Int64
	add := func() { number.Store(number.Load() + 1) }
	hasRead, canWrite := make(chan struct{}), make(chan struct{})
	first, err := thread.Start(ctx, "work 1", func(ctx context.Context) error {
		read := number.Load()
		close(hasRead)
		<-canWrite
		number.Store(read + 1)
		for range 999_999 {
			add()
		}
		fmt.Println("in", thread.Current(ctx).Name(), "the number is", number.Load())
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	second, err := thread.Start(ctx, "work 2", func(ctx context.Context) error {
		<-hasRead
		for range 1_000_000 {
			add()
		}
		fmt.Println("in", thread.Current(ctx).Name(), "the number is", number.Load())
		close(canWrite)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range []*thread.Thread{first, second} {
		if err := t.Join(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("of 2000000 there are", number.Load())
	// Output:
	// in work 2 the number is 1000000
	// in work 1 the number is 1000000
	// of 2000000 there are 1000000
}

// Under a lock nothing is lost, however the two come in between each other. The same among
// processes is the example of mp.Lock.Acquire.
func Example_lock() {
	ctx := context.Background()
	lock, err := thread.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	number := 0
	work := func(ctx context.Context) error {
		for range 1_000_000 {
			h, err := lock.Acquire(ctx)
			if err != nil {
				return err
			}
			number++
			h.Release()
		}
		return nil
	}
	first, err := thread.Start(ctx, "work 1", work)
	if err != nil {
		log.Fatal(err)
	}
	second, err := thread.Start(ctx, "work 2", work)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Join(ctx), second.Join(ctx), number)
	// Output: <nil> <nil> 2000000
}
