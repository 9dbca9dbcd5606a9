//go:build linux

package testkit

import (
	"context"
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp"
)

// FillConn sends until there is no room, and returns how many messages there was room for.
func FillConn(t *testing.T, a *mp.Conn[int], size int) (n int) {
	t.Helper()
	return Fill(t, func(ctx context.Context) error { return a.SendBytes(ctx, make([]byte, size)) }, "SendBytes")
}

// Fill calls send until it blocks, and returns how often it did not. method is what send calls and blocks in.
func Fill(t *testing.T, send func(ctx context.Context) error, method string) (n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(Ctx(t))
	ended := make(chan error, 1)
	go func() {
		for {
			if err := send(ctx); err != nil {
				ended <- err
				return
			}
			n++
		}
	}()
	UntilBlocked(t, 1, method)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return n
}
