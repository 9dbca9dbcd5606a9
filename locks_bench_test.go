//go:build linux

package mp_test

import (
	"context"
	"testing"

	"github.com/gomultiprocessing/mp"
)

func BenchmarkLock(b *testing.B) {
	l := must1(mp.NewLock())(b)
	for b.Loop() {
		h, _ := l.Acquire(context.Background())
		h.Release()
	}
}

func BenchmarkRLockNested(b *testing.B) {
	r := must1(mp.NewRLock())(b)
	ctx, _, _ := r.Acquire(context.Background())
	for b.Loop() {
		_, h, _ := r.Acquire(ctx)
		h.Release()
	}
}

func BenchmarkSemaphore(b *testing.B) {
	s := must1(mp.NewSemaphore(1))(b)
	for b.Loop() {
		h, _ := s.Acquire(context.Background())
		h.Release()
	}
}
