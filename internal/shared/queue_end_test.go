//go:build linux

package shared_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["close"] = func(files []*os.File, _ []string) { openQueue(files[0]).Shutdown() }
	roles["close now"] = func(files []*os.File, _ []string) { openQueue(files[0]).CloseNow() }
	roles["do"] = func(files []*os.File, _ []string) {
		q := openQueue(files[0])
		for {
			_, _, err := q.Get(context.Background(), nil)
			must(err)
			must(q.TaskDone())
		}
	}
}

// Whoever closes a queue may die before it has woken those who wait.
func TestQueueSurvivesADeathOfWhoCloses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role, point string
		left        int // items
	}{
		{"close", "queue.closed", 2}, {"close now", "queue.closed", 2}, {"close now", "queue.dropped", 0},
	} {
		t.Run(c.role+" "+c.point, func(t *testing.T) {
			t.Parallel()
			full, empty := newQueue(t, 2, false), newQueue(t, 0, false)
			put(t, full, nil)
			put(t, full, nil)
			waits := make(chan error, 3)
			go func() { waits <- full.Put(soon(t), bytesItem(nil)) }()
			go func() {
				_, _, err := empty.Get(soon(t), nil)
				waits <- err
			}()
			time.Sleep(20 * time.Millisecond)
			for _, q := range []*shared.Queue{full, empty} {
				doomed(t, c.point, c.role, q.Files()).dies()
				select {
				case err := <-waits:
					if err != carrier.ErrQueueClosed {
						t.Error(err)
					}
				case <-time.After(3 * time.Second):
					t.Error("still waiting")
				}
			}
			go func() { waits <- full.Join(soon(t)) }()
			if n := full.Len(); n != c.left {
				t.Error(n, "items are left")
			}
			for range c.left {
				expect(t, full, nil)
				must(full.TaskDone())
			}
			if err := <-waits; err != nil {
				t.Error("Join:", err)
			}
			if _, _, err := full.TryGet(nil); err != carrier.ErrQueueClosed {
				t.Error(err)
			}
			if n, _ := full.CloseNow(); n != 0 {
				t.Error(n, "were dropped")
			}
		})
	}
}

// Joiners wait on when a CloseNow dies before it has woken them, and not for ever.
func TestQueueSurvivesADeathBeforeJoinersAreWoken(t *testing.T) {
	t.Parallel()
	for role, point := range map[string]string{"close now": "queue.dropped", "do": "queue.done"} {
		q := newQueue(t, 0, false)
		put(t, q, nil)
		joined := make(chan error, 1)
		go func() { joined <- q.Join(soon(t)) }()
		time.Sleep(20 * time.Millisecond)
		doomed(t, point, role, q.Files()).dies()
		select {
		case err := <-joined: // and nothing is abandoned
			if err != nil {
				t.Error(role, err)
			}
		case <-time.After(3 * time.Second):
			t.Error(role, "still waiting")
		}
	}
}
