//go:build linux

package queue_test

import (
	"runtime"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestQueueClosedAndUnfinished(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		for _, now := range []bool{false, true} {
			q := k.New(t, 0)
			mustBe := func(closed bool, unfinished int) {
				t.Helper()
				if q.Closed() != closed || q.Unfinished() != unfinished {
					t.Errorf("closed %v, unfinished %d; want %v, %d", q.Closed(), q.Unfinished(), closed, unfinished)
				}
				if err := q.Join(testkit.Ended()); (err == nil) != (unfinished == 0) {
					t.Error("Join of", unfinished, ":", err)
				}
			}
			done := func() {
				t.Helper()
				if err := q.TaskDone(); err != nil {
					t.Error(err)
				}
			}
			mustBe(false, 0)
			testkit.MustPut(t, q, 1, 2, 3)
			mustBe(false, 3)
			for range 2 {
				if _, err := q.TryGet(); err != nil {
					t.Error(err)
				}
			}
			mustBe(false, 3)
			done()
			mustBe(false, 2)
			if !now {
				q.Close()
				mustBe(true, 2)
				if _, err := q.TryGet(); err != nil {
					t.Error(err)
				}
				mustBe(true, 2)
				done()
			} else if n, err := q.CloseNow(); n != 1 || err != nil {
				t.Error(n, err)
			}
			mustBe(true, 1)
			done()
			mustBe(true, 0)
		}
	})
}

func TestQueueClosedOfNone(t *testing.T) {
	for _, q := range []*mp.Queue[int]{nil, new(mp.Queue[int])} {
		if q.Closed() || q.Unfinished() != 0 {
			t.Error(q.Closed(), q.Unfinished())
		}
	}
}

// While items come, go and are done, no state is seen that there never was.
func TestQueueUnfinishedMeanwhile(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 0)
		ctx := testkit.Ctx(t)
		const most = 3 // a worker puts one, gets one and is done with it, in turn
		workers := make(chan error, most)
		for range most {
			go func() {
				for range testkit.Times(1000, 50_000) {
					if err := q.Put(ctx, 1); err != nil {
						workers <- err
						return
					}
					if _, err := q.Get(ctx); err != nil {
						workers <- err
						return
					}
					if err := q.TaskDone(); err != nil {
						workers <- err
						return
					}
				}
				workers <- nil
			}()
		}
		for len(workers) < most {
			if n := q.Unfinished(); n < 0 || n > most {
				t.Error(n, "unfinished, of at most", most)
				break
			}
			runtime.Gosched()
		}
		for range most {
			if err := <-workers; err != nil {
				t.Error(err)
			}
		}
		if n := q.Unfinished(); n != 0 {
			t.Error(n)
		}
	})
}
