//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/gomultiprocessing/mp"
)

// One goroutine waits for a connection of package net and for a queue.
func ExampleReadable() {
	ctx := context.Background()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	q, err := mp.NewQueue[string](1)
	if err != nil {
		log.Fatal(err)
	}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ready, err := mp.Select(ctx, q, mp.Readable(l))
	fmt.Println(ready, err)
	c, err := l.Accept() // does not block
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := q.Put(ctx, "a job"); err != nil {
		log.Fatal(err)
	}
	ready, err = mp.Select(ctx, q, mp.Readable(c))
	fmt.Println(ready, err)
	// Output:
	// [1] <nil>
	// [0] <nil>
}
