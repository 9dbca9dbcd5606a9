package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
)

// MyProcess is a process with a loop of its own.
type MyProcess struct{ Times int }

func (p *MyProcess) Run(ctx context.Context) error {
	for range p.Times {
		fmt.Println("---1---")
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

var myProcess = mp.RegisterRunner[*MyProcess]("MyProcess")

// A process and the main process each go through a loop.
func ExampleStart_runner() {
	ctx := context.Background()
	p, err := mp.Start(ctx, myProcess, &MyProcess{Times: 3})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		fmt.Println("---Main---")
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.Join(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("two pids:", p.PID() != os.Getpid())
	// Unordered output:
	// ---Main---
	// ---Main---
	// ---Main---
	// ---1---
	// ---1---
	// ---1---
	// two pids: true
}
