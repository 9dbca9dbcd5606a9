package thread_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// One sings and one dances, three times each, in step. The end of main's own work is not the
// end of theirs.
func ExampleStart_singAndDance() {
	ctx := context.Background()
	lines := make(chan string, 8)
	step, err := thread.NewBarrier(2)
	if err != nil {
		log.Fatal(err)
	}
	perform := func(what string) func(context.Context) error {
		return func(ctx context.Context) error {
			for i := range 3 {
				time.Sleep(5 * time.Millisecond)
				if _, err := step.Wait(ctx); err != nil {
					return err
				}
				lines <- fmt.Sprint(what, i)
			}
			return nil
		}
	}

	fmt.Println("---开始---")
	for _, what := range []string{"正在唱歌...", "正在跳舞..."} {
		if _, err := thread.Start(ctx, what, perform(what)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("---结束---")

	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	for i := range 3 { // either may come first in a step
		a, b := <-lines, <-lines
		fmt.Println(min(a, b), max(a, b), "in step", i)
	}
	// Output:
	// ---开始---
	// ---结束---
	// 正在唱歌...0 正在跳舞...0 in step 0
	// 正在唱歌...1 正在跳舞...1 in step 1
	// 正在唱歌...2 正在跳舞...2 in step 2
}
