package queue_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// queueOp is what a goroutine did: to put n, to get n, or to look and see n items.
type queueOp struct {
	what string
	n    int
	ok   bool // else there was no room, or no item
}

const historyRoom = 3

// historyModel says whether operations make sense one after the other. Its state is
// the items, in the order of coming.
func historyModel(k testkit.QueueKind) porcupine.Model {
	return porcupine.Model{
		Init:  func() any { return []int(nil) },
		Equal: func(a, b any) bool { return slices.Equal(a.([]int), b.([]int)) },
		Step: func(state, input, _ any) (bool, any) {
			items, op := state.([]int), input.(queueOp)
			switch {
			case op.what == "len":
				return op.n == len(items), items
			case op.what == "put" && !op.ok:
				return len(items) == historyRoom, items
			case op.what == "put":
				return len(items) < historyRoom, append(slices.Clip(items), op.n)
			case !op.ok:
				return len(items) == 0, items
			case len(items) == 0:
				return false, items
			}
			at := k.Next(items)
			return items[at] == op.n, slices.Delete(slices.Clone(items), at, at+1)
		},
	}
}

// However goroutines get in each other's way, there is an order in which all that they
// did is right.
func TestQueueIsLinearizable(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		for range 10 {
			q := k.New(t, historyRoom)
			var mu sync.Mutex
			var wait sync.WaitGroup
			var history []porcupine.Operation
			began := time.Now()
			for client := range 4 {
				wait.Go(func() {
					for i := range 40 {
						call := time.Since(began)
						op, happened := randomOp(q, rand.IntN(6), client*1000+i)
						end := time.Since(began)
						if !happened || !op.ok && end-call > 100*time.Millisecond {
							continue // a goroutine that is held up may take the queue for empty
						}
						mu.Lock()
						history = append(history, porcupine.Operation{ClientId: client, Input: op, Call: int64(call), Return: int64(end)})
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			if got := porcupine.CheckOperationsTimeout(historyModel(k), history, 20*time.Second); got != porcupine.Ok {
				t.Fatalf("%s of %d operations", got, len(history))
			}
		}
	})
}

// randomOp does one thing with a queue. A wait whose ctx ended has not happened.
func randomOp(q *mp.Queue[int], what, n int) (op queueOp, happened bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(200))*time.Microsecond)
	defer cancel()
	switch what {
	case 0:
		err := q.TryPut(n)
		return queueOp{"put", n, err == nil}, err == nil || err == mp.ErrFull
	case 1:
		n, err := q.TryGet()
		return queueOp{"get", n, err == nil}, err == nil || err == mp.ErrEmpty
	case 2, 3:
		err := q.Put(ctx, n)
		return queueOp{"put", n, true}, err == nil
	case 4:
		n, err := q.Get(ctx)
		return queueOp{"get", n, true}, err == nil
	}
	return queueOp{"len", q.Len(), true}, true
}
