package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

var fetch = mp.Register("fetch", func(ctx context.Context, page string) (string, error) {
	if page == "gone" {
		return "", mp.Permanent(errors.New("there is no such page"))
	}
	return "", errors.New("try again")
})

// An error that will not get better is not retried.
func ExamplePermanent() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	for _, page := range []string{"busy", "gone"} {
		_, err := mp.Apply(ctx, pool, fetch, page, mp.Retries(2, mp.Backoff{Min: time.Millisecond}))
		var task *mp.TaskError
		errors.As(err, &task)
		fmt.Println(page, task.Attempts, task.Err)
	}
	// Output:
	// busy 3 try again
	// gone 1 there is no such page
}
