//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/gomultiprocessing/mp"
)

var report = mp.Register("report", func(ctx context.Context, to *mp.Conn[string]) (mp.None, error) {
	return mp.None{}, to.Send(ctx, "half way")
})

// One goroutine waits for a pipe, a queue and a process at once.
func ExampleSelect() {
	ctx := context.Background()
	r, w, err := mp.NewOneWayPipe[string]()
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	q, err := mp.NewQueue[int](1)
	if err != nil {
		log.Fatal(err)
	}
	p, err := mp.Start(ctx, report, w)
	if err != nil {
		log.Fatal(err)
	}
	ready, err := mp.Select(ctx, r, q)
	fmt.Println(ready, err)
	fmt.Println(r.Recv(ctx))
	ready, err = mp.Select(ctx, q, p) // nobody puts, so it is the process that ends
	fmt.Println(ready, err)
	_, err = r.Recv(ctx)
	fmt.Println(err == io.EOF, q.Put(ctx, 1))
	fmt.Println(mp.Select(ctx, r, q, p)) // the end of file is to be received, too
	// Output:
	// [0] <nil>
	// half way <nil>
	// [1] <nil>
	// true <nil>
	// [0 1 2] <nil>
}
