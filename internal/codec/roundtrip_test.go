package codec_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

func TestNumbersAndStringsArrive(t *testing.T) {
	t.Parallel()
	roundTrip(t, int64(math.MinInt64))
	roundTrip(t, uint64(math.MaxUint64))
	roundTrip(t, int8(-128))
	roundTrip(t, uintptr(12345))
	roundTrip(t, true)
	roundTrip(t, float32(1.5))
	roundTrip(t, complex(1, -2))
	roundTrip(t, complex64(complex(3, 4)))
	roundTrip(t, "")
	roundTrip(t, "grüße\x00\xff")
	roundTrip(t, ints{A: -1, B: -2, C: -3, D: -4, E: -5, F: 6, G: 7, H: 8, I: 9, J: 10, K: 11, L: 1.5, M: -2.5, N: 1i, O: 2i, P: true, Q: [3]bool{true, false, true}})
}

func TestFloatsArriveBitForBit(t *testing.T) {
	t.Parallel()
	for _, bits := range []uint64{0, 1 << 63, 0x7ff8000000000001, 0xfff0000000000000, 0x7ff4000000000123, 1} {
		f := math.Float64frombits(bits)
		if got := math.Float64bits(decoded[float64](t, encoded(t, f), false)); got != bits {
			t.Errorf("%x arrived as %x", bits, got)
		}
		if got := decoded[any](t, encoded[any](t, f), false); math.Float64bits(got.(float64)) != bits {
			t.Errorf("%x in an any arrived as %v", bits, got)
		}
		if got := decoded[[]float64](t, encoded(t, []float64{f}), false); math.Float64bits(got[0]) != bits {
			t.Errorf("%x in a slice arrived as %v", bits, got)
		}
	}
}

func TestNilAndEmptyAreKeptApart(t *testing.T) {
	t.Parallel()
	type both struct {
		NilBytes, NoBytes []byte
		NilText, NoText   []string
		NilMap, NoMap     map[string]int
		NilNone, None     []struct{}
		Nil, Zero         *int
		NilDeep, Deep     **int
		NilAny            any
		TypedNil          any
		NilSlice          any
		NoSlice           any
	}
	got := roundTrip(t, both{
		NoBytes: []byte{}, NoText: []string{}, NoMap: map[string]int{}, None: []struct{}{}, Zero: new(int), Deep: new(*int),
		TypedNil: (*int)(nil), NilSlice: []int(nil), NoSlice: []int{},
	})
	if got.NilBytes != nil || got.NoBytes == nil || got.NilNone != nil || got.None == nil || got.NilText != nil || got.NoText == nil {
		t.Errorf("nil and empty are mixed up: %#v", got)
	}
}

func TestOldContentsAreReplaced(t *testing.T) {
	t.Parallel()
	message := encoded(t, everything{Text: "new"})
	got := everything{
		Text: "old", Bytes: []byte("old"), Floats: []float64{1}, Points: map[point]string{{}: "old"}, Any: 1, Anys: []any{1},
		Pointer: new(int), List: listOf(3), Int: big.NewInt(1), Self: selfMade{"old"}, Nothing: make([]struct{}, 3),
		Arrays: [2][2]string{{"old"}}, Stringer: named{}, URL: &url.URL{Host: "old"}, Texts: []string{"old"},
	}
	if err := codec.Decode(codec.NewReader(message), &got); err != nil {
		t.Fatal(err)
	}
	if want := (everything{Text: "new"}); !reflect.DeepEqual(got, want) {
		t.Errorf("arrived %#v", got)
	}
}

func TestLongSlicesArrive(t *testing.T) {
	t.Parallel()
	numbers, texts := make([]int, 200_000), make([]string, 200_000)
	for i := range numbers {
		numbers[i], texts[i] = i*i, fmt.Sprint("text ", i)
	}
	roundTrip(t, numbers)
	got := roundTrip(t, texts)
	if cap(got) != len(got) {
		t.Errorf("the slice has capacity %d for %d elements", cap(got), len(got))
	}
	roundTrip(t, map[string]any{"numbers": numbers, "texts": texts})
	roundTrip(t, strings.Repeat("long ", 50_000))
}

func TestBlocksOfEverySizeArrive(t *testing.T) {
	t.Parallel()
	type blocks struct {
		Odd    string
		Bytes  []byte
		Words  []uint64
		Bools  []bool
		Text   string
		Points []point
		Pairs  [][2]complex128
	}
	for _, size := range []int{0, 1, 7, 8, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 100_000} {
		v := blocks{
			Odd: "odd", Bytes: bytes.Repeat([]byte{7}, size), Words: make([]uint64, size/8), Bools: make([]bool, size),
			Text: strings.Repeat("t", size), Points: make([]point, size/8), Pairs: make([][2]complex128, size/32),
		}
		for i := range v.Words {
			v.Words[i], v.Bools[i] = uint64(i), i%3 == 0
		}
		roundTrip(t, v)
	}
}

func TestCapacityDoesNotTravel(t *testing.T) {
	t.Parallel()
	got := roundTrip(t, make([]string, 1, 1000))
	if cap(got) != 1 {
		t.Errorf("the capacity is %d", cap(got))
	}
}

func TestDeepListsArrive(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 1_000, 10_000, 49_000} {
		got := decoded[*list](t, encoded(t, listOf(n)), false)
		count := 0
		for node := got; node != nil; node = node.Next {
			if count++; node.Value != n-count {
				t.Fatalf("node %d of %d holds %d", count, n, node.Value)
			}
		}
		if count != n {
			t.Fatalf("%d of %d nodes arrived", count, n)
		}
	}
	var nested any = "bottom"
	for range 10_000 {
		nested = []any{map[string]any{"down": nested}}
	}
	roundTrip(t, nested)
}

func TestMapsOfAllKeysArrive(t *testing.T) {
	t.Parallel()
	roundTrip(t, map[point]string{{1, 2}: "a", {}: "b"})
	roundTrip(t, map[[2]string]int{{"a", "b"}: 1, {}: 2})
	roundTrip(t, map[any]any{1: "int", "1": 1, 1.5: nil, point{1, 2}: []any{}, [2]int{1, 2}: true, nil: nil, int8(1): int8(2)})
	roundTrip(t, map[fmt.Stringer]int{named{Text: "x"}: 1, nil: 2})
	roundTrip(t, map[struct{}]int{{}: 7})
	roundTrip(t, map[struct{}]struct{}{{}: {}})
	roundTrip(t, map[bool][]string{true: nil, false: {}})
	roundTrip(t, map[netip.Addr]*point{netip.MustParseAddr("1.2.3.4"): {1, 2}})
	roundTrip(t, map[string]map[string]map[string]int{"a": {"b": {"c": 1}}, "d": nil})
	large := make(map[int]string)
	for i := range 10_000 {
		large[i] = fmt.Sprint(i)
	}
	roundTrip(t, large)
}

func TestNaNKeysArrive(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	got := decoded[map[float64]string](t, encoded(t, map[float64]string{nan: "a", -nan: "b", 1: "c"}), false)
	seen := make(map[string]int)
	for key, elem := range got {
		if elem != "c" && !math.IsNaN(key) {
			t.Errorf("key %v has element %q", key, elem)
		}
		seen[elem]++
	}
	if len(got) != 3 || len(seen) != 3 {
		t.Errorf("arrived %v", got)
	}
}

func TestManyZeroSizeElementsAreCheap(t *testing.T) {
	t.Parallel()
	many := make([]struct{}, math.MaxInt)
	got := decoded[[]struct{}](t, encoded(t, many), false)
	if len(got) != len(many) {
		t.Errorf("%d elements arrived", len(got))
	}
	roundTrip(t, []*struct{}{{}, nil})
	roundTrip(t, [][0]string{{}, {}})
	roundTrip(t, [3]struct{}{})
}

func TestSharedPointersArriveAsCopies(t *testing.T) {
	t.Parallel()
	shared := &point{1, 2}
	got := roundTrip(t, []*point{shared, shared})
	if got[0] == got[1] {
		t.Error("the pointers are still shared")
	}
}

func TestSlicesOfValues(t *testing.T) {
	t.Parallel()
	words := make([]uint64, 20_000)
	for i := range words {
		words[i] = uint64(i)
	}
	for _, copied := range []bool{false, true} {
		b := codec.Buffer{Copy: copied}
		b.Byte(1) // so that the elements do not begin at a multiple of eight
		if err := codec.EncodeSlice(&b, "in", words); err != nil {
			t.Fatal(err)
		}
		if err := codec.EncodeSlice(&b, "in", []string{"a", "", "c"}); err != nil {
			t.Fatal(err)
		}
		if err := codec.EncodeSlice(&b, "in", []point(nil)); err != nil {
			t.Fatal(err)
		}
		message := bytes.Clone(b.Bytes())
		for _, alias := range []bool{false, true} {
			r := codec.NewReader(message)
			r.Alias = alias
			r.Byte()
			gotWords, err := codec.DecodeSlice[uint64](r, len(words))
			if err != nil || !reflect.DeepEqual(gotWords, words) {
				t.Fatalf("DecodeSlice: %v", err)
			}
			texts, err := codec.DecodeSlice[string](r, 3)
			if err != nil || !reflect.DeepEqual(texts, []string{"a", "", "c"}) {
				t.Fatalf("DecodeSlice: %q, %v", texts, err)
			}
			points, err := codec.DecodeSlice[point](r, 0)
			if err != nil || len(points) != 0 || r.Done() != nil {
				t.Fatalf("DecodeSlice: %v, %v, %v", points, err, r.Done())
			}
			gotWords[5] = 77
			if shares := bytes.Contains(message, []byte{77, 0, 0, 0, 0, 0, 0, 0, 6}); shares != alias {
				t.Errorf("with Alias %v the message is shared: %v", alias, shares)
			}
		}
	}
}

func TestValuesOfTypesKnownAtRunTime(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	sent := map[string]any{"a": []any{1, "x"}}
	if err := codec.EncodeValue(&b, "in", reflect.ValueOf(sent)); err != nil {
		t.Fatal(err)
	}
	if err := codec.EncodeValue(&b, "in", reflect.ValueOf(&sent).Elem()); err != nil {
		t.Fatal(err)
	}
	r := codec.NewReader(b.Bytes())
	for range 2 {
		got := reflect.New(reflect.TypeOf(sent)).Elem()
		if err := codec.DecodeValue(r, got); err != nil || !reflect.DeepEqual(got.Interface(), sent) {
			t.Fatalf("arrived %v, %v", got, err)
		}
	}
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	if codec.EncodeValue(&b, "in", reflect.Value{}) == nil || codec.DecodeValue(r, reflect.ValueOf(1)) == nil {
		t.Error("an invalid value was accepted")
	}
}
