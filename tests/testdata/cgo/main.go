// Cgo crashes in C.
package main

/*
static int crash(int n) { volatile int *p = 0; return *p + n; }
static int spin(void) { volatile int n = 0; for (;;) n++; return n; }
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp"
)

var crash = mp.Register("crash", func(_ context.Context, n int) (int, error) { return int(C.crash(C.int(n))), nil })

var spin = mp.Register("spin", func(_ context.Context, n int) (int, error) {
	fmt.Println("spins")
	return int(C.spin()), nil
})

type spins struct{ yes chan struct{} }

func (s spins) Write(b []byte) (int, error) {
	close(s.yes)
	return len(b), nil
}

func main() {
	mp.Main()
	_, err := mp.Call(context.Background(), crash, 1)
	var e *mp.ExitError
	fmt.Println(errors.As(err, &e))
	fmt.Fprintln(os.Stdout, e.Code, e.Reason)

	out := spins{make(chan struct{})}
	p, err := mp.Start(context.Background(), spin, 1, mp.ProcessConfig{Stdout: out, Procs: 1})
	fmt.Println(err)
	<-out.yes
	p.Terminate()
	p.Join(context.Background())
	fmt.Println(p.ExitCode())
}
