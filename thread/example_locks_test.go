package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// Of ten goroutines three work at a time.
func ExampleNewSemaphore() {
	permits, err := thread.NewSemaphore(3)
	if err != nil {
		log.Fatal(err)
	}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			h, err := permits.Acquire(context.Background())
			if err != nil {
				log.Fatal(err)
			}
			defer h.Release()
			if permits.Available() > 2 {
				fmt.Println("more than three")
			}
		})
	}
	group.Wait()
	fmt.Println(permits.Available(), "permits")
	// Output: 3 permits
}

// A permit that nobody has taken cannot be given back.
func ExampleNewBoundedSemaphore() {
	permits, err := thread.NewBoundedSemaphore(1)
	if err != nil {
		log.Fatal(err)
	}
	err = permits.Release(1)
	fmt.Println(err, errors.Is(err, mp.ErrFull))
	// Output: mp: more permits would be available than the semaphore began with true
}

// A consumer waits until there is something for it.
func ExampleNewCondition() {
	ctx := context.Background()
	changed, err := thread.NewCondition(nil)
	if err != nil {
		log.Fatal(err)
	}
	var basket []string
	consumer, err := thread.Start(ctx, "consumer", func(ctx context.Context) error {
		h, err := changed.Acquire(ctx)
		if err != nil {
			return err
		}
		if h, err = changed.WaitFor(ctx, h, func() bool { return len(basket) > 0 }); err != nil {
			return err
		}
		fmt.Println("took", basket[0])
		return h.Release()
	})
	if err != nil {
		log.Fatal(err)
	}
	h, err := changed.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	basket = append(basket, "an apple")
	changed.Notify(h, 1)
	h.Release()
	fmt.Println(consumer.Join(ctx))
	// Output:
	// took an apple
	// <nil>
}

// All runners wait for one shot.
func ExampleNewEvent() {
	ctx := context.Background()
	shot, err := thread.NewEvent()
	if err != nil {
		log.Fatal(err)
	}
	ran := make(chan error)
	for range 3 {
		go func() { ran <- shot.Wait(ctx) }()
	}
	shot.Set()
	fmt.Println(<-ran, <-ran, <-ran)
	// Output: <nil> <nil> <nil>
}

// Three goroutines end a step together. The last one to come sums up.
func ExampleNewBarrier() {
	barrier, err := thread.NewBarrier(3)
	if err != nil {
		log.Fatal(err)
	}
	var parts [3]int
	var group sync.WaitGroup
	for i := range parts {
		group.Go(func() {
			parts[i] = i * 10
			_, err := barrier.WaitDo(context.Background(), func() error {
				fmt.Println("the sum is", parts[0]+parts[1]+parts[2])
				return nil
			})
			if err != nil {
				log.Fatal(err)
			}
		})
	}
	group.Wait()
	// Output: the sum is 30
}
