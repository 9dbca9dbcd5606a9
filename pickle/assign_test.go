package pickle_test

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/pickle"
)

// marshal fails the test instead of returning an error.
func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := pickle.Marshal(v)
	if err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	return b
}

func TestIntoTypes(t *testing.T) {
	t.Parallel()
	type embedded struct{ Inner int }
	type job struct {
		embedded
		JobName string `pickle:"job_name"`
		Sizes   []float32
		Skip    int `pickle:"-"`
		Next    *job
	}
	var wide any = int64(1)
	for _, c := range []struct{ in, want any }{
		{5, int8(5)}, {5, uint8(5)}, {5, 5.0}, {5, float32(5)}, {5, complex128(5)}, {5, big.NewInt(5)}, {uint64(1 << 63), uint64(1 << 63)},
		{"s", "s"}, {pickle.Path("/a"), "/a"}, {pickle.Decimal("1.5"), "1.5"}, {true, true}, {nil, (*int)(nil)}, {nil, []int(nil)},
		{nil, map[string]int(nil)}, {nil, struct{}{}}, {5, new(5)}, {int64(1), wide},
		{[]any{1, 2}, []int{1, 2}}, {pickle.Tuple{1, 2}, []int{1, 2}}, {pickle.Set{1}, []int{1}}, {&pickle.Deque{Items: []any{1}}, []int{1}},
		{[]any{1, 2}, [2]int{1, 2}}, {pickle.Tuple{"a", 1}, pickle.Tuple{"a", int64(1)}}, {[]byte{1, 2}, [2]byte{1, 2}},
		{[]any{1, 255}, []byte{1, 255}}, {pickle.ByteArray{1}, []byte{1}}, {[]byte{1}, pickle.ByteArray{1}},
		{&pickle.Array{Data: []int32{1}}, []int64{1}}, {&pickle.NDArray{Shape: []int{2}, Data: []float32{1, 2}}, []float64{1, 2}},
		{map[string]any{"a": 1}, map[string]int{"a": 1}}, {pickle.Dict{{pickle.Tuple{1, 2}, 3}}, map[[2]int]int{{1, 2}: 3}},
		{pickle.OrderedDict{{"a", 1}}, map[string]int{"a": 1}}, {pickle.Counter{{"a", 1}}, map[string]int{"a": 1}},
		{&pickle.DefaultDict{Items: pickle.Dict{{"a", 1}}}, map[string]int{"a": 1}}, {map[string]int{"a": 1}, pickle.Dict{{"a", int64(1)}}},
		{pickle.Set{"a"}, map[string]struct{}{"a": {}}}, {pickle.FrozenSet{"a"}, map[string]bool{"a": true}}, {map[string]struct{}{"a": {}}, pickle.Set{"a"}},
		{map[string]any{"job_name": "n", "sizes": []float64{1}, "Inner": 3, "Skip": 4, "other": 5}, job{embedded: embedded{3}, JobName: "n", Sizes: []float32{1}}},
		{map[string]any{"JobName": "n", "Next": map[string]any{"Inner": 1}}, &job{JobName: "n", Next: &job{embedded: embedded{1}}}},
		{pickle.Tuple{1, "n", nil, nil}, job{embedded: embedded{1}, JobName: "n"}},
		{&pickle.Object{Module: "m", Name: "Job", New: true, State: map[string]any{"job_name": "n"}}, job{JobName: "n"}},
		{&pickle.Object{Module: "m", Name: "Job", New: true, State: pickle.Tuple{nil, map[string]any{"job_name": "n"}}}, job{JobName: "n"}},
		{&pickle.Object{Module: "m", Name: "Pair", New: true, Args: pickle.Tuple{1, "b"}}, struct {
			A int
			B string
		}{1, "b"}},
		{&pickle.Object{Module: "m", Name: "Bag", New: true, Items: []any{1}}, []int{1}},
		{&pickle.Object{Module: "m", Name: "Table", New: true, Dict: pickle.Dict{{"a", 1}}}, map[string]int{"a": 1}},
		{pickle.DateTime{2024, 1, 2, 3, 4, 5, 6, false}, time.Date(2024, 1, 2, 3, 4, 5, 6000, time.Local)},
		{[]any{nil, pickle.Exception{Class: "OSError"}}, []*pickle.Exception{nil, {Class: "OSError", Args: pickle.Tuple{}}}},
	} {
		got := reflect.New(reflect.TypeOf(c.want))
		if err := pickle.Unmarshal(marshal(t, c.in), got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), c.want) {
			t.Errorf("%#v into %T: %#v, %v; want %#v", c.in, c.want, got.Elem(), err, c.want)
		}
	}
}

func TestMisfitsNameThePath(t *testing.T) {
	t.Parallel()
	type job struct {
		Next int `pickle:"next"`
	}
	type in struct {
		Jobs  []job
		Table map[string]int8
	}
	for _, c := range []struct {
		in, into any
		want     string
	}{
		{map[string]any{"Jobs": []any{map[string]any{}, map[string]any{"next": "x"}}}, new(in), "pickle: in.Jobs[1].Next: a str does not fit int"},
		{map[string]any{"Table": map[string]int{"a": 300}}, new(in), `pickle: in.Table["a"]: 300 does not fit int8`},
		{1.5, new(int), "pickle: in: a float does not fit int"}, {-1, new(uint), "pickle: in: -1 does not fit uint"},
		{int64(1) << 53, new(float32), ""}, {int64(1)<<53 + 1, new(float64), "pickle: in: a int does not fit float64"},
		{nil, new(int), "pickle: in: a None does not fit int"}, {true, new(int), "pickle: in: a bool does not fit int"},
		{[]int{1}, new([2]int), "pickle: in: 1 elements do not fit [2]int"},
		{pickle.Tuple{1, 2}, new(job), "pickle: in: 2 elements do not fit the 1 fields of pickle_test.job"},
		{pickle.Dict{{pickle.Tuple{1}, 1}}, new(map[any]int), "pickle: in.keys()[tuple]: a tuple cannot be the key of a map; use a Dict"},
		{map[string]int{}, new(time.Time), "pickle: in: a dict does not fit time.Time"},
		{new(big.Int).Lsh(big.NewInt(1), 70), new(int), "pickle: in: an int beyond 64 bits does not fit int"},
		{&pickle.Object{Module: "os", Name: "system", Args: pickle.Tuple{"x"}}, new(string), "pickle: in: a os.system object does not fit string"},
		{1, 5, "pickle: in: Unmarshal into a int; it needs a pointer"},
	} {
		err := pickle.Unmarshal(marshal(t, c.in), c.into)
		if got := errorText(err); got != c.want {
			t.Errorf("%v into %T: %q, want %q", c.in, c.into, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWhatHasNoFormInPython(t *testing.T) {
	t.Parallel()
	type hidden struct{ x int }
	type outer struct{ Hidden hidden }
	_ = hidden{}.x
	cycle := pickle.Tuple{nil}
	cycle[0] = cycle
	deep := []any{}
	for range 6000 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{[]any{0, make(chan int)}, "pickle: in[1]: chan int has no form in Python"},
		{map[string]any{"f": func() {}}, `pickle: in["f"]: func() has no form in Python`},
		{outer{}, "pickle: in.Hidden: pickle_test.hidden has no exported fields"},
		{"a\xff", "pickle: in: a string that is not UTF-8, which Python cannot read; use []byte"},
		{pickle.Set{[]any{1}}, "pickle: in[0]: a []interface {} is a list in Python, which cannot be a key or an element of a set"},
		{pickle.Dict{{pickle.Tuple{pickle.Set{1}}, 1}}, "pickle: in.keys(): a pickle.Set is a set in Python, which cannot be a key or an element of a set"},
		{pickle.Set{&pickle.Deque{}}, "pickle: in[0]: a pickle.Deque is a deque in Python, which cannot be a key or an element of a set"},
		{map[any]int{[1]any{0}: 1, pickle.UUID{}: 2, point{}: 3}, ""},
		{cycle, "pickle: in[0]: a cycle through this pickle.Tuple, which Python can only make of lists, dicts and objects"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "pickle: in: 10000-01-01 00:00:00 +0000 UTC is not between the years 1 and 9999"},
		{pickle.Decimal("1,5"), `pickle: in: "1,5" is no number`},
		{pickle.NDArray{Shape: []int{3}, Data: []int8{1}}, "pickle: in: an array of the shape [3] with 1 elements"},
		{deep, "nested deeper than 5000"},
	} {
		_, err := pickle.Marshal(c.in)
		if got := errorText(err); got != c.want && (len(c.want) > 25 || !strings.HasSuffix(got, c.want)) {
			t.Errorf("%T: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSharingIsKept(t *testing.T) {
	t.Parallel()
	n := &node{Name: "n"}
	m := map[string]int{"a": 1}
	l := []any{1}
	var got any
	if err := pickle.Unmarshal(marshal(t, []any{n, n, m, m, l, l}), &got); err != nil {
		t.Fatal(err)
	}
	g := got.([]any)
	g[2].(map[any]any)["b"] = 2
	g[4].([]any)[0] = "changed"
	if g[0] != g[1] || len(g[3].(map[any]any)) != 2 || g[5].([]any)[0] != "changed" {
		t.Errorf("%v", g)
	}
	var typed struct {
		A, B *node
		M, N map[string]int
	}
	if err := pickle.Unmarshal(marshal(t, map[string]any{"A": n, "B": n, "M": m, "N": m}), &typed); err != nil {
		t.Fatal(err)
	}
	typed.M["b"] = 2
	if typed.A != typed.B || typed.N["b"] != 2 {
		t.Errorf("%+v", typed)
	}
	var mixed struct {
		List []any
		Any  any
	}
	if err := pickle.Unmarshal(marshal(t, map[string]any{"List": l, "Any": l}), &mixed); err != nil {
		t.Fatal(err)
	}
	if mixed.List[0] = 9; mixed.Any.([]any)[0] != 9 {
		t.Error("a []any and an any of one list are two")
	}
}

func TestCycles(t *testing.T) {
	t.Parallel()
	ring := &node{Name: "a", Next: &node{Name: "b"}}
	ring.Next.Next = ring
	b := marshal(t, ring)
	var typed *node
	if err := pickle.Unmarshal(b, &typed); err != nil || typed.Next.Next != typed {
		t.Errorf("%v, %v", typed, err)
	}
	var got any
	if err := pickle.Unmarshal(b, &got); err != nil || got.(*node).Next.Next != got {
		t.Errorf("%v, %v", got, err)
	}
	self := map[any]any{}
	self["self"] = self
	if err := pickle.Unmarshal(marshal(t, self), &got); err != nil {
		t.Fatal(err)
	}
	if again := got.(map[any]any)["self"].(map[any]any); reflect.ValueOf(again).Pointer() != reflect.ValueOf(got).Pointer() {
		t.Error("a map that contains itself contains another")
	}
	list := []any{nil, nil}
	list[1] = list
	err := pickle.Unmarshal(marshal(t, map[string]any{"list": list}), &got)
	if want := `pickle: in["list"][1]: a cycle through this list, which a Go value cannot hold`; errorText(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	type tree []tree
	var tr tree
	err = pickle.Unmarshal([]byte("]\x94h\x00a."), &tr)
	if want := "pickle: in[0]: a cycle through this list, which pickle_test.tree cannot hold"; errorText(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// token is what a protocol of its own has in its pickles.
type token struct{ ID string }

func TestCodec(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong token")
	c := &pickle.Codec{
		Build: func(o *pickle.Object, want reflect.Type) (any, bool, error) {
			if o.Module != "my.server" || o.Name != "Token" {
				return nil, false, nil
			}
			id, ok := o.Args[0].(string)
			if !ok {
				return nil, false, wrong
			}
			return &token{id}, true, nil
		},
		Reduce: func(v any) (any, bool, error) {
			if v, ok := v.(*token); ok {
				return &pickle.Object{Module: "my.server", Name: "Token", Args: pickle.Tuple{v.ID}}, true, nil
			}
			return nil, false, nil
		},
	}
	one := &token{"1"}
	b, err := c.Append([]byte("head"), pickle.Tuple{one, one, map[string]any{"t": &token{"2"}}})
	if err != nil || !strings.HasPrefix(string(b), "head") {
		t.Fatal(err)
	}
	b = b[len("head"):]
	var got any
	if err := c.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	g := got.(pickle.Tuple)
	if g[0] != g[1] || !reflect.DeepEqual(g[0], one) || !reflect.DeepEqual(g[2].(map[any]any)["t"], &token{"2"}) {
		t.Errorf("%v", g)
	}
	var typed struct {
		A, B *token
		C    map[string]*token
	}
	if err := c.Unmarshal(b, &typed); err != nil || typed.A != typed.B || typed.C["t"].ID != "2" {
		t.Errorf("%+v, %v", typed, err)
	}
	if err := pickle.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	} else if _, inert := got.(pickle.Tuple)[0].(*pickle.Object); !inert {
		t.Errorf("%v", got)
	}
	bad := marshal(t, []any{&pickle.Object{Module: "my.server", Name: "Token", Args: pickle.Tuple{1}}})
	if err := c.Unmarshal(bad, &got); !errors.Is(err, wrong) || err.Error() != "pickle: in[0]: wrong token" {
		t.Error(err)
	}
}
