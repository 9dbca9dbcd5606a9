package codec_test

import (
	"io"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

type small struct {
	A int64
	B float64
	C bool
	D [4]int16
}

type record struct {
	ID     int64
	Name   string
	Score  float64
	Series []float64
	Counts map[string]int
}

func benchmarkValue[T any](b *testing.B, v T) {
	var buffer codec.Buffer
	var r codec.Reader
	var got T
	b.ReportAllocs()
	for b.Loop() {
		buffer.Reset()
		if err := codec.Encode(&buffer, "in", &v); err != nil {
			b.Fatal(err)
		}
		r.Reset(buffer.Bytes())
		if err := codec.Decode(&r, &got); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInt64(b *testing.B) { benchmarkValue(b, int64(5)) }
func BenchmarkSmall(b *testing.B) { benchmarkValue(b, small{A: 1}) }
func BenchmarkText(b *testing.B)  { benchmarkValue(b, "a short text") }
func BenchmarkList(b *testing.B)  { benchmarkValue(b, listOf(1000)) }
func BenchmarkTexts(b *testing.B) { benchmarkValue(b, make([]string, 1000)) }

func BenchmarkRecord(b *testing.B) {
	benchmarkValue(b, record{1, "a name", 2.5, make([]float64, 10), map[string]int{"a": 1, "b": 2, "c": 3}})
}

func BenchmarkObject(b *testing.B) {
	benchmarkValue[any](b, map[string]any{"id": 1, "name": "a name", "score": 2.5, "tags": []any{"x", "y"}})
}

func BenchmarkInt64Encode(b *testing.B) {
	var buffer codec.Buffer
	v := int64(5)
	b.ReportAllocs()
	for b.Loop() {
		buffer.Reset()
		_ = codec.Encode(&buffer, "in", &v)
	}
}

func BenchmarkInt64Decode(b *testing.B) {
	message := encoded(b, int64(5))
	var r codec.Reader
	var v int64
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(message)
		_ = codec.Decode(&r, &v)
	}
}

func benchmarkFloats(b *testing.B, n int) {
	floats := make([]float64, n)
	var buffer codec.Buffer
	b.SetBytes(int64(8 * n))
	b.ReportAllocs()
	for b.Loop() {
		buffer.Reset()
		if err := codec.Encode(&buffer, "in", &floats); err != nil {
			b.Fatal(err)
		}
		if _, err := buffer.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloats100k(b *testing.B)  { benchmarkFloats(b, 100_000) }
func BenchmarkFloats100MB(b *testing.B) { benchmarkFloats(b, 12_500_000) }

func benchmarkFloatsDecode(b *testing.B, n int, alias bool) {
	message := encoded(b, make([]float64, n))
	var r codec.Reader
	r.Alias = alias
	var v []float64
	b.SetBytes(int64(8 * n))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(message)
		if err := codec.Decode(&r, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloats100kDecode(b *testing.B)       { benchmarkFloatsDecode(b, 100_000, false) }
func BenchmarkFloats100MBDecode(b *testing.B)      { benchmarkFloatsDecode(b, 12_500_000, false) }
func BenchmarkFloats100MBDecodeAlias(b *testing.B) { benchmarkFloatsDecode(b, 12_500_000, true) }
