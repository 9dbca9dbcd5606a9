package codec_test

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

type (
	diamond struct{ Left, Right *diamond }
	laden   struct {
		Text        string
		Left, Right *laden
	}
	fan    []fan
	sharer struct {
		Number int
		Table  *table
	}
	table struct{ Rows []*row }
	row   struct{ Name string }
)

// explosions returns small values whose messages would grow without bound.
func explosions() map[string]any {
	var d *diamond
	var l *laden
	for range 40 {
		d, l = &diamond{d, d}, &laden{strings.Repeat("x", 1000), l, l}
	}
	f := fan{}
	for range 5 {
		wide := make(fan, 300)
		for i := range wide {
			wide[i] = f
		}
		f = wide
	}
	m := map[string]any{}
	for range 40 {
		m = map[string]any{"l": m, "r": m}
	}
	// Many layers, in which each node points at several nodes of the next layer.
	layer := make([]*diamond, 500)
	for range 40 {
		next := make([]*diamond, len(layer))
		for i := range next {
			next[i] = &diamond{layer[i*7%len(layer)], layer[i*11%len(layer)]}
		}
		layer = next
	}
	return map[string]any{"diamond": &d, "laden": &l, "fan": &f, "map": &m, "layers": &layer}
}

// watchEarly counts visits from the first MiB of a message on, so that tests are quick.
// With MP_LONG=1 it changes nothing.
func watchEarly(t *testing.T) (scale int) {
	if os.Getenv("MP_LONG") != "" {
		return 40
	}
	before := codec.SetCountSharingFrom(1 << 20)
	t.Cleanup(func() { codec.SetCountSharingFrom(before) })
	return 1
}

// This test must not run beside others: it measures allocations.
func TestSharedPointersDoNotExplode(t *testing.T) {
	watchEarly(t)
	for name, v := range explosions() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b := codec.Buffer{Copy: true}
		err := encodeAt(&b, v)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "grows without bound") || !strings.HasPrefix(err.Error(), "mp: in") {
			t.Errorf("%s: %v", name, err)
		}
		if b.Len() > 160<<20 || after.TotalAlloc-before.TotalAlloc > 1<<30 {
			t.Errorf("%s: a message of %d bytes, %d bytes allocated", name, b.Len(), after.TotalAlloc-before.TotalAlloc)
		}
	}
}

// A value in which pointers are shared a few times is large, but ends. This test must not
// run beside others, because visits must not be counted so early in theirs.
func TestHonestLargeValuesArrive(t *testing.T) {
	scale := watchEarly(t)
	shared := &table{}
	for i := range 1000 {
		shared.Rows = append(shared.Rows, &row{fmt.Sprint("row ", i)})
	}
	sharers := make([]sharer, 250*scale)
	byName := make(map[int]*table)
	for i := range sharers {
		sharers[i] = sharer{i, shared}
		byName[i] = shared
	}
	same := make([]*row, 250_000*scale)
	for i := range same {
		same[i] = shared.Rows[0]
	}
	many := make([]any, 200_000*scale)
	for i := range many {
		many[i] = []string{"some", "text"}
	}
	for name, v := range map[string]any{"sharers": &sharers, "same": &same, "map": &byName, "many": &many} {
		var b codec.Buffer
		if err := encodeAt(&b, v); err != nil || b.Len() < int64(scale)<<20 {
			t.Errorf("%s: %d bytes, %v", name, b.Len(), err)
		}
	}
	// As the inputs of one chunk, and repeatedly in one buffer.
	var b codec.Buffer
	if err := codec.EncodeSlice(&b, "in", sharers); err != nil {
		t.Error(err)
	}
	for i := range sharers {
		if err := codec.Encode(&b, "in", &sharers[i]); err != nil {
			t.Fatal(i, err)
		}
	}
}

// encodeAt encodes what v points to.
func encodeAt(b *codec.Buffer, v any) error {
	return codec.EncodeValue(b, "in", reflect.ValueOf(v).Elem())
}

// decodeAt decodes into what v points to.
func decodeAt(r *codec.Reader, v any) error {
	return codec.DecodeValue(r, reflect.ValueOf(v).Elem())
}
