package codec_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

type (
	pointerKey struct {
		Name string
		P    *int
	}
	timeKey struct{ At time.Time }
	// blurred keys keep only the number of their letters.
	blurred struct{ text string }
	// sloppy keys differ in the bytes that are sent, but not in what arrives.
	sloppy struct{ text string }
)

func (k blurred) MarshalBinary() ([]byte, error) { return []byte{byte(len(k.text))}, nil }
func (k *blurred) UnmarshalBinary(p []byte) error {
	k.text = strings.Repeat("x", int(p[0]))
	return nil
}
func (k sloppy) MarshalBinary() ([]byte, error)  { return []byte(k.text), nil }
func (k *sloppy) UnmarshalBinary(p []byte) error { k.text = string(p[:1]); return nil }
func (k unequal) MarshalBinary() ([]byte, error) {
	return []byte{byte(math.Float64bits(k.f) >> 56)}, nil
}
func (k *unequal) UnmarshalBinary(p []byte) error { k.f = math.NaN(); return nil }

// unequal is a key that may be unequal to itself.
type unequal struct {
	f float64
	_ *int
}

func TestMapKeysThatCannotArriveEqualAreRefused(t *testing.T) {
	t.Parallel()
	one, now := 1, time.Now()
	wall, later := now.Round(0), now.Add(time.Hour)
	berlin := zone(t, "Europe/Berlin")
	for name, test := range map[string]struct {
		v            any
		path, reason string
	}{
		"pointer":             {&map[*int]string{&one: "a"}, "in[the key 0x", "only in this process"},
		"pointer in a struct": {&[]map[pointerKey]string{{{"n", nil}: "", {"n", &one}: "a"}}, "in[0][the key {n 0x", "only in this process"},
		"pointer in an any":   {&map[any]string{&one: "a"}, "in[the key 0x", "only in this process"},
		"pointer in an array": {&map[[2]any]string{{1, &one}: "a"}, "in[the key [1 0x", "only in this process"},
		"fixed zone":          {&map[time.Time]int{wall.In(time.FixedZone("x", 60)): 1}, "in[the key ", "time.Location"},
		"named zone":          {&map[timeKey]int{{wall.In(berlin)}: 1}, "in[the key ", "time.Location"},
		"location":            {&map[*time.Location]int{nil: 0, time.UTC: 1, time.Local: 2, berlin: 3}, "in[the key Europe/Berlin", "time.Location"},
		"monotonic":           {&map[time.Time]int{now: 1, wall: 2}, "in[the key ", "monotonic"},
		"monotonic in any":    {&map[any]int{now: 1, wall: 2, "x": 3}, "in[the key ", "monotonic"},
		"marshaler":           {&[]map[blurred]int{{{"a"}: 1}, {{"ab"}: 1, {"cd"}: 2}}, "in[1][the key {", "MarshalBinary"},
		"element's map":       {&map[time.Time]map[blurred]int{later: {{"a"}: 1, {"b"}: 2}}, "in[", "MarshalBinary"},
	} {
		var b codec.Buffer
		e, ok := errors.AsType[*codec.Error](encodeAt(&b, test.v))
		if !ok || !strings.HasPrefix(e.Path, test.path) || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestMapKeysThatArriveEqual(t *testing.T) {
	t.Parallel()
	now := time.Now()
	wall := now.Round(0)
	roundTrip(t, map[*int]string{nil: "a"})
	roundTrip(t, map[any]*int{pointerKey{}.P: new(int), "x": new(int)})
	roundTrip(t, map[time.Time]int{wall: 1, wall.UTC(): 2, {}: 3, wall.Add(1): 4})
	roundTrip(t, map[*time.Location]int{nil: 0, time.UTC: 1, time.Local: 2})
	roundTrip(t, map[string]map[time.Time]*time.Time{"x": {wall: pointerTo(wall.In(time.FixedZone("x", 60)))}})
	roundTrip(t, map[netip.Addr]map[netip.Prefix]int{netip.MustParseAddr("fe80::1%eth0"): {netip.MustParsePrefix("10.0.0.0/8"): 1}})
	roundTrip(t, map[blurred]int{{"x"}: 1, {"xx"}: 2})
	if got := decoded[map[time.Time]int](t, encoded(t, map[time.Time]int{now: 1, now.Add(1): 2}), false); len(got) != 2 || got[wall] != 1 {
		t.Errorf("arrived %v", got)
	}
	// Keys that are not equal to themselves stay distinct.
	nan := math.NaN()
	if got := decoded[map[unequal]int](t, encoded(t, map[unequal]int{{f: nan}: 1, {f: -nan}: 2}), false); len(got) != 2 {
		t.Errorf("arrived %v", got)
	}
}

func TestHostileMapKeysAreRefused(t *testing.T) {
	t.Parallel()
	one := 1
	asMap := func(sent, got any) error {
		var b codec.Buffer
		if err := encodeAt(&b, sent); err != nil {
			return err
		}
		return decodeAt(codec.NewReader(b.Bytes()), got)
	}
	type entries[K any] struct {
		Key   K
		Value int8
	}
	for _, err := range []error{
		asMap(&[]entries[*int]{{&one, 1}}, new(map[*int]int8)),
		asMap(&[]entries[time.Time]{{time.Now().In(time.FixedZone("x", 60)), 1}}, new(map[time.Time]int8)),
	} {
		if err == nil || !strings.Contains(err.Error(), "a map key holds a") {
			t.Error(err)
		}
	}
}

// When two keys of a map become equal, only the value that holds the map fails.
func TestKeysThatBecomeOneFailAlone(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	sent := []map[sloppy]int{{{"a"}: 1}, {{"ab"}: 1, {"ac"}: 2}, {{"b"}: 3}}
	if err := codec.EncodeSlice(&b, "in", sent); err != nil {
		t.Fatal(err)
	}
	got, errs, err := codec.For[map[sloppy]int]().DecodeEach(codec.NewReader(b.Bytes()), len(sent))
	if err != nil || len(errs) != 1 || !strings.Contains(fmt.Sprint(errs[1]), "same key twice") || got[0][sloppy{"a"}] != 1 || got[2][sloppy{"b"}] != 3 {
		t.Errorf("arrived %v, %v, %v", got, errs, err)
	}
}

// leaver ends the goroutine that encodes or decodes it, as t.FailNow does.
type leaver struct{ when string }

func (l leaver) MarshalBinary() ([]byte, error) {
	if l.when == "encoding" {
		runtime.Goexit()
	}
	return []byte(l.when), nil
}

func (l *leaver) UnmarshalBinary(p []byte) error {
	if l.when = string(p); l.when == "decoding" {
		runtime.Goexit()
	}
	return nil
}

// A deferred function can tell that a method called runtime.Goexit, which nothing can stop.
func TestAGoexitCanBeToldFromADeferredFunction(t *testing.T) {
	t.Parallel()
	ended := func(f func(), err func() error) (told error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { told = err() }()
			f()
		}()
		<-done
		return told
	}
	var b codec.Buffer
	v := []leaver{{"never"}, {"encoding"}}
	err := ended(func() { _ = codec.Encode(&b, "in", &v) }, func() error { return b.Exited() })
	if e, ok := errors.AsType[*codec.ExitedError](err); !ok || e.Error() != "mp: MarshalBinary of codec_test.leaver called runtime.Goexit, which ends the goroutine: return an error instead" {
		t.Errorf("encoding: %v", err)
	}
	if b.Reset(); b.Exited() != nil {
		t.Error("Reset keeps it")
	}
	v = []leaver{{"never"}, {"decoding"}}
	if err := codec.Encode(&b, "in", &v); err != nil {
		t.Fatal(err)
	}
	r := codec.NewReader(b.Bytes())
	err = ended(func() { _ = codec.Decode(r, &v) }, r.Err)
	if e, ok := errors.AsType[*codec.ExitedError](err); !ok || e.Method != "UnmarshalBinary" {
		t.Errorf("decoding: %v", err)
	}
}
