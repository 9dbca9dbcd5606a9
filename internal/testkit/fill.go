//go:build linux

package testkit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// FillConn sends until there is no room, and returns how many messages there was room for. On
// a busy machine a ctx may end before Send has begun: so it tries three times.
func FillConn(t *testing.T, a *mp.Conn[int], size int) (n int) {
	t.Helper()
	for late := 0; late < 3; {
		switch err := a.SendBytes(Shortly(t, 30*time.Millisecond), make([]byte, size)); {
		case err == nil:
			n, late = n+1, 0
		case errors.Is(err, context.DeadlineExceeded):
			late++
		default:
			t.Fatal(err)
		}
	}
	return n
}
