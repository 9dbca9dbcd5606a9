package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var welcome = mp.Register("welcome", func(ctx context.Context, name string) (int, error) {
	fmt.Println("hello", name)
	return len(name), nil
})

// What a task printed is there before its outcome, here with a label.
func ExamplePrefix() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Name: "greeters", Workers: 1, Stdout: mp.Prefix(os.Stdout)})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	lengths, err := mp.Map(ctx, pool, welcome, []string{"Ann", "Robert"})
	fmt.Println(lengths, err)
	// Output:
	// [greeters/1 welcome#0] hello Ann
	// [greeters/1 welcome#1] hello Robert
	// [3 6] <nil>
}

// fullDisk is a writer that fails.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// An event says what a writer did not take.
func ExampleOutputError() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stdout: fullDisk{}, Events: func(e mp.PoolEvent) {
		if e.Kind == mp.OutputLost {
			fmt.Println(e.Err)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = mp.Apply(ctx, pool, welcome, "Ann")
	if e := pool.Shutdown(ctx); err == nil {
		err = e
	}
	fmt.Println(err)
	// Output:
	// mp: 10 bytes of stdout are lost: the disk is full
	// <nil>
}

var crashes = mp.Register("crashes", func(ctx context.Context, name string) (int, error) {
	fmt.Println("hello", name)
	go panic("and goodbye")
	select {}
})

// QuietCrash keeps what the Go runtime prints about a crash out of Stderr: the error has it.
func ExamplePoolConfig_quietCrash() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stdout: os.Stdout, Stderr: os.Stdout, QuietCrash: true})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	_, err = mp.Apply(ctx, pool, crashes, "Ann")
	var died *mp.WorkerDiedError
	if errors.As(err, &died) {
		fmt.Println(died.Reason, len(died.Stderr) > len(died.Reason))
	}
	// Output:
	// hello Ann
	// panic: and goodbye true
}
