package thread_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/gomultiprocessing/mp/thread"
)

// pageBuffer is a buffer of each thread: no lock is needed as long as a thread is one goroutine.
var pageBuffer = thread.NewLocal(func() *strings.Builder { return new(strings.Builder) })

func addToPage(ctx context.Context, s string) { pageBuffer.Get(ctx).WriteString(s) }

func ExampleLocal() {
	ctx := context.Background()
	addToPage(ctx, "main's")
	for _, name := range []string{"a", "b"} {
		t, err := thread.Start(ctx, name, func(ctx context.Context) error {
			for range 3 {
				addToPage(ctx, name)
			}
			fmt.Println(pageBuffer.Get(ctx))
			return nil
		})
		if err != nil {
			log.Fatal(err)
		}
		if err := t.Join(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(pageBuffer.Get(ctx))
	// Output:
	// aaa
	// bbb
	// main's
}
