package codec_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unique"
	"unsafe"
	"weak"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// refusal encodes v, which must fail, and returns the error.
func refusal[T any](tb testing.TB, v T) *codec.Error {
	tb.Helper()
	var b codec.Buffer
	err := codec.Encode(&b, "in", &v)
	e, ok := errors.AsType[*codec.Error](err)
	if !ok {
		tb.Fatalf("Encode(%T) returned %v", v, err)
	}
	return e
}

// jobs holds values that cannot travel, at many paths.
type jobs struct {
	Jobs []job
	Map  map[string]any
	Keys map[any]int
	Any  any
	priv *job
	stamped
}

type job struct {
	Next *job
	Done chan int
	F    func()
	Arr  [2]any
}

type noChan struct {
	Next  *noChan
	Thing any
	File  *os.File
	Err   error
}

func TestRefusalsNameTheirPlace(t *testing.T) {
	t.Parallel()
	type unregisteredType struct{ A int }
	for _, test := range []struct {
		path, reason string
		v            any
	}{
		{"in", "channel (chan int)", pointerTo(make(chan int))},
		{"in", "function (func())", pointerTo[func()](nil)},
		{"in", "address (unsafe.Pointer)", pointerTo(unsafe.Pointer(nil))},
		{"in.Jobs[0].Done", "channel", &jobs{Jobs: make([]job, 2)}},
		{"in.priv.Done", "channel", &jobs{priv: &job{}}},
		{`in.Map["key"]`, "mp.RegisterType[codec_test.unregisteredType]", &jobs{Map: map[string]any{"key": unregisteredType{}}}},
		{`in.Map["key"][3]`, "not registered", &jobs{Map: map[string]any{"key": []any{0, 1, 2, unregisteredType{}}}}},
		{"in.Any", "not registered", &jobs{Any: []unregisteredType{}}},
		{"in.Any", "not registered", &jobs{Any: struct{ X int }{}}},
		{"in.Any", "channel", &jobs{Any: make(chan int)}},
		{"in.Any", "channel", &jobs{Any: []chan int{}}},
		{"in.Any", "os.File", &jobs{Any: os.Stdin}},
		{"in.Keys[the key {1}]", "not registered", &jobs{Keys: map[any]int{unregisteredType{1}: 1}}},
		{"in.File", "os.File", &noChan{File: os.Stdin}},
		{"in.Next.Next.Err", "errors.errorString", &noChan{Next: &noChan{Next: &noChan{Err: errors.New("x")}}}},
		{"in[2][1].Thing", "function", pointerTo([3][2]noChan{2: {1: {Thing: func() {}}}})},
		{"in[7].File", "os.File", pointerTo(map[int]noChan{7: {File: os.Stdin}})},
		{"in[{1 2}].File", "os.File", pointerTo(map[point]noChan{{1, 2}: {File: os.Stdin}})},
		{`in["` + strings.Repeat("k", 64) + `"...].File`, "os.File", pointerTo(map[string]noChan{strings.Repeat("k", 99): {File: os.Stdin}})},
		{"in", "weak.Pointer", pointerTo(weak.Make(new(int)))},
		{"in", "unique.Handle", pointerTo(unique.Make("x"))},
		{"in", "reflection", pointerTo(reflect.ValueOf(1))},
		{"in", "reflection", pointerTo(reflect.TypeOf(1))},
	} {
		var b codec.Buffer
		err := codec.EncodeValue(&b, "in", reflect.ValueOf(test.v).Elem())
		e, ok := errors.AsType[*codec.Error](err)
		if !ok {
			t.Errorf("%T: %v", test.v, err)
			continue
		}
		if e.Path != test.path || !strings.Contains(e.Reason, test.reason) || e.Index != -1 {
			t.Errorf("path %q, want %q; reason %q, want %q; index %d", e.Path, test.path, e.Reason, test.reason, e.Index)
		}
	}
}

func TestNothingBehindNilIsRefused(t *testing.T) {
	t.Parallel()
	roundTrip(t, noChan{})
	roundTrip(t, []chan int(nil))
	roundTrip(t, []chan int{})
	roundTrip(t, map[string]func(){})
	roundTrip(t, (*chan int)(nil))
	roundTrip(t, [0]func(){})
}

func TestTheRootWordIsTheCallers(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	err := codec.Encode(&b, "out", &[]noChan{{}, {File: os.Stdin}})
	if e, ok := errors.AsType[*codec.Error](err); !ok || e.Path != "out[1].File" || e.Error() != "mp: out[1].File: "+e.Reason {
		t.Errorf("got %v", err)
	}
}

func TestEncodeSliceTellsTheIndex(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	b.String("before")
	mark := b.Mark()
	err := codec.EncodeSlice(&b, "in", []noChan{{}, {}, {Next: &noChan{File: os.Stdin}}})
	if e, ok := errors.AsType[*codec.Error](err); !ok || e.Path != "in[2].Next.File" || e.Index != 2 {
		t.Errorf("got %v", err)
	}
	b.Rewind(mark)
	if r := codec.NewReader(b.Bytes()); r.String() != "before" || r.Done() != nil {
		t.Errorf("Rewind left %q", b.Bytes())
	}
}

func TestLongPathsAreAbbreviated(t *testing.T) {
	t.Parallel()
	v := &noChan{File: os.Stdin}
	for range 9_999 {
		v = &noChan{Next: v}
	}
	e := refusal(t, v)
	if !strings.HasPrefix(e.Path, "in.Next.Next") || !strings.HasSuffix(e.Path, ".Next.File") || !strings.Contains(e.Path, "...(9968 more)...") || len(e.Path) > 300 {
		t.Errorf("path %q", e.Path)
	}
}

// moody fails to encode itself in different ways.
type moody struct{ mood string }

var errMood = errors.New("bad mood")

func (m moody) MarshalBinary() ([]byte, error) {
	switch m.mood {
	case "error":
		return nil, errMood
	case "panic":
		panic(errMood)
	}
	return []byte(m.mood), nil
}

func (m *moody) UnmarshalBinary(p []byte) error {
	switch string(p) {
	case "later error":
		return errMood
	case "later panic":
		panic(fmt.Sprint(p[99]))
	}
	m.mood = string(p)
	return nil
}

func TestFailuresOfMarshalersAreTold(t *testing.T) {
	t.Parallel()
	for _, mood := range []string{"error", "panic"} {
		e := refusal(t, map[string][]moody{"k": {{"good"}, {mood}}})
		if e.Path != `in["k"][1]` || !strings.Contains(e.Reason, "MarshalBinary of codec_test.moody failed") || !errors.Is(e, errMood) {
			t.Errorf("%s: %v", mood, e)
		}
		if _, panicked := errors.AsType[*codec.PanicError](e); panicked != (mood == "panic") {
			t.Errorf("%s: %v", mood, e)
		}
	}
	for _, mood := range []string{"later error", "later panic"} {
		var got moody
		err := codec.Decode(codec.NewReader(encoded(t, moody{mood})), &got)
		if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
			t.Errorf("%s: %v", mood, err)
		}
		if panicked, ok := errors.AsType[*codec.PanicError](err); ok != (mood == "later panic") || ok && !strings.Contains(string(panicked.Stack), "UnmarshalBinary") {
			t.Errorf("%s: %v", mood, err)
		} else if ok && !func() bool { _, is := errors.AsType[runtime.Error](err); return is }() {
			t.Errorf("the run time error is lost: %v", err)
		}
	}
}

func TestCheckFindsHopelessTypes(t *testing.T) {
	t.Parallel()
	type inner struct {
		Good int
		Bad  [2]struct{ C chan<- int }
	}
	type outer struct {
		Fine *inner
		In   inner
	}
	for _, test := range []struct {
		t    reflect.Type
		path string
	}{
		{reflect.TypeFor[outer](), "in.In.Bad[0].C"},
		{reflect.TypeFor[func()](), "in"},
		{reflect.TypeFor[unsafe.Pointer](), "in"},
		{reflect.TypeFor[os.File](), "in"},
		{reflect.TypeFor[struct{ H unique.Handle[int] }](), "in.H"},
	} {
		if e, ok := errors.AsType[*codec.Error](codec.Check(test.t, "in")); !ok || e.Path != test.path || e.Reason == "" {
			t.Errorf("%v: %v", test.t, e)
		}
	}
	for _, fine := range []reflect.Type{
		reflect.TypeFor[everything](), reflect.TypeFor[*inner](), reflect.TypeFor[[]chan int](), reflect.TypeFor[map[string]func()](),
		reflect.TypeFor[any](), reflect.TypeFor[time.Time](), reflect.TypeFor[[0]chan int](), reflect.TypeFor[moody](), reflect.TypeFor[*os.File](),
	} {
		if err := codec.Check(fine, "in"); err != nil {
			t.Errorf("%v: %v", fine, err)
		}
	}
}

// An error that quotes another error of mp has one prefix.
func TestErrorsHaveOnePrefix(t *testing.T) {
	t.Parallel()
	cause := errors.New("mp: the queue is closed")
	for want, err := range map[string]error{
		"mp: in.Q: the hook failed: the queue is closed":            &codec.Error{Path: "in.Q", Reason: "the hook failed: " + cause.Error()},
		"mp: in.Q: the queue is closed":                             &codec.Error{Path: "in.Q", Reason: cause.Error()},
		"mp: cannot decode at byte 3: a value: the queue is closed": &codec.DecodeError{Offset: 3, Reason: "a value", Err: cause},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
