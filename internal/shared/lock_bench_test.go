//go:build linux

package shared_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shared"
)

func BenchmarkLock(b *testing.B) {
	l := newBench(b)
	for b.Loop() {
		g, _ := l.Acquire(context.Background())
		l.Release(g.Token)
	}
}

func init() {
	roles["contend"] = func(files []*os.File, args []string) { // takes the lock all the time
		b, l := openBoard(files[0]), openLock(files[1])
		for range atoi(args[0]) {
			go contend(l, &b.words[0], func() bool { return true })
		}
		forever()
	}
}

// contend counts its turns, and says how long it waited for the longest and for all.
func contend(l *shared.Lock, turns *atomic.Uint64, more func() bool) (worst time.Duration) {
	for more() {
		begin := time.Now()
		g, err := l.Acquire(context.Background())
		must(err)
		worst = max(worst, time.Since(begin))
		turns.Add(1)
		l.Release(g.Token)
	}
	return worst
}

// BenchmarkLockContended is a turn of one of two processes, each with so many goroutines.
func BenchmarkLockContended(b *testing.B) {
	for _, n := range []int{1, 4, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, board := newBench(b), newBoard(b)
			theirs := &board.words[0]
			play(b, "contend", []*os.File{board.file, l.File()}, fmt.Sprint(n))
			for theirs.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			var ours atomic.Uint64
			worst := make([]time.Duration, n)
			var wait sync.WaitGroup
			b.ResetTimer()
			before := theirs.Load()
			for i := range n {
				wait.Go(func() {
					worst[i] = contend(l, &ours, func() bool { return ours.Load()+theirs.Load()-before < uint64(b.N) })
				})
			}
			wait.Wait()
			turns := ours.Load() + theirs.Load() - before
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(turns), "ns/op")
			b.ReportMetric(float64(ours.Load())/float64(turns), "share")
			b.ReportMetric(float64(slices.Max(worst).Microseconds())/1000, "worst-ms")
		})
	}
}

func BenchmarkSemaphore(b *testing.B) {
	s, err := shared.NewSemaphore(1, false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Acquire(context.Background())
		s.Return(0)
	}
}

func BenchmarkEvent(b *testing.B) {
	e, err := shared.NewEvent()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e.Set()
		e.Clear()
	}
}

func BenchmarkBarrier(b *testing.B) {
	r, err := shared.NewBarrier(1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r.Wait(context.Background(), nil)
	}
}
