package main

import (
	"context"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp"
)

func TestMain(m *testing.M) {
	mp.Main()
	os.Exit(m.Run())
}

func newPool(b *testing.B) *mp.Pool {
	b.Helper()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Terminate)
	return pool
}

func BenchmarkStart(b *testing.B) {
	if _, err := measureStart(context.Background(), b.N); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkApply(b *testing.B) {
	pool := newPool(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if out, err := mp.Apply(b.Context(), pool, increment, i); err != nil || out != i+1 {
			b.Fatal(out, err)
		}
	}
}

// BenchmarkApplyAsync is for one task of b.N that are submitted at once.
func BenchmarkApplyAsync(b *testing.B) {
	pool := newPool(b)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := asyncOnce(context.Background(), pool, b.N); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMap is for one task of a Map of b.N.
func BenchmarkMap(b *testing.B) { benchmarkMap(b) }

// BenchmarkMapChunk1 is that for tasks that are handed over one at a time.
func BenchmarkMapChunk1(b *testing.B) { benchmarkMap(b, mp.Chunk(1)) }

func benchmarkMap(b *testing.B, opts ...mp.TaskOption) {
	pool := newPool(b)
	inputs := ints(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := mapOnce(context.Background(), pool, inputs, opts...); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkImap is for one task of an Imap of b.N.
func BenchmarkImap(b *testing.B) {
	pool := newPool(b)
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for out, err := range mp.Imap(context.Background(), pool, increment, endless) {
		if n++; err != nil || out != n {
			b.Fatal(out, err)
		}
		if n == b.N {
			break
		}
	}
}

func BenchmarkFloats100MB(b *testing.B) {
	pool := newPool(b)
	data := floats(12_500_000)
	b.SetBytes(int64(8 * len(data)))
	for b.Loop() {
		if n, err := mp.Apply(b.Context(), pool, length, data); err != nil || n != len(data) {
			b.Fatal(n, err)
		}
	}
}
