package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// A thread that panics ends alone, and Join says why.
func ExampleThread_Join() {
	ctx := context.Background()
	t, err := thread.Start(ctx, "divider", func(ctx context.Context) error {
		<-ctx.Done()
		numbers := []int{1, 2, 3}
		fmt.Println(numbers[len(numbers)])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	thread.SetExceptHook(func(*thread.Thread, error) {}) // print nothing: this is its Join
	defer thread.SetExceptHook(nil)
	t.Cancel()
	err = t.Join(ctx)
	var panicked *mp.PanicError
	if errors.As(err, &panicked) {
		fmt.Println(t.Name(), "panicked:", panicked.Value)
	}
	fmt.Println("the stack is there:", len(panicked.Stack) > 0)
	// Output:
	// divider panicked: runtime error: index out of range [3] with length 3
	// the stack is there: true
}
