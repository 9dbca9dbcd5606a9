package thread_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func TestPriorityQueueWithoutLess(t *testing.T) {
	t.Parallel()
	q, err := thread.NewPriorityQueue[int](0, nil)
	if q != nil || err == nil || !strings.Contains(err.Error(), "less is nil") {
		t.Error(q, err)
	}
}

// ranked are in the order of rank, and those of the same in the order of number.
type ranked struct{ rank, number int }

func byRank(a, b ranked) bool { return a.rank < b.rank }

func TestPriorityQueueKeepsTheOrderOfEquals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q, err := thread.NewPriorityQueue(0, byRank)
		if err != nil {
			t.Fatal(err)
		}
		var model []ranked // as they will come
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				for _, rank := range rapid.SliceOfN(rapid.IntRange(-2, 2), 1, 20).Draw(t, "ranks") {
					v := ranked{rank, n}
					n++
					q.TryPut(v)
					model = append(model, v)
				}
				slices.SortStableFunc(model, func(a, b ranked) int { return a.rank - b.rank })
			},
			"get": func(t *rapid.T) {
				for range min(rapid.IntRange(1, 15).Draw(t, "n"), len(model)) {
					if v, err := q.TryGet(); v != model[0] || err != nil {
						t.Fatalf("%v, %v, want %v", v, err, model[0])
					}
					model = model[1:]
				}
			},
		})
	})
}

func TestPriorityQueueOfALessThatMakesNoSense(t *testing.T) {
	t.Parallel()
	n := 0
	q, err := thread.NewPriorityQueue(0, func(a, b int) bool { n++; return n*7919%3 == 0 })
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i := range 500 {
		q.TryPut(i)
		if i%3 == 2 {
			v, _ := q.TryGet()
			got = append(got, v)
		}
	}
	for !q.Empty() {
		v, _ := q.TryGet()
		got = append(got, v)
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 500 {
		t.Error(len(got), "items came out of 500")
	}
}

// panicked is what f panicked with, nil if it did not.
func panicked(f func()) (with any) {
	defer func() { with = recover() }()
	f()
	return nil
}

// A Put or Get whose less panics has no effect, and what comes after it is in order.
func TestPriorityQueueWhoseLessPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		panicIn := -1 // so many calls
		q, err := thread.NewPriorityQueue(0, func(a, b ranked) bool {
			if panicIn--; panicIn == 0 {
				panic("less")
			}
			return byRank(a, b)
		})
		if err != nil {
			t.Fatal(err)
		}
		var model []ranked
		n := 0
		put := func(t *rapid.T) {
			v := ranked{rapid.IntRange(0, 3).Draw(t, "rank"), n}
			n++
			if panicked(func() { q.TryPut(v) }) == nil {
				model = append(model, v)
				slices.SortStableFunc(model, func(a, b ranked) int { return a.rank - b.rank })
			}
		}
		get := func(t *rapid.T) {
			var v ranked
			if panicked(func() { v, _ = q.TryGet() }) == nil && len(model) > 0 {
				if v != model[0] {
					t.Fatalf("%v, want %v", v, model[0])
				}
				model = model[1:]
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put":   put,
			"put2":  put,
			"get":   get,
			"panic": func(t *rapid.T) { panicIn = rapid.IntRange(1, 4).Draw(t, "calls") },
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatal(q.Len(), "items, want", len(model))
				}
			},
		})
	})
}

// When the item of a Put that waits gets room, less is called by the Get that made it. A
// panic goes to the Put all the same, and to no other.
func TestPriorityQueueWhoseLessPanicsOfAWait(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(){
		"panic":  func() { panic("bad item") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { waitWithABadItem(t, fail) })
		})
	}
}

func waitWithABadItem(t *testing.T, fail func()) {
	const bad = -1
	q, err := thread.NewPriorityQueue(2, func(a, b int) bool {
		if a == bad || b == bad {
			fail()
		}
		return a < b
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	q.TryPut(10)
	q.TryPut(20)
	ends := make(map[int]string)
	for _, v := range []int{bad, 15} {
		go func() {
			ends[v] = "ended"
			with := panicked(func() {
				if err := q.Put(ctx, v); err != nil {
					t.Error(err)
				}
				ends[v] = "put"
			})
			if with != nil {
				ends[v] = fmt.Sprint(with)
			}
		}()
		synctest.Wait()
	}
	go q.Get(ctx) // which Goexit may end
	synctest.Wait()
	go q.Get(ctx)
	synctest.Wait()
	q.Close()
	synctest.Wait()
	if ends[bad] == "put" || ends[15] != "put" {
		t.Error("the Puts ended with", ends)
	}
	if v, err := q.TryGet(); v != 20 || err != nil {
		t.Error(v, err)
	}
	if v, err := q.TryGet(); !errors.Is(err, mp.ErrClosed) {
		t.Error(v, err)
	}
}

// A Put whose less panics does not disturb a waiting Get.
func TestPriorityQueueWhoseLessPanicsPassesRoomOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const bad = -1
		q, _ := thread.NewPriorityQueue(3, func(a, b int) bool {
			if a == bad || b == bad {
				panic("bad item")
			}
			return a < b
		})
		for i := range 3 {
			q.TryPut(i)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		put := 0
		for _, v := range []int{bad, bad, 3, 4} {
			go func() {
				if panicked(func() {
					if err := q.Put(ctx, v); err != nil && !errors.Is(err, mp.ErrClosed) {
						t.Error(err)
					} else if err == nil {
						put++
					}
				}) != nil && v != bad {
					t.Error("another Put panicked than that of the bad item")
				}
			}()
			synctest.Wait()
		}
		one(t, q, 0)
		synctest.Wait()
		if put != 1 || !q.Full() {
			t.Error(put, "of 1 were put while others panicked")
		}
		one(t, q, 1)
		q.Close()
		synctest.Wait()
		for i := 2; i <= 4; i++ {
			one(t, q, i)
		}
	})
}

// While a Get compares, the ctx of a Put ends that it is about to let in: the item is in the
// queue, and the Put panics.
func TestPriorityQueueLetsInAPutWhoseCtxHasJustEnded(t *testing.T) {
	t.Parallel()
	var held atomic.Bool
	comparing, goOn := make(chan struct{}), make(chan struct{})
	q, err := thread.NewPriorityQueue(4, func(a, b int) bool {
		if held.CompareAndSwap(true, false) {
			comparing <- struct{}{}
			<-goOn
		}
		return a < b
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		q.TryPut(i)
	}
	for i := range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		put, got := make(chan error), make(chan int)
		go func() { put <- q.Put(ctx, i+4) }()
		for range 10 {
			runtime.Gosched() // most likely it waits now
		}
		held.Store(true)
		go func() {
			v, _ := q.TryGet()
			got <- v
		}()
		<-comparing
		cancel()
		for range 10 {
			runtime.Gosched() // most likely it knows now
		}
		goOn <- struct{}{}
		if v := <-got; v != i {
			t.Fatal("got", v, "want", i)
		}
		if err := <-put; err == nil != q.Full() {
			t.Fatal("the Put ended with", err, "and there are", q.Len(), "items")
		}
		if !q.Full() {
			q.TryPut(i + 4)
		}
	}
}
