package mp_test

import (
	"context"
	"fmt"
	"time"

	"github.com/gomultiprocessing/mp"
)

// A Result of one's own stands for whatever will be known later: here it is waited for beside others.
func ExampleNewResult() {
	ctx := context.Background()
	answer, set := mp.NewResult[string]()
	never, _ := mp.NewResult[string]()
	time.AfterFunc(time.Millisecond, func() { set("yes", nil) })

	for i, r := range mp.AsCompleted(ctx, never, answer) {
		v, err := r.Get(ctx)
		fmt.Println(i, v, err)
		break
	}
	fmt.Println(set("no", nil), never.TryCancel(), never.Err())
	// Output:
	// 1 yes <nil>
	// false true mp: cancelled
}
