package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp"
)

var misbehave = mp.Register("misbehave", func(ctx context.Context, how string) (string, error) {
	switch how {
	case "fail":
		return "", errors.New("no luck")
	case "panic":
		panic("lost")
	case "exit":
		os.Exit(3)
	case "hang":
		select {} // does not look at its ctx
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	}
	return "fine", nil
})

// Whatever a task does, it has one outcome, and costs no other task anything.
func ExampleOutcomes() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: 10 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	kinds := []string{"be good", "fail", "panic", "exit", "hang", "wait"}
	lines := make([]string, len(kinds))
	for o := range mp.Outcomes(ctx, pool, misbehave, slices.Values(kinds), mp.Timeout(200*time.Millisecond)) {
		var (
			panicked *mp.PanicError
			died     *mp.WorkerDiedError
			late     *mp.TimeoutError
		)
		what := "an error: " + fmt.Sprint(o.Err)
		switch {
		case o.Err == nil:
			what = o.Out
		case errors.As(o.Err, &panicked):
			what = "a panic: " + panicked.Value
		case errors.As(o.Err, &died):
			what = fmt.Sprint("the death of its worker, exit code ", died.ExitCode)
		case errors.As(o.Err, &late):
			what = fmt.Sprint("a timeout after ", late.After)
		}
		lines[o.Index] = o.In + ": " + what
	}
	for _, line := range lines {
		fmt.Println(line)
	}
	// Output:
	// be good: fine
	// fail: an error: mp: task misbehave[1]: no luck
	// panic: a panic: lost
	// exit: the death of its worker, exit code 3
	// hang: a timeout after 200ms
	// wait: a timeout after 200ms
}
