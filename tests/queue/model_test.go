package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"pgregory.net/rapid"
)

// modelQueue is what a queue with a capacity must do.
type modelQueue struct {
	kind     testkit.QueueKind
	items    []int // in the order of coming
	capacity int
	got      int
	closed   bool
}

func (m *modelQueue) full() bool { return m.capacity > 0 && len(m.items) >= m.capacity }

func (m *modelQueue) put(v int) error {
	switch {
	case m.closed:
		return mp.ErrClosed
	case m.full():
		return mp.ErrFull
	}
	m.items = append(m.items, v)
	return nil
}

func (m *modelQueue) get() (int, error) {
	switch {
	case len(m.items) > 0:
		at := m.kind.Next(m.items)
		v := m.items[at]
		m.items = slices.Delete(m.items, at, at+1)
		m.got++
		return v, nil
	case m.closed:
		return 0, mp.ErrClosed
	}
	return 0, mp.ErrEmpty
}

func (m *modelQueue) taskDone() error {
	if m.got == 0 {
		return mp.ErrNotOwner
	}
	m.got--
	return nil
}

// join is what Join of a ctx that ends soon should return.
func (m *modelQueue) join() error {
	if m.got+len(m.items) > 0 {
		return context.Canceled
	}
	return nil
}

func (m *modelQueue) state() string {
	return fmt.Sprint(len(m.items), m.full(), len(m.items) == 0, m.closed || len(m.items) > 0)
}

func stateOf(q *mp.Queue[int]) string {
	soon, cancel := context.WithCancel(context.Background())
	defer cancel()
	// Something that is ready lets Select answer at once.
	other, err := testkit.ByPriority(1)
	if err != nil {
		return err.Error()
	}
	other.Close()
	ready, err := mp.Select(soon, q, other)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(q.Len(), q.Full(), q.Empty(), len(ready) == 2)
}

func sameEnd(got, want error) bool { return got == want || want != nil && errors.Is(got, want) }

// Whatever one does to a queue comes out as it does of a simple model.
func TestQueueDoesAsItsModel(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		rapid.Check(t, func(t *rapid.T) {
			m := &modelQueue{kind: k, capacity: rapid.SampledFrom([]int{0, 1, 2, 9, 40}).Draw(t, "capacity")}
			q, err := k.Make(m.capacity)
			if err != nil {
				t.Fatal(err)
			}
			put := func(t *rapid.T) {
				v := rapid.IntRange(0, 9).Draw(t, "v")
				if got, want := q.TryPut(v), m.put(v); !sameEnd(got, want) {
					t.Fatalf("put: %v, want %v", got, want)
				}
			}
			get := func(t *rapid.T) {
				v, err := q.TryGet()
				if wantV, want := m.get(); v != wantV || !sameEnd(err, want) {
					t.Fatalf("get: %d, %v, want %d, %v", v, err, wantV, want)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"":     func(t *rapid.T) { checkState(t, stateOf(q), m.state()) },
				"put":  put,
				"put2": put,
				"puts": func(t *rapid.T) {
					for range 20 {
						put(t)
					}
				},
				"get": get,
				"gets": func(t *rapid.T) {
					for range 15 {
						get(t)
					}
				},
				"done": func(t *rapid.T) {
					if got, want := q.TaskDone(), m.taskDone(); !sameEnd(got, want) {
						t.Fatalf("task done: %v, want %v", got, want)
					}
				},
				"join":  func(t *rapid.T) { checkJoin(t, q, m) },
				"close": func(t *rapid.T) { closeSeldom(t, q, m) },
			})
		})
	})
}

func checkState(t *rapid.T, got, want string) {
	if got != want {
		t.Fatalf("length, full, empty, ready: %s, want %s", got, want)
	}
}

func checkJoin(t *rapid.T, q *mp.Queue[int], m *modelQueue) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	want := m.join()
	end := begin(func() error { return q.Join(ctx) })
	if want != nil {
		cancel()
	}
	if got := <-end; !sameEnd(got, want) {
		t.Fatalf("join: %v, want %v", got, want)
	}
}

// closeSeldom leaves a queue open long enough for something to happen in it.
func closeSeldom(t *rapid.T, q *mp.Queue[int], m *modelQueue) {
	switch rapid.IntRange(0, 19).Draw(t, "close") {
	case 0:
		m.closed = true
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	case 1:
		want := len(m.items)
		m.closed, m.items = true, nil
		if n, err := q.CloseNow(); n != want || err != nil {
			t.Fatalf("close now: %d, %v, want %d", n, err, want)
		}
	}
}
