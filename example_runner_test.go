package mp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
)

// MyProcess is a process with a loop of its own, which goes on until it is asked
// to end.
type MyProcess struct{ Every time.Duration }

func (p *MyProcess) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		fmt.Println("---1---", os.Getpid())
		time.Sleep(p.Every)
	}
	return nil
}

var myProcess = mp.RegisterRunner[*MyProcess]("MyProcess")

// A process and the main process each go through a loop at the same time.
func ExampleStart_runner() {
	ctx := context.Background()
	printed, out := io.Pipe()
	p, err := mp.Start(ctx, myProcess, &MyProcess{Every: 10 * time.Millisecond}, mp.ProcessConfig{Stdout: out})
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(printed)
	for range 3 {
		fmt.Println("---Main---")
		var text string
		var pid int
		if lines.Scan() {
			fmt.Sscan(lines.Text(), &text, &pid)
		}
		fmt.Println(text, "from the process:", pid == p.PID() && pid != os.Getpid())
	}
	go io.Copy(io.Discard, printed)
	p.Interrupt()
	if err := p.Join(ctx); err != nil {
		log.Fatal(err)
	}
	out.Close()
	fmt.Println("the process has ended:", !p.Alive())
	// Output:
	// ---Main---
	// ---1--- from the process: true
	// ---Main---
	// ---1--- from the process: true
	// ---Main---
	// ---1--- from the process: true
	// the process has ended: true
}
