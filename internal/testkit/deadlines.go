package testkit

import (
	"context"
	"testing"
	"time"
)

// Ended returns a ctx whose deadline has passed.
func Ended() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	cancel()
	return ctx
}

// Cancelled returns a ctx that was cancelled.
func Cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Shortly returns a ctx that ends in a moment.
func Shortly(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
