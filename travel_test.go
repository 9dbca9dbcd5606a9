package mp_test

import (
	"context"
	"errors"
	"io"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type (
	travelKey struct {
		A int
		B string
	}
	travelEmbedded struct{ Deep, hidden int }
	travelAll      struct {
		travelEmbedded
		*travelKey
		Bool    bool
		I8      int8
		U64     uint64
		F32     float32
		Complex complex128
		Str     string
		Nil     []int
		Empty   []int
		Map     map[travelKey][]string
		NilMap  map[string]int
		NoMap   map[string]int
		Any     []any
		Time    time.Time
		Addr    netip.AddrPort
		Big     *big.Int
		URL     *url.URL
		Err     travelShape
		Array   [3]travelKey
		Tagged  string `json:"-" gob:"-"`
		private map[string]*travelKey
		_       int
	}
	travelShape interface{ Area() float64 }
	travelRound struct{ R float64 }
	travelList  struct {
		N    int
		Next *travelList
	}
)

func (r travelRound) Area() float64 { return math.Pi * r.R * r.R }

func init() {
	mp.RegisterType[travelRound]("travel/round")
	mp.RegisterType[travelKey]("travel/key")
}

var (
	travelEchoAll   = testkit.Echo[travelAll]("all")
	travelEchoAny   = testkit.Echo[any]("any")
	travelEchoList  = testkit.Echo[*travelList]("list")
	travelEchoBytes = testkit.Echo[[]byte]("bytes")
	travelEchoInts  = testkit.Echo[[]int]("ints")
	travelEchoNone  = testkit.Echo[mp.None]("none")
	travelEchoPtr   = testkit.Echo[**int]("ptr")
)

func TestValuesOfAllTypes(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("Somewhere", 3*3600+1)
	testkit.Same(t, travelEchoAll, travelAll{})
	testkit.Same(t, travelEchoAll, travelAll{
		travelEmbedded: travelEmbedded{1, 2}, travelKey: &travelKey{3, "k"},
		Bool: true, I8: -128, U64: math.MaxUint64, F32: math.SmallestNonzeroFloat32, Complex: complex(1, math.Inf(-1)),
		Str: "\x00\xffü", Empty: []int{}, Map: map[travelKey][]string{{1, "a"}: {"x"}, {2, "b"}: nil, {3, "c"}: {}},
		NoMap: map[string]int{}, Any: []any{nil, 1, int8(1), "s", 1.5, []any{travelKey{1, "x"}, &travelKey{2, "y"}}, map[string]any{"k": []int{1}}},
		Time: time.Date(2026, 2, 3, 4, 5, 6, 789012345, zone), Addr: netip.MustParseAddrPort("[fe80::1%eth0]:80"),
		Big: new(big.Int).Lsh(big.NewInt(-3), 1000), URL: &url.URL{Scheme: "https", User: url.UserPassword("u", "p"), Host: "h", Path: "/a b"},
		Err: travelRound{2}, Array: [3]travelKey{{1, "1"}, {}, {3, "3"}}, Tagged: "kept",
		private: map[string]*travelKey{"n": nil, "v": {1, "v"}},
	})
}

func TestValuesInInterfaces(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		nil, true, 1, int16(-3), uint8(7), 1.5, float32(2), "s", complex64(1i), []byte("b"), []string(nil), []string{},
		time.Second, time.Unix(1, 2).UTC(), map[string]any{"a": map[int]bool{1: true}}, travelRound{3}, &travelRound{4}, [2]travelKey{},
	} {
		testkit.Same(t, travelEchoAny, v)
	}
}

func TestValuesNotANumber(t *testing.T) {
	t.Parallel()
	got, err := mp.Call(testkit.Ctx(t), travelEchoAny, any([]float64{math.NaN(), math.Copysign(0, -1)}))
	if f, ok := got.([]float64); err != nil || !ok || !math.IsNaN(f[0]) || !math.Signbit(f[1]) {
		t.Error(got, err)
	}
}

func TestValuesLongList(t *testing.T) {
	t.Parallel()
	var l *travelList
	for i := range 1000 {
		l = &travelList{i, l}
	}
	testkit.Same(t, travelEchoList, l)
}

func TestValuesOfAnySize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 65519, 65520, 65536, 1 << 20, 33<<20 + 1} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i * i >> 3)
		}
		testkit.Same(t, travelEchoBytes, b)
	}
	testkit.Same(t, travelEchoBytes, nil)
	ints := make([]int, 200_000)
	for i := range ints {
		ints[i] = -i
	}
	testkit.Same(t, travelEchoInts, ints)
}

func TestValuesOfNothing(t *testing.T) {
	t.Parallel()
	testkit.Same(t, travelEchoNone, mp.None{})
	n := 7
	p, null := &n, (*int)(nil)
	testkit.Same(t, travelEchoPtr, &p)
	testkit.Same(t, travelEchoPtr, &null)
	testkit.Same(t, travelEchoPtr, nil)
}

// TestValuesAreCopies: the other process changes its own.
func TestValuesAreCopies(t *testing.T) {
	t.Parallel()
	in := map[string][]int{"a": {1, 2}}
	out, err := mp.Call(testkit.Ctx(t), travelChange, in)
	if err != nil || out["a"][0] != 100 || in["a"][0] != 1 || len(in) != 1 || travelGlobal != 0 {
		t.Error(in, out, travelGlobal, err)
	}
}

var travelGlobal int

var travelChange = mp.Register("travel/change", func(_ context.Context, m map[string][]int) (map[string][]int, error) {
	travelGlobal = 1
	m["a"][0] = 100
	m["b"] = nil
	return m, nil
})

// TestValuesWithAnError: an error is the outcome, whatever else is returned.
func TestValuesWithAnError(t *testing.T) {
	t.Parallel()
	got, err := mp.Call(testkit.Ctx(t), travelBoth, mp.None{}, mp.ProcessConfig{Stderr: io.Discard})
	if got != 0 || !errors.Is(err, io.EOF) {
		t.Error(got, err)
	}
}

var travelBoth = mp.Register("travel/both", func(context.Context, mp.None) (int, error) { return 7, io.EOF })
