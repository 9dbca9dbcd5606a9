//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/gomultiprocessing/mp"
)

var sendList = mp.Register("sendList", func(ctx context.Context, to *mp.Conn[[]any]) (mp.None, error) {
	defer to.Close()
	return mp.None{}, to.Send(ctx, []any{42, nil, "hello"})
})

// A child sends a mixed list through its end of a pipe. What arrives has its types, and
// when the child has ended there is nothing more to come.
func ExampleNewPipe() {
	ctx := context.Background()
	parent, child, err := mp.NewPipe[[]any]()
	if err != nil {
		log.Fatal(err)
	}
	defer parent.Close()
	p, err := mp.Start(ctx, sendList, child)
	if err != nil {
		log.Fatal(err)
	}
	list, err := parent.Recv(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range list {
		fmt.Printf("%v %T\n", v, v)
	}
	_, err = parent.Recv(ctx)
	fmt.Println("then:", err, err == io.EOF)
	fmt.Println("joined:", p.Join(ctx))
	code, _ := p.ExitCode()
	fmt.Println("exit code:", code)
	// Output:
	// 42 int
	// <nil> <nil>
	// hello string
	// then: EOF true
	// joined: <nil>
	// exit code: 0
}
