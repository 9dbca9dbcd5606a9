//go:build linux

package shared_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

const queueKind = 77

func newQueue(t testing.TB, capacity int, carries bool) *shared.Queue {
	t.Helper()
	q, err := shared.NewQueue(capacity, carries, queueKind)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func openQueue(files ...*os.File) *shared.Queue {
	q, err := shared.OpenQueue(files)
	must(err)
	return q
}

func bytesItem(p []byte) *carrier.Item { return &carrier.Item{Pieces: [][]byte{p}} }

func put(t testing.TB, q *shared.Queue, p []byte) {
	t.Helper()
	if err := q.TryPut(bytesItem(p)); err != nil {
		t.Fatal(err)
	}
}

// expect gets an item and compares it.
func expect(t testing.TB, q *shared.Queue, want []byte) {
	t.Helper()
	got, _, err := q.TryGet(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes and %v, want %d bytes", len(got), err, len(want))
	}
}

// pattern is size bytes that tell where they are from.
func pattern(size, n int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + n + i>>8)
	}
	return p
}

func TestQueueIsFirstInFirstOutForItemsOfAnySize(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	sizes := []int{0, 1, 7, 8, 9, 100, 1 << 10, 32 << 10, 64 << 10, 100_000, 511 << 10, 512 << 10, 513 << 10, 1 << 20, 3 << 20, 16 << 20, 5, 0}
	for round := range 3 {
		for i, size := range sizes {
			put(t, q, pattern(size, i+round))
		}
		if n := q.Len(); n != len(sizes) {
			t.Errorf("Len is %d", n)
		}
		for i, size := range sizes {
			expect(t, q, pattern(size, i+round))
		}
	}
	if n := q.Len(); n != 0 {
		t.Errorf("Len is %d", n)
	}
}

func TestQueueSpillsSmallItems(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	const n = 120_000 // some MiB
	for round := range 2 {
		next := 0
		for i := range n {
			put(t, q, pattern(i%50, i+round))
			if i%3 == 0 {
				expect(t, q, pattern(next%50, next+round))
				next++
			}
		}
		for ; next < n; next++ {
			expect(t, q, pattern(next%50, next+round))
		}
	}
}

func TestQueueKeepsItsBound(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 3, false)
	for i := range 3 {
		if q.Full() {
			t.Error("full with", i)
		}
		put(t, q, pattern(10, i))
	}
	if !q.Full() || q.Len() != 3 || q.Cap() != 3 {
		t.Error("not full")
	}
	if err := q.TryPut(bytesItem(nil)); err != carrier.ErrFull {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := q.Put(ctx, bytesItem(nil)); err != context.DeadlineExceeded {
		t.Error(err)
	}
	waits := make(chan error)
	go func() { waits <- q.Put(soon(t), bytesItem(pattern(10, 3))) }()
	time.Sleep(10 * time.Millisecond)
	for i := range 3 {
		expect(t, q, pattern(10, i))
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
	expect(t, q, pattern(10, 3))
	if _, _, err := q.TryGet(nil); err != carrier.ErrEmpty {
		t.Error(err)
	}
}

func TestQueueCloses(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 2, false)
	put(t, q, []byte("a"))
	put(t, q, []byte("b"))
	waits := make(chan error)
	go func() { waits <- q.Put(soon(t), bytesItem(nil)) }()
	time.Sleep(10 * time.Millisecond)
	q.Shutdown()
	if err := <-waits; err != carrier.ErrQueueClosed {
		t.Error(err)
	}
	if err := q.TryPut(bytesItem(nil)); err != carrier.ErrQueueClosed {
		t.Error(err)
	}
	expect(t, q, []byte("a"))
	if closeNow(q) != 1 || closeNow(q) != 0 || q.Len() != 0 {
		t.Error("one item was to be dropped, once")
	}
	if _, _, err := q.Get(soon(t), nil); err != carrier.ErrQueueClosed {
		t.Error(err)
	}
	empty := newQueue(t, 0, false)
	go func() {
		_, _, err := empty.Get(soon(t), nil)
		waits <- err
	}()
	time.Sleep(10 * time.Millisecond)
	empty.CloseNow()
	if err := <-waits; err != carrier.ErrQueueClosed {
		t.Error(err)
	}
}

func TestQueueJoin(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	if err := q.Join(soon(t)); err != nil {
		t.Error("a new queue:", err)
	}
	if err := q.TaskDone(); err != carrier.ErrNotGot {
		t.Error(err)
	}
	put(t, q, nil)
	put(t, q, nil)
	put(t, q, nil)
	joined := make(chan error, 1)
	go func() { joined <- q.Join(soon(t)) }()
	for range 2 {
		expect(t, q, nil)
		if err := q.TaskDone(); err != nil {
			t.Error(err)
		}
	}
	expect(t, q, nil)
	select {
	case err := <-joined:
		t.Error("joined too early:", err)
	case <-time.After(30 * time.Millisecond):
	}
	q.TaskDone()
	if err := <-joined; err != nil {
		t.Error(err)
	}
	if err := q.TaskDone(); err != carrier.ErrNotGot {
		t.Error(err)
	}
	put(t, q, nil)
	q.CloseNow()
	if err := q.Join(soon(t)); err != nil {
		t.Error("what was dropped is done:", err)
	}
}

func init() {
	roles["take"] = func(files []*os.File, args []string) { // gets items, says how many are done, and stays
		q := openQueue(files[0])
		for range atoi(args[0]) {
			_, _, err := q.Get(context.Background(), nil)
			must(err)
		}
		for range atoi(args[1]) {
			must(q.TaskDone())
		}
		e, err := shared.OpenEvent(files[1])
		must(err)
		e.Set()
		forever()
	}
}

func TestQueueJoinOfADeadProcess(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*child){"its parent says so": (*child).kill, "nobody says so": (*child).killUnnoticed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, 0, false)
			for range 5 {
				put(t, q, nil)
			}
			for round := range 2 {
				e := newEvent(t)
				c := play(t, "take", []*os.File{q.Files()[0], e.File()}, "5", "2")
				if err := e.Wait(soon(t)); err != nil {
					t.Fatal(err)
				}
				joined := make(chan error, 2)
				for range 2 {
					go func() { joined <- q.Join(soon(t)) }()
				}
				time.Sleep(20 * time.Millisecond)
				kill(c)
				for range 2 {
					var abandoned *carrier.AbandonedError
					if err := <-joined; !errors.As(err, &abandoned) || abandoned.Items != 3 {
						t.Errorf("round %d: Join: %v", round, err)
					}
				}
				if err := q.Join(soon(t)); err != nil {
					t.Error("told twice:", err)
				}
				for range 5 { // for another in the same slot
					put(t, q, nil)
				}
			}
		})
	}
}

func TestQueueMakesManyWait(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 5, false)
	const goroutines, each = 50, 200
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for i := range goroutines {
		wait.Go(func() {
			for j := range each {
				if err := q.Put(soon(t), bytesItem(fmt.Append(nil, i, " ", j))); err != nil {
					t.Error(err)
				}
			}
		})
		wait.Go(func() {
			for range each {
				p, _, err := q.Get(soon(t), nil)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[string(p)]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(seen) != goroutines*each || q.Len() != 0 {
		t.Errorf("%d different items of %d; %d are left", len(seen), goroutines*each, q.Len())
	}
}

func TestQueueOfAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	for _, files := range [][]*os.File{{again(t, q.Files()[0]), again(t, q.Files()[0]), again(t, q.Files()[0])}, {again(t, newEvent(t).File())}, {}} {
		if _, err := shared.OpenQueue(files); err == nil {
			t.Error("opened")
		}
	}
	again, err := shared.OpenQueue([]*os.File{again(t, q.Files()[0])})
	if err != nil || again != q || q.Type() != queueKind {
		t.Error("there is one for each process:", err)
	}
}

// closeNow is how many items a CloseNow has dropped.
func closeNow(q *shared.Queue) int {
	n, err := q.CloseNow()
	must(err)
	return n
}
