package testkit

import (
	"runtime"
	"slices"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// QueueKind is one of the queues of which what this file tests must be true.
type QueueKind struct {
	Name string
	Make func(capacity int) (*mp.Queue[int], error)
	Next func(items []int) int // the place of the one to get, in the order of coming
}

func ByPriority(capacity int) (*mp.Queue[int], error) {
	return thread.NewPriorityQueue(capacity, func(a, b int) bool { return a < b })
}

func oldest([]int) int       { return 0 }
func newest(items []int) int { return len(items) - 1 }
func least(items []int) int  { return slices.Index(items, slices.Min(items)) }

func QueueKinds() []QueueKind {
	kinds := []QueueKind{
		{"goroutines", thread.NewQueue[int], oldest},
		{"a byte pipe", NewRemoteQueue[int], oldest},
		{"goroutines, the newest first", thread.NewLIFOQueue[int], newest},
		{"goroutines, the least first", ByPriority, least},
	}
	kinds = append(kinds, serverQueues()...)
	if runtime.GOOS == "linux" {
		kinds = append(kinds, QueueKind{"processes", mp.NewQueue[int], oldest})
	}
	return kinds
}

func (k QueueKind) New(t testing.TB, capacity int) *mp.Queue[int] {
	t.Helper()
	q, err := k.Make(capacity)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// MustPut puts items that there is room for.
func MustPut(t testing.TB, q *mp.Queue[int], items ...int) {
	t.Helper()
	for _, v := range items {
		if err := q.TryPut(v); err != nil {
			t.Fatal(v, err)
		}
	}
}
