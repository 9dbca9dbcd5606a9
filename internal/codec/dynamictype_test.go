package codec_test

import (
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// arrays returns a message with a type that no process has, as a hostile process
// would send it: a valid message in which the length of the array is changed.
func arrays(t *testing.T, n int) []byte {
	t.Helper()
	message := encoded[any](t, [...]int8{1, 2})
	if message[1] != 2 {
		t.Fatalf("% x", message)
	}
	return append([]byte{message[0], 0x80 | byte(n&0x7f), byte(n >> 7), message[2]}, make([]byte, n)...)
}

// TestRareTypesDoNotCrowdOutOthers must not run beside others.
func TestRareTypesDoNotCrowdOutOthers(t *testing.T) {
	before := codec.SetMaxRare(0)
	t.Cleanup(func() { codec.SetMaxRare(before) })
	refused := func(message []byte) bool {
		var v any
		err := codec.Decode(codec.NewReader(message), &v)
		if err != nil && !strings.Contains(err.Error(), "too many different types") {
			t.Error(err)
		}
		return err != nil
	}
	if !refused(arrays(t, 1001)) {
		t.Error("the limit is not kept")
	}
	// Frequent types and types that this process has are never refused.
	type strange map[uint16]map[int8][]int16
	for _, v := range []any{
		[]int16{1}, map[string]uint16{"a": 1}, []map[string]int16{{"a": 1}}, map[string][]*int8{}, [3]int16{1, 2, 3},
		[7]map[string]uint32{}, map[uint16]map[int16][]int8{}, map[uint16]map[int8][]int16{},
	} {
		roundTrip(t, v)
	}
	roundTrip(t, strange{})
	// Once there is room again, they arrive, and keep arriving.
	codec.SetMaxRare(1 << 20)
	if refused(arrays(t, 1003)) {
		t.Error("refused within the limit")
	}
	codec.SetMaxRare(0)
	if refused(arrays(t, 1003)) {
		t.Error("a type that is known was refused")
	}
}

// TestEachKindOfRareTypeHasItsOwnLimit must not run beside others.
func TestEachKindOfRareTypeHasItsOwnLimit(t *testing.T) {
	before := codec.SetMaxRare(1 << 20)
	t.Cleanup(func() { codec.SetMaxRare(before) })
	others, withArrays := codec.Rare()
	decode := func(message []byte) {
		var v any
		if err := codec.Decode(codec.NewReader(message), &v); err != nil {
			t.Error(err)
		}
	}
	for n := range 5 {
		decode(arrays(t, 2001+n))
	}
	if o, a := codec.Rare(); o != others || a > withArrays+5 {
		t.Errorf("%d and %d, before %d and %d", o, a, others, withArrays)
	}
}
