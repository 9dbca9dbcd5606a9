package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
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
		fmt.Printf("name=%s, age=%d, pid=%d, extra=%v\n", p.Name, p.Age, os.Getpid(), p.Extra)
		time.Sleep(10 * time.Millisecond)
	}
})

// heard takes what a process prints, line by line.
type heard chan string

func (h heard) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		h <- line
	}
	return len(p), nil
}

// Terminate ends a process whatever it does, and then nothing more is printed.
func ExampleProcess_Terminate() {
	lines := make(heard, 10_000)
	p, err := mp.Start(context.Background(), introduce, Person{"Ming", 18, map[string]int{"id": 1}}, mp.ProcessConfig{Stdout: lines})
	if err != nil {
		log.Fatal(err)
	}
	pid := fmt.Sprintf("pid=%d,", p.PID())
	for range 5 {
		fmt.Print(strings.Replace(<-lines, pid, "pid=P,", 1))
	}

	p.Terminate()
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = p.Join(soon)
	said := len(lines)
	time.Sleep(50 * time.Millisecond) // five more, if it lived
	fmt.Println("printed after its end:", len(lines)-said)
	var exit *mp.ExitError
	if errors.As(err, &exit) { // Join's, and not the end of soon
		fmt.Println("signal:", exit.Signal)
	}
	code, _ := p.ExitCode()
	fmt.Println("exit code:", code)
	fmt.Println("alive:", p.Alive())
	fmt.Println("a pid of its own:", p.PID() > 0 && p.PID() != os.Getpid())
	// Output:
	// name=Ming, age=18, pid=P, extra=map[id:1]
	// name=Ming, age=18, pid=P, extra=map[id:1]
	// name=Ming, age=18, pid=P, extra=map[id:1]
	// name=Ming, age=18, pid=P, extra=map[id:1]
	// name=Ming, age=18, pid=P, extra=map[id:1]
	// printed after its end: 0
	// signal: terminated
	// exit code: -15
	// alive: false
	// a pid of its own: true
}
