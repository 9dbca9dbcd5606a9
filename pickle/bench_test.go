package pickle_test

import (
	"strconv"
	"testing"

	"github.com/gomultiprocessing/mp/pickle"
)

// message is what a client of a manager sends with each put.
var message = pickle.Tuple{"7f3a2c19d0", "put", pickle.Tuple{map[string]any{"name": "resize", "size": 100, "ratio": 0.5}}, map[string]any{}}

func benchmarkMarshal(b *testing.B, v any) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pickle.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkUnmarshal[T any](b *testing.B, v any) {
	data, err := pickle.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var got T
		if err := pickle.Unmarshal(data, &got); err != nil {
			b.Fatal(err)
		}
	}
}

func ints() []int {
	s := make([]int, 10000)
	for i := range s {
		s[i] = i * 7
	}
	return s
}

func strs() []string {
	s := make([]string, 10000)
	for i := range s {
		s[i] = "item " + strconv.Itoa(i)
	}
	return s
}

func BenchmarkMarshalMessage(b *testing.B)  { benchmarkMarshal(b, message) }
func BenchmarkMarshalBytes1MB(b *testing.B) { benchmarkMarshal(b, make([]byte, 1<<20)) }
func BenchmarkMarshalInts10k(b *testing.B)  { benchmarkMarshal(b, ints()) }
func BenchmarkMarshalStrs10k(b *testing.B)  { benchmarkMarshal(b, strs()) }

func BenchmarkUnmarshalMessage(b *testing.B)      { benchmarkUnmarshal[any](b, message) }
func BenchmarkUnmarshalBytes1MB(b *testing.B)     { benchmarkUnmarshal[[]byte](b, make([]byte, 1<<20)) }
func BenchmarkUnmarshalInts10k(b *testing.B)      { benchmarkUnmarshal[any](b, ints()) }
func BenchmarkUnmarshalInts10kTyped(b *testing.B) { benchmarkUnmarshal[[]int](b, ints()) }
func BenchmarkUnmarshalStrs10k(b *testing.B)      { benchmarkUnmarshal[any](b, strs()) }
func BenchmarkUnmarshalStrs10kTyped(b *testing.B) { benchmarkUnmarshal[[]string](b, strs()) }
