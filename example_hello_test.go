package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var hello = mp.Register("hello", func(ctx context.Context, name string) (mp.None, error) {
	fmt.Println("hello", name)
	fmt.Println("in the main process:", mp.Current().Main)
	return mp.None{}, nil
})

// One process says hello.
func ExampleStart() {
	ctx := context.Background()
	p, err := mp.Start(ctx, hello, "john")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("joined:", p.Join(ctx))
	code, exited := p.ExitCode()
	fmt.Println("exit code:", code, exited)
	fmt.Println("alive:", p.Alive())
	fmt.Println("a pid of its own:", p.PID() != os.Getpid())
	// Output:
	// hello john
	// in the main process: false
	// joined: <nil>
	// exit code: 0 true
	// alive: false
	// a pid of its own: true
}
