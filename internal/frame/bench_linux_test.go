package frame_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
)

func BenchmarkSocketRead(bench *testing.B) {
	a, b := socketPair(bench)
	r := frame.NewReader(fdpass.NewSocket(b))
	m := frameOf(100)
	bench.ReportAllocs()
	for bench.Loop() {
		frame.Write(a, 1, m)
		if _, _, err := r.Next(1000); err != nil {
			bench.Fatal(err)
		}
	}
}

func BenchmarkFileRead(bench *testing.B) {
	a, b := socketPair(bench)
	r := frame.NewReader(b)
	m := frameOf(100)
	bench.ReportAllocs()
	for bench.Loop() {
		frame.Write(a, 1, m)
		if _, _, err := r.Next(1000); err != nil {
			bench.Fatal(err)
		}
	}
}
