package codec_test

import (
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// ring can refer to itself in every possible way.
type ring struct {
	Self  *ring
	Map   map[string]*ring
	Slice []ring
	Any   any
	Texts []string
}

type mapOfItself map[string]mapOfItself

type sliceOfItself []sliceOfItself

func TestCyclesAreRefused(t *testing.T) {
	t.Parallel()
	cycle := func(name string, e *codec.Error) {
		t.Helper()
		if !strings.HasPrefix(e.Reason, "cycle") || !strings.HasPrefix(e.Path, "in") || len(e.Path) > 1000 {
			t.Errorf("%s: %v", name, e)
		}
	}
	pointer := &ring{}
	pointer.Self = pointer
	cycle("pointer", refusal(t, pointer))

	viaMap := &ring{Map: map[string]*ring{}}
	viaMap.Map["x"] = viaMap
	cycle("map", refusal(t, viaMap))

	viaSlice := &ring{Slice: make([]ring, 2)}
	viaSlice.Slice[1].Slice = viaSlice.Slice
	cycle("slice", refusal(t, viaSlice))

	viaAny := &ring{}
	viaAny.Any = []any{viaAny}
	cycle("interface", refusal(t, viaAny))

	anys := []any{nil}
	anys[0] = anys
	cycle("anys", refusal(t, anys))

	m := map[string]any{}
	m["m"] = m
	cycle("map of any", refusal(t, m))

	itself := mapOfItself{}
	itself["x"] = itself
	cycle("mapOfItself", refusal(t, itself))

	slice := sliceOfItself{nil}
	slice[0] = slice
	cycle("sliceOfItself", refusal(t, slice))

	back := &ring{Self: &ring{Self: &ring{}}}
	back.Self.Self.Any = back
	cycle("long way back", refusal(t, back))

	long := listOf(20_000)
	last := long
	for last.Next != nil {
		last = last.Next
	}
	last.Next = long
	cycle("long list", refusal(t, long))
}

func TestWhatOnlyLooksLikeACycleArrives(t *testing.T) {
	t.Parallel()
	// Beyond the depth at which nodes are remembered, the same pointer is met
	// repeatedly, but never on the way to itself.
	shared := &ring{Texts: []string{"x"}}
	v := &ring{}
	for range 2_000 {
		v = &ring{Self: v, Any: shared, Map: map[string]*ring{"a": shared, "b": shared}, Slice: []ring{{Texts: shared.Texts}}}
	}
	got := decoded[*ring](t, encoded(t, v), false)
	depth := 0
	for ; got != nil; got = got.Self {
		depth++
	}
	if depth != 2_001 {
		t.Errorf("%d levels arrived", depth)
	}
}

func TestValuesThatAreTooDeepAreRefused(t *testing.T) {
	t.Parallel()
	if e := refusal(t, listOf(60_000)); !strings.Contains(e.Reason, "deeper") {
		t.Errorf("got %v", e)
	}
	var v any
	for range 60_000 {
		v = []any{v}
	}
	if e := refusal(t, v); !strings.Contains(e.Reason, "deeper") {
		t.Errorf("got %v", e)
	}
}

func TestABufferIsUsableAfterARefusal(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	v := &ring{}
	v.Self = v
	for range 3 {
		if err := codec.Encode(&b, "in", &v); err == nil {
			t.Fatal("a cycle was accepted")
		}
		b.Reset()
	}
	deep := listOf(40_000)
	if err := codec.Encode(&b, "in", &deep); err != nil {
		t.Fatal(err)
	}
}

func TestMaxStopsSharedDiamonds(t *testing.T) {
	t.Parallel()
	var top *diamond
	for range 60 {
		top = &diamond{top, top}
	}
	b := codec.Buffer{Max: 1 << 20}
	if err := codec.Encode(&b, "in", &top); err == nil || !strings.Contains(err.Error(), "limit") || b.Len() > 2<<20 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}

// heavy is a node of a cycle, with many bytes to encode on the way round.
type heavy struct {
	Rows []string
	Next *heavy
}

// heavyCycle returns a list of lead nodes that ends in a cycle of around nodes.
func heavyCycle(lead, around int) *heavy {
	rows := make([]string, 100)
	first := &heavy{Rows: rows}
	last := first
	var entry *heavy
	for i := range lead + around - 1 {
		if i == lead-1 {
			entry = last
		}
		last.Next = &heavy{Rows: rows}
		last = last.Next
	}
	if entry != nil {
		last.Next = entry.Next
	} else {
		last.Next = first
	}
	return first
}

// At most a few times the size of the nodes is written before a cycle is found.
func TestACycleIsFoundBeforeMuchIsWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ lead, around, most int }{
		{0, 1, 6}, {0, 2, 8}, {0, 10, 30}, {3, 1, 10}, {0, 1000, 1100}, {300, 7, 600}, {900, 1000, 3100}, {33_000, 1, 37_000},
	} {
		var b codec.Buffer
		v := heavyCycle(test.lead, test.around)
		err := codec.Encode(&b, "in", &v)
		if err == nil || !strings.Contains(err.Error(), "cycle") || b.Len() > int64(test.most)*110 {
			t.Errorf("%d, %d: %d bytes, %v", test.lead, test.around, b.Len(), err)
		}
	}
}

// chain has a pointer to a number at its end.
type chain struct {
	Number *int
	Next   *chain
}

// A value that is not too deep to be sent is not too deep to arrive.
func TestBothSidesAllowTheSameDepth(t *testing.T) {
	t.Parallel()
	var c *chain
	var l *list
	for n := range 50_010 {
		c, l = &chain{Next: c}, &list{Next: l}
		if n == 0 {
			c.Number = new(int)
		}
		if n < 49_990 {
			continue
		}
		var b codec.Buffer
		var got *chain
		if codec.Encode(&b, "in", &c) == nil {
			if err := codec.Decode(codec.NewReader(b.Bytes()), &got); err != nil {
				t.Fatalf("a chain of %d: %v", n+1, err)
			}
		}
		b.Reset()
		if codec.EncodeSlice(&b, "in", []*list{l}) == nil {
			if _, err := codec.DecodeSlice[*list](codec.NewReader(b.Bytes()), 1); err != nil {
				t.Fatalf("a list of %d: %v", n+1, err)
			}
		}
	}
}
