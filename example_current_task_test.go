package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var whichTask = mp.Register("whichTask", func(ctx context.Context, _ mp.None) (mp.TaskInfo, error) {
	task, ok := mp.CurrentTask(ctx)
	if !ok {
		return task, fmt.Errorf("no task")
	}
	return task, nil
})

// A task knows its place in the call, its attempt and its worker.
func ExampleCurrentTask() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	tasks, err := mp.Map(ctx, pool, whichTask, make([]mp.None, 2))
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tasks {
		fmt.Printf("%+v\n", t)
	}
	_, ok := mp.CurrentTask(ctx)
	fmt.Println("and here:", ok)
	// Output:
	// {Func:whichTask Index:0 Attempt:1 Worker:1}
	// {Func:whichTask Index:1 Attempt:1 Worker:1}
	// and here: false
}
