package thread_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// Two goroutines talk. What is sent is not copied: the answer is in the message itself.
func ExampleNewPipe() {
	type question struct {
		A, B int
		Sum  int
	}
	ctx := context.Background()
	here, there, err := thread.NewPipe[*question]()
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			q, err := there.Recv(ctx)
			if err != nil {
				return
			}
			q.Sum = q.A + q.B
			there.Send(ctx, q)
		}
	}()
	q := &question{A: 1, B: 2}
	if err := here.Send(ctx, q); err != nil {
		log.Fatal(err)
	}
	answer, err := here.Recv(ctx)
	fmt.Println(answer == q, q.Sum, err)
	here.Close()
	// Output: true 3 <nil>
}

// The reader gets what was written, and then the end of file.
func ExampleNewOneWayPipe() {
	ctx := context.Background()
	r, w, err := thread.NewOneWayPipe[string]()
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer w.Close()
		for _, word := range []string{"one", "two"} {
			w.Send(ctx, word)
		}
	}()
	for {
		word, err := r.Recv(ctx)
		if err == io.EOF {
			break
		}
		fmt.Println(word, err)
	}
	// Output:
	// one <nil>
	// two <nil>
}
