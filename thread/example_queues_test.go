package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// A queue between goroutines. The loop ends when the queue is closed and empty.
func ExampleNewQueue() {
	ctx := context.Background()
	lines, err := thread.NewQueue[string](2) // a third Put waits
	if err != nil {
		log.Fatal(err)
	}
	if _, err := thread.Start(ctx, "writer", func(ctx context.Context) error {
		defer lines.Close()
		for _, line := range []string{"one", "two", "three", "four"} {
			if err := lines.Put(ctx, line); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		log.Fatal(err)
	}
	for line, err := range lines.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line)
	}
	// Output:
	// one
	// two
	// three
	// four
}

// The way back is the way there, the last step first.
func ExampleNewLIFOQueue() {
	steps, err := thread.NewLIFOQueue[string](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range []string{"door", "stairs", "street"} {
		if err := steps.TryPut(step); err != nil {
			log.Fatal(err)
		}
	}
	for !steps.Empty() {
		step, err := steps.TryGet()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(step)
	}
	// Output:
	// street
	// stairs
	// door
}

// The most urgent patient is next; of equally urgent ones, the one who came first.
func ExampleNewPriorityQueue() {
	type patient struct {
		name   string
		urgent int
	}
	ctx := context.Background()
	waiting, err := thread.NewPriorityQueue(mp.Unbounded, func(a, b patient) bool { return a.urgent > b.urgent })
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range []patient{{"cold", 1}, {"broken arm", 5}, {"cough", 1}, {"heart", 9}} {
		if err := waiting.Put(ctx, p); err != nil {
			log.Fatal(err)
		}
	}
	waiting.Close()
	for p, err := range waiting.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.name)
	}
	// Output:
	// heart
	// broken arm
	// cold
	// cough
}

// ranking is a letter with the number by which it is got.
type ranking struct {
	number int
	letter string
}

func (r ranking) String() string { return fmt.Sprintf("(%d,%s)", r.number, r.letter) }

// The same items come out of three queues in three orders: as they were put, the other
// way round, by their numbers.
func Example_queues() {
	ctx := context.Background()
	items := []any{"11", 22, map[string]int{"num": 100}}
	fifo, err := thread.NewQueue[any](3)
	if err != nil {
		log.Fatal(err)
	}
	lifo, err := thread.NewLIFOQueue[any](3)
	if err != nil {
		log.Fatal(err)
	}
	ranked, err := thread.NewPriorityQueue(3, func(a, b ranking) bool { return a.number < b.number })
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range items {
		if err := fifo.Put(ctx, item); err != nil {
			log.Fatal(err)
		}
		if err := lifo.Put(ctx, item); err != nil {
			log.Fatal(err)
		}
	}
	for _, item := range []ranking{{20, "A"}, {10, "Q"}, {30, "Z"}} {
		if err := ranked.Put(ctx, item); err != nil {
			log.Fatal(err)
		}
	}
	printAll(ctx, "first in, first out:", fifo)
	printAll(ctx, "last in, first out:", lifo)
	printAll(ctx, "by priority:", ranked)
	// Output:
	// first in, first out: 11 22 map[num:100]
	// last in, first out: map[num:100] 22 11
	// by priority: (10,Q) (20,A) (30,Z)
}

// printAll prints what is in a queue, on one line.
func printAll[T any](ctx context.Context, order string, q *mp.Queue[T]) {
	q.Close()
	fmt.Print(order)
	for item, err := range q.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(" ", item)
	}
	fmt.Println()
}
