//go:build linux

package shared_test

import (
	"context"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["greedy"] = func(files []*os.File, _ []string) { // never lets go of a lock or permit for long
		b, l, s := openBoard(files[0]), openLock(files[1]), openSemaphore(files[2])
		go func() {
			for {
				_, err := s.Acquire(context.Background())
				must(err)
				must(s.Return(0))
				b.words[1].Add(1)
			}
		}()
		for {
			g, err := l.Acquire(context.Background())
			must(err)
			l.Release(g.Token)
			b.words[0].Add(1)
		}
	}
}

// However greedy others are, of this process and of another, who waits gets his turn.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	l, s, b := newLock(t), newSemaphore(t, 1, false), newBoard(t)
	play(t, "greedy", []*os.File{b.file, l.File(), s.File()})
	stop := make(chan struct{})
	var greedy sync.WaitGroup
	for range 2 {
		greedy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				g := acquire(t, l)
				l.Release(g.Token)
				take(t, s)
				must(s.Return(0))
			}
		})
	}
	defer greedy.Wait()
	defer close(stop)
	for b.words[0].Load() == 0 || b.words[1].Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for name, turn := range map[string]func(){
		"lock":      func() { g := acquire(t, l); time.Sleep(2 * time.Millisecond); l.Release(g.Token) },
		"semaphore": func() { take(t, s); time.Sleep(2 * time.Millisecond); must(s.Return(0)) },
	} {
		var worst atomic.Int64
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 20 {
					begin := time.Now()
					turn()
					worst.Store(max(worst.Load(), int64(time.Since(begin))))
				}
			})
		}
		wait.Wait()
		t.Logf("%s: the longest turn took %v", name, time.Duration(worst.Load()))
		if worst.Load() > int64(10*time.Second) {
			t.Errorf("%s: a turn took %v", name, time.Duration(worst.Load()))
		}
	}
}

// Those who have waited for a while get the lock in the order in which they came.
func TestLockIsHandedToWhoWaitsLongest(t *testing.T) {
	t.Parallel()
	for attempt := range 4 { // a busy machine runs goroutines in another order
		order := turns(t, newLock(t))
		if sort.IntsAreSorted(order) {
			return
		}
		t.Logf("attempt %d: they came in the order %v", attempt, order)
	}
	t.Error("never in the order in which they came")
}

// turns has some goroutines come for a lock, one after the other, and says who got it when.
func turns(t *testing.T, l *shared.Lock) (order []int) {
	g := acquire(t, l)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			g := acquire(t, l)
			order = append(order, i)
			time.Sleep(2 * time.Millisecond)
			l.Release(g.Token)
		})
		time.Sleep(20 * time.Millisecond)
	}
	l.Release(g.Token)
	wait.Wait()
	return order
}

// The race detector sees that the lock orders what goroutines do, though its memory is
// not of the heap.
func TestLockIsSilentUnderTheRaceDetector(t *testing.T) {
	t.Parallel()
	l, s, e := newLock(t), newSemaphore(t, 1, false), newEvent(t)
	b := newBarrier(t, 2)
	var underLock, underPermit int
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for range 20000 {
				g := acquire(t, l)
				underLock++
				l.Release(g.Token)
			}
			for range 2000 {
				take(t, s)
				underPermit++
				must(s.Return(0))
			}
		})
	}
	wait.Wait()
	if underLock != 40000 || underPermit != 4000 {
		t.Error(underLock, underPermit)
	}
	before := 0
	wait.Go(func() {
		must(e.Wait(soon(t)))
		before++
		_, err := b.Wait(soon(t), nil)
		must(err)
	})
	before++
	e.Set()
	_, err := b.Wait(soon(t), nil)
	must(err)
	if before != 2 {
		t.Error(before)
	}
	wait.Wait()
}

// A dead owner's lock is free for one who waits within some milliseconds.
func TestLockOfADeadOwnerIsFreeSoon(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	for name, kill := range map[string]func(*child){"its parent says so": (*child).kill, "nobody says so": (*child).killUnnoticed} {
		var took []time.Duration
		for range 9 {
			l, e := newLock(t), newEvent(t)
			c := play(t, "hold", []*os.File{l.File(), e.File()})
			must(e.Wait(soon(t)))
			got := make(chan time.Time)
			go func() { acquire(t, l); got <- time.Now() }()
			time.Sleep(5 * time.Millisecond)
			go kill(c)
			c.Process.Kill()
			begin := time.Now()
			took = append(took, (<-got).Sub(begin))
		}
		sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
		t.Logf("%s: %v (of 9, the slowest %v)", name, took[4], took[8])
		if took[4] > time.Second { // the measurement is in go run ./bench
			t.Errorf("%s: free after %v", name, took[4])
		}
	}
}

func newBench(b *testing.B) *shared.Lock {
	l, err := shared.NewLock()
	if err != nil {
		b.Fatal(err)
	}
	return l
}
