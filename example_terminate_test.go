package mp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Person is the input of introduce: what Python passes as args and kwargs.
type Person struct {
	Name  string
	Age   int
	Extra map[string]int
}

// introduce never ends by itself, and does not look at its ctx.
var introduce = mp.Register("introduce", func(_ context.Context, p Person) (mp.None, error) {
	for {
		fmt.Printf("name=%s, age=%d, extra=%v\n", p.Name, p.Age, p.Extra)
		time.Sleep(10 * time.Millisecond)
	}
})

// Terminate ends a process whatever it does.
func ExampleProcess_Terminate() {
	ctx := context.Background()
	lines, out := io.Pipe()
	p, err := mp.Start(ctx, introduce, Person{"Ming", 18, map[string]int{"id": 1}}, mp.ProcessConfig{Stdout: out})
	if err != nil {
		log.Fatal(err)
	}
	heard := bufio.NewScanner(lines)
	for i := 0; i < 5 && heard.Scan(); i++ {
		fmt.Println(heard.Text())
	}
	go io.Copy(io.Discard, lines)

	p.Terminate()
	err = p.Join(ctx)
	out.Close() // nobody prints any more
	code, _ := p.ExitCode()
	fmt.Println("exit code:", code)
	var exit *mp.ExitError
	if errors.As(err, &exit) {
		fmt.Println("signal:", exit.Signal)
	}
	fmt.Println("alive:", p.Alive())
	// Output:
	// name=Ming, age=18, extra=map[id:1]
	// name=Ming, age=18, extra=map[id:1]
	// name=Ming, age=18, extra=map[id:1]
	// name=Ming, age=18, extra=map[id:1]
	// name=Ming, age=18, extra=map[id:1]
	// exit code: -15
	// signal: terminated
	// alive: false
}
