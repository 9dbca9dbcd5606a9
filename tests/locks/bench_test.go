//go:build linux

package locks_test

import (
	"context"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func BenchmarkLock(b *testing.B) {
	l := testkit.Must(mp.NewLock())(b)
	for b.Loop() {
		h, _ := l.Acquire(context.Background())
		h.Release()
	}
}

func BenchmarkRLockNested(b *testing.B) {
	r := testkit.Must(mp.NewRLock())(b)
	ctx, _, _ := r.Acquire(context.Background())
	for b.Loop() {
		_, h, _ := r.Acquire(ctx)
		h.Release()
	}
}

func BenchmarkSemaphore(b *testing.B) {
	s := testkit.Must(mp.NewSemaphore(1))(b)
	for b.Loop() {
		h, _ := s.Acquire(context.Background())
		h.Release()
	}
}
