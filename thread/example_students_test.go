package thread_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// Five students speak, and then each needs a while. They need it at the same time: the
// program takes as long as one of them.
func ExampleStart_students() {
	const while = 100 * time.Millisecond
	ctx := context.Background()
	began := time.Now()
	for i := range 5 {
		if _, err := thread.Start(ctx, fmt.Sprintf("学生%d", i), func(ctx context.Context) error {
			fmt.Println(thread.Current(ctx).Name())
			time.Sleep(while)
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	took := time.Since(began)
	fmt.Println("one while or more:", took >= while, "five whiles:", took >= 5*while)
	// Unordered output:
	// 学生0
	// 学生1
	// 学生2
	// 学生3
	// 学生4
	// one while or more: true five whiles: false
}
