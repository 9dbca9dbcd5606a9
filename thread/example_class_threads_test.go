package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// NamedTask is a thread with a field, as a subclass of threading.Thread.
type NamedTask struct{ Name string }

func (t NamedTask) Run(context.Context) error {
	fmt.Println("current task:", t.Name)
	return nil
}

func ExampleStartRunner() {
	ctx := context.Background()
	for _, name := range []string{"thread 1", "thread 2"} {
		t, err := thread.StartRunner(ctx, "", NamedTask{Name: name})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("it ended well:", t.Join(ctx) == nil, "and is alive:", t.Alive())
	}
	// Output:
	// current task: thread 1
	// it ended well: true and is alive: false
	// current task: thread 2
	// it ended well: true and is alive: false
}
