//go:build linux

package shared_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Not parallel: the room is one for the process.
func TestRoomForLargeItems(t *testing.T) {
	waitForRoom := func(want bool) {
		t.Helper()
		for range 1000 {
			if shared.HasRoom() == want {
				return
			}
			runtime.GC()
			time.Sleep(time.Millisecond) // for the cleanups
		}
		t.Fatalf("room: %v", !want)
	}
	q, err := shared.NewQueue(0, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	item := carrier.Item{Pieces: [][]byte{make([]byte, carrier.LargeItem)}}
	pass := func(n int) {
		t.Helper()
		for range n {
			if err := q.Put(soon(t), &item); err != nil {
				t.Fatal(err)
			}
			if _, _, err := q.Get(soon(t), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	waitForRoom(false)
	pass(200)
	if !shared.HasRoom() {
		t.Error("no room for many large items")
	}
	waitForRoom(false)

	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	pass(200)
	if shared.HasRoom() {
		t.Error("room in a process with a limit on its memory")
	}
}
