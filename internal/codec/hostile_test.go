package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"pgregory.net/rapid"
)

// attempt decodes p as a T and, if that succeeds, encodes it again.
func attempt[T any](tb testing.TB, p []byte) {
	tb.Helper()
	for _, alias := range []bool{false, true} {
		if alias {
			p = bytes.Clone(p) // the decoded value may share it
		}
		r := codec.NewReader(p)
		r.Alias = alias
		var v T
		if err := codec.Decode(r, &v); err != nil {
			if _, ok := errors.AsType[*codec.DecodeError](err); !ok || r.Err() != err {
				tb.Fatalf("%T: an unexpected kind of error: %v (%v)", v, err, r.Err())
			}
			continue
		}
		var b codec.Buffer
		if err := codec.Encode(&b, "in", &v); err != nil {
			tb.Fatalf("%T: what was decoded cannot be encoded: %v", v, err)
		}
	}
}

// targets are the types that hostile bytes are decoded as.
var targets = map[string]func(testing.TB, []byte){
	"everything": attempt[everything],
	"any":        attempt[any],
	"anys":       attempt[map[any][]any],
	"tree":       attempt[tree],
	"list":       attempt[*list],
	"ints":       attempt[[]ints],
	"texts":      attempt[map[string][]string],
	"empty":      attempt[map[struct{}]struct{}],
	"emptys":     attempt[[]*struct{}],
	"nothing":    attempt[[]struct{}],
	"time":       attempt[[]time.Time],
	"places":     attempt[[]*time.Location],
	"nested":     attempt[[][][][][]string],
	"big":        attempt[map[netip.Addr]*big.Float],
	"slice": func(tb testing.TB, p []byte) {
		attemptSlice[string](p)
		attemptSlice[uint32](p)
		attemptSlice[struct{}](p)
	},
}

func attemptSlice[T any](p []byte) {
	r := codec.NewReader(p)
	n := int(r.Uvarint())
	_, _ = codec.DecodeSlice[T](r, n)
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, everything{}))
	f.Add(encoded(f, everything{Any: []any{1, "x", map[string]any{"k": 1.5}}, List: listOf(3), Tree: tree{Children: []tree{{Name: "c"}}}, Int: big.NewInt(5)}))
	f.Add(encoded[any](f, map[string]any{"a": []any{1, nil, time.Unix(1, 2), named{"n", 1}}, "b": [3]int{1, 2, 3}, "c": map[point]*int{{1, 2}: nil}}))
	f.Add(encoded(f, []time.Time{{}, time.Unix(1, 2), time.Unix(3, 4).In(time.FixedZone("x", 5)), time.Unix(5, 6).In(new(time.Location))}))
	f.Add(encoded(f, map[any][]any{1: {2}, point{}: nil}))
	f.Add(encoded(f, map[string][]string{"a": {"b"}}))
	f.Fuzz(func(t *testing.T, p []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, target := range targets {
			target(t, p)
		}
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(8<<20+2000*len(p)); took > most {
			t.Errorf("%d bytes made the decoders take %d", len(p), took)
		}
	})
}

// This test must not run beside others: it measures allocations.
func TestHugeCountsTakeLittleMemory(t *testing.T) {
	for _, count := range []uint64{1 << 20, 1 << 32, 1 << 60, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		p := append(binary.AppendUvarint(nil, count), make([]byte, 100)...)
		for name, target := range targets {
			if name == "nothing" && count < 1<<63 {
				continue // such a number of elements of size zero is valid
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			target(t, p)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 500_000 {
				t.Errorf("%s: a count of %d took %d bytes", name, count, took)
			}
		}
	}
}

func TestTruncatedMessagesAreShort(t *testing.T) {
	t.Parallel()
	message := encoded(t, everything{Text: "text", Bytes: []byte("bytes"), Anys: []any{1, named{"n", 2}}, Int: big.NewInt(1), List: listOf(3), Time: time.Unix(1, 2).In(time.FixedZone("z", 1))})
	for cut := range len(message) {
		var v everything
		if err := codec.Decode(codec.NewReader(message[:cut]), &v); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v", cut, len(message), err)
		}
	}
}

// The fuzzer seldom gets far into a large type, so this test damages valid
// messages.
func TestDamagedMessagesDoNoHarm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		message := encoded(rt, genEverything().Draw(rt, "everything"))
		object := encoded[any](rt, map[string]any{"x": genAny(3).Draw(rt, "any")})
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		for range 100 {
			attempt[everything](t, damage(random, message))
			attempt[any](t, damage(random, object))
		}
	})
}

// damage returns a copy of p with a few bytes changed, removed or inserted.
func damage(random *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(p))
		switch random.IntN(4) {
		case 0:
			p[at] ^= 1 << random.IntN(8)
		case 1:
			p[at] = []byte{0, 1, 2, 0x7f, 0x80, 0x83, 0x84, 0xff}[random.IntN(8)]
		case 2:
			p = append(p[:at:at], p[min(len(p)-1, at+random.IntN(4)):]...)
		case 3:
			p = slices.Insert(p, at, p[at/2:min(at/2+1+random.IntN(8), len(p))]...)
		}
	}
	return p
}

func TestArraysThatCostTimeForNothingAreRefused(t *testing.T) {
	t.Parallel()
	// Hashing [1<<30]struct{} takes seconds, and one such key would be five bytes.
	message := encoded[any](t, map[[3]struct{ A, B int }]int{})
	message = bytes.ReplaceAll(message, []byte{0x81, 3}, append([]byte{0x81}, binary.AppendUvarint(nil, 1<<30)...))
	var v any
	if err := codec.Decode(codec.NewReader(message), &v); err == nil {
		t.Errorf("arrived %T", v)
	}
	if e := refusal[any](t, [2]struct{}{}); e.Path != "in" {
		t.Error(e)
	}
	roundTrip[any](t, [1]struct{}{})
}

func TestAMessageThatIsTooDeepIsRefused(t *testing.T) {
	t.Parallel()
	// A million nested []any of one element, and a list of a million nodes.
	var anys, nodes []byte
	for range 1_000_000 {
		anys = append(anys, 0x80, anys0(t), 2)
		nodes = append(nodes, 1)
	}
	attempt[any](t, anys)
	attempt[*list](t, nodes)
	attempt[*****int](t, nodes)
	r := codec.NewReader(nodes)
	var v *list
	if err := codec.Decode(r, &v); err == nil {
		t.Error("a list of a million nodes was decoded")
	}
}

// anys0 returns the tag of any.
func anys0(t *testing.T) byte { return encoded[any](t, []any{})[1] }
