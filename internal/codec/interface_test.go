package codec_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

func TestAnyKeepsItsDynamicType(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		nil, true, int(-1), int8(1), int16(2), int32(3), int64(4), uint(5), uint8(6), uint16(7), uint32(8), uint64(9), uintptr(10),
		float32(1.5), float64(2.5), complex64(1i), complex128(2i), "text", time.Second, time.Unix(1, 2), struct{}{},
		[]int{1}, []string{"a"}, []byte("b"), []any{1, "x", nil, []any{}}, map[string]any{"k": map[string]any{"l": 1.5}}, map[int][]string{1: {"x"}},
		pointerTo(1), pointerTo(pointerTo("x")), [3]int{1, 2, 3}, [0]string{}, []map[string]int{{"a": 1}, nil}, []error{nil}, map[any]any{1: 2},
		named{"x", 1}, &named{"y", 2}, []named{{"z", 3}}, map[point]*named{{1, 2}: {"w", 4}}, celsius(36.6), [2]celsius{1, 2},
		hidden{name: "h", number: new(int), items: []any{1}}, selfMade{"s"}, &selfMade{"p"}, struct{ A, B int }{1, 2}, (*named)(nil), map[string]struct{}{"s": {}},
	} {
		got := roundTrip(t, v)
		if reflect.TypeOf(got) != reflect.TypeOf(v) {
			t.Errorf("%T arrived as %T", v, got)
		}
		roundTrip(t, []any{v, v})
		roundTrip(t, map[string]any{"v": v})
	}
}

func TestOtherInterfacesArrive(t *testing.T) {
	t.Parallel()
	roundTrip[fmt.Stringer](t, named{"n", 1})
	roundTrip[fmt.Stringer](t, &named{"n", 1})
	roundTrip[fmt.Stringer](t, nil)
	roundTrip[fmt.Stringer](t, time.Second)
	roundTrip[error](t, nil)
	roundTrip(t, []fmt.Stringer{named{"a", 1}, nil, time.Duration(5)})
}

func TestADynamicTypeThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	message := encoded[any](t, celsius(1))
	var s fmt.Stringer
	if err := codec.Decode(codec.NewReader(message), &s); err == nil || !strings.Contains(err.Error(), "cannot hold a codec_test.celsius") {
		t.Errorf("arrived %v, %v", s, err)
	}
}

func TestKeysThatCannotBeComparedAreRefused(t *testing.T) {
	t.Parallel()
	message := encoded(t, [][2]any{{[]int{1}, 1}})
	var m map[any]any
	if err := codec.Decode(codec.NewReader(message), &m); err == nil || !strings.Contains(err.Error(), "compared") {
		t.Errorf("arrived %v, %v", m, err)
	}
}

type (
	one  struct{}
	two  struct{}
	late struct{ S string }
)

// Names last as long as the process, in which tests may run several times.
var (
	registerOne  = sync.OnceFunc(func() { codec.RegisterType("one", reflect.TypeFor[one]()) })
	registerLate = sync.OnceFunc(func() { codec.RegisterType("late", reflect.TypeFor[late]()) })
	refuseLate   = sync.OnceValue(func() string {
		_, err := encodeAgain(late{})
		return fmt.Sprint(err)
	})
)

func encodeAgain(v any) (*codec.Buffer, error) {
	var b codec.Buffer
	return &b, codec.Encode(&b, "in", &v)
}

func TestRegisterTypePanicsOnMisuse(t *testing.T) {
	t.Parallel()
	registerOne()
	for _, test := range []struct {
		name string
		t    reflect.Type
		want string
	}{
		{"", reflect.TypeFor[two](), "empty"},
		{"two", nil, "nil"},
		{"one", reflect.TypeFor[two](), "taken by the type codec_test.one"},
		{"two", reflect.TypeFor[one](), `already registered as "one"`},
		{"one", reflect.TypeFor[one](), "registered twice"},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, test.want) {
					t.Errorf("RegisterType(%q, %v) panicked with %q", test.name, test.t, text)
				}
			}()
			codec.RegisterType(test.name, test.t)
		}()
	}
}

func TestATypeMayBeRegisteredLater(t *testing.T) {
	t.Parallel()
	if text := refuseLate(); !strings.Contains(text, "not registered") {
		t.Error(text)
	}
	registerLate()
	roundTrip[any](t, []late{{"x"}})
}

func TestManyGoroutinesMeetNewTypesAtOnce(t *testing.T) {
	t.Parallel()
	type a struct {
		Next *a
		S    []string
	}
	type b struct {
		As map[string]a
		A  any
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				roundTrip(t, b{As: map[string]a{"x": {Next: &a{}, S: []string{"s"}}}, A: map[int][]int{i: {i}}})
			}
		})
	}
	group.Wait()
}

// handle stands for a generic object that is shared by pointer.
type handle[T any] struct{ number uint64 }

type shared interface{ share() uint64 }

func (h *handle[T]) share() uint64 { return h.number }

type forbidden struct{ _ int }

func (*forbidden) forbid() {}

type embedsHandle struct {
	*handle[int]
	Note string
}

type hookedValue struct{ text string }

var installHooks = sync.OnceFunc(func() {
	codec.Hook(reflect.TypeFor[shared](), func(b *codec.Buffer, v reflect.Value) error {
		if v.IsNil() {
			b.Uvarint(0)
			return nil
		}
		number := v.Interface().(shared).share()
		if number == 13 {
			return errors.New("handle 13 is closed")
		}
		b.Uvarint(number)
		return nil
	}, func(r *codec.Reader, v reflect.Value) error {
		number := r.Uvarint()
		if number == 0 {
			v.SetZero()
			return r.Err()
		}
		fresh := reflect.New(v.Type().Elem())
		*(fresh.Interface().(interface{ adopt() *uint64 }).adopt()) = number
		v.Set(fresh)
		return r.Err()
	})
	codec.Hook(reflect.TypeFor[hookedValue](), func(b *codec.Buffer, v reflect.Value) error {
		b.String(v.Addr().Interface().(*hookedValue).text)
		return nil
	}, func(r *codec.Reader, v reflect.Value) error {
		v.Addr().Interface().(*hookedValue).text = r.String()
		return nil
	})
	codec.Refuse(reflect.TypeFor[interface{ forbid() }](), "forbidden things stay at home")
})

func (h *handle[T]) adopt() *uint64 { return &h.number }

func TestHooksCarryTheirTypesEverywhere(t *testing.T) {
	t.Parallel()
	installHooks()
	type carrier struct {
		A *handle[int]
		B []*handle[string]
		C map[string]*handle[int]
		D hookedValue
		E []hookedValue
	}
	roundTrip(t, carrier{A: &handle[int]{7}, B: []*handle[string]{{8}, nil}, C: map[string]*handle[int]{"x": {9}}, D: hookedValue{"d"}, E: []hookedValue{{"e"}, {""}}})
	roundTrip(t, embedsHandle{&handle[int]{1}, "note"})
	roundTrip(t, &embedsHandle{nil, "note"})
	if e := refusal(t, carrier{B: []*handle[string]{{1}, {13}}}); e.Path != "in.B[1]" || e.Reason != "handle 13 is closed" {
		t.Error(e)
	}
	if e := refusal(t, []handle[int]{{1}}); e.Path != "in[0]" || !strings.Contains(e.Reason, "use a *codec_test.handle[int]") {
		t.Error(e)
	}
	if err := codec.Check(reflect.TypeFor[struct{ H handle[int] }](), "in"); err == nil {
		t.Error("Check accepts a shared object by value")
	}
	if err := codec.Check(reflect.TypeFor[carrier](), "in"); err != nil {
		t.Error(err)
	}
}

func TestRefusedTypes(t *testing.T) {
	t.Parallel()
	installHooks()
	roundTrip(t, []*forbidden{nil})
	if e := refusal(t, []*forbidden{{}}); e.Path != "in[0]" || e.Reason != "forbidden things stay at home" {
		t.Error(e)
	}
	if e := refusal(t, forbidden{}); e.Reason != "forbidden things stay at home" {
		t.Error(e)
	}
}

func TestAHookThatComesTooLatePanics(t *testing.T) {
	t.Parallel()
	type early struct{ S string }
	roundTrip(t, early{"x"})
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "must be installed before") {
			t.Errorf("Refuse panicked with %q", text)
		}
	}()
	codec.Refuse(reflect.TypeFor[early](), "late")
}
