//go:build linux

package shared_test

import (
	"context"
	"testing"

	"github.com/gomultiprocessing/mp/internal/shared"
)

func BenchmarkLock(b *testing.B) {
	l := newBench(b)
	for b.Loop() {
		g, _ := l.Acquire(context.Background())
		l.Release(g.Token)
	}
}

func BenchmarkLockContended(b *testing.B) {
	l := newBench(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			g, _ := l.Acquire(context.Background())
			l.Release(g.Token)
		}
	})
}

func BenchmarkSemaphore(b *testing.B) {
	s, err := shared.NewSemaphore(1, false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Acquire(context.Background())
		s.Return()
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
