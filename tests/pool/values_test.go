//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var poolValuesEcho = mp.Register("poolvalues/echo", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
var poolValuesText = mp.Register("poolvalues/text", func(_ context.Context, s string) (string, error) { return s, nil })
var poolValuesMake = mp.Register("poolvalues/make", func(_ context.Context, n int) ([]byte, error) {
	return bytes.Repeat([]byte{byte(n)}, n), nil
})
var poolValuesFloats = mp.Register("poolvalues/floats", func(_ context.Context, v []float64) ([]float64, error) { return v, nil })
var poolValuesNone = mp.Register("poolvalues/none", func(context.Context, mp.None) (mp.None, error) { return mp.None{}, nil })
var poolValuesInt = mp.Register("poolvalues/int", func(_ context.Context, n int) (int, error) { return -n, nil })

// Every size around the limits of ring, frames and blocks, there and back.
func TestPoolValuesSizes(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	var in [][]byte
	for _, around := range []int{0, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20} {
		for n := max(0, around-40); n <= around+8; n++ {
			in = append(in, bytes.Repeat([]byte{byte(n), byte(n >> 8), 7}, n/3+1)[:n])
		}
	}
	for _, chunk := range []mp.TaskOption{nil, mp.Chunk(1), mp.Chunk(len(in))} {
		out, err := mp.Map(poolCtx(t), p, poolValuesEcho, in, chunk)
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			if !bytes.Equal(in[i], out[i]) {
				t.Errorf("%d bytes came back as %d", len(in[i]), len(out[i]))
			}
		}
	}
	for o := range mp.Outcomes(poolCtx(t), p, poolValuesEcho, slices.Values(in)) { // measured
		if o.Err != nil || !bytes.Equal(o.In, o.Out) {
			t.Errorf("%d bytes came back as %d: %v", len(o.In), len(o.Out), o.Err)
		}
	}
	for _, b := range in {
		if out, err := mp.Apply(poolCtx(t), p, poolValuesText, string(b)); err != nil || out != string(b) {
			t.Errorf("a string of %d bytes: %v", len(b), err)
		}
	}
}

func TestPoolValuesMixedSizesInOneChunk(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	var in []int
	for i := range testkit.Times(300, 3000) {
		in = append(in, []int{0, 1, 5 << 20, 3, 100000, 100000, 32<<10 - 8, 7, 0, 300000}[i*7%10]*(i%3)/2)
	}
	for _, chunk := range []mp.TaskOption{nil, mp.Chunk(100)} {
		out, err := mp.Map(poolCtx(t), p, poolValuesMake, in, chunk)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range in {
			if len(out[i]) != n || n > 0 && (out[i][0] != byte(n) || out[i][n-1] != byte(n)) {
				t.Errorf("output %d has %d bytes, not %d", i, len(out[i]), n)
			}
		}
	}
}

func TestPoolValuesLarge(t *testing.T) {
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, MaxResult: -1})
	size := testkit.Times(20<<20, 100<<20) / 8
	v := make([]float64, size)
	for i := range v {
		v[i] = float64(i)
	}
	v[1] = math.Inf(-1)
	out, err := mp.Apply(poolCtx(t), p, poolValuesFloats, v)
	if err != nil || !slices.Equal(out, v) {
		t.Error(len(out), err)
	}
	if testkit.LongTests {
		size := int64(3) << 30 // more than a 32-bit machine has
		huge := make([]byte, size)
		huge[0], huge[len(huge)-1] = 1, 2
		n, err := mp.Apply(poolCtx(t), p, poolValuesLen, huge)
		if err != nil || n != len(huge) {
			t.Error(n, err)
		}
	}
}

var poolValuesLen = mp.Register("poolvalues/len", func(_ context.Context, b []byte) (int, error) {
	if len(b) > 0 && (b[0] != 1 || b[len(b)-1] != 2) {
		return 0, errors.New("not what was sent")
	}
	return len(b), nil
})

func TestPoolValuesOfNoSize(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	out, err := mp.Map(poolCtx(t), p, poolValuesNone, make([]mp.None, 10000))
	if err != nil || len(out) != 10000 {
		t.Error(len(out), err)
	}
	if _, err := mp.Apply(poolCtx(t), p, poolValuesNone, mp.None{}); err != nil {
		t.Error(err)
	}
	if out, err := mp.Map(poolCtx(t), p, poolValuesNone, nil); err != nil || out == nil || len(out) != 0 {
		t.Error(out, err)
	}
}

// All sizes of outputs that travel as memory, one at a time and many.
func TestPoolValuesAsMemory(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	ctx := poolCtx(t)
	if v, err := mp.Apply(ctx, p, poolValuesBool, true); v || err != nil {
		t.Error(v, err)
	}
	if v, err := mp.Apply(ctx, p, poolValues3, [3]byte{1, 2, 3}); v != [3]byte{3, 2, 1} || err != nil {
		t.Error(v, err)
	}
	big := [20000]byte{1, 2, 3}
	if v, err := mp.Apply(ctx, p, poolValues20000, big); v != big || err != nil {
		t.Error(err)
	}
	mid := [2100]int64{1, 2, 3}
	all, err := mp.Map(ctx, p, poolValuesMid, slices.Repeat([][2100]int64{mid}, 100))
	if err != nil || slices.ContainsFunc(all, func(v [2100]int64) bool { return v != mid }) {
		t.Error(err)
	}
	bools, err := mp.Map(ctx, p, poolValuesBool, make([]bool, 40000))
	if err != nil || slices.Contains(bools, false) {
		t.Error(err)
	}
}

var poolValuesBool = mp.Register("poolvalues/bool", func(_ context.Context, v bool) (bool, error) { return !v, nil })
var poolValues3 = mp.Register("poolvalues/3", func(_ context.Context, v [3]byte) ([3]byte, error) {
	slices.Reverse(v[:])
	return v, nil
})
var poolValues20000 = mp.Register("poolvalues/20000", func(_ context.Context, v [20000]byte) ([20000]byte, error) { return v, nil })
var poolValuesMid = mp.Register("poolvalues/mid", func(_ context.Context, v [2100]int64) ([2100]int64, error) { return v, nil })

func TestPoolValuesWideMap(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in := make([]int, testkit.Times(300_000, 1_000_000))
	for i := range in {
		in[i] = i
	}
	out, err := mp.Map(poolCtx(t), p, poolValuesInt, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v != -i {
			t.Fatalf("output %d is %d", i, v)
		}
	}
	if st := p.Stats(); st.Done != len(in) || st.Queued+st.Running+st.Failed+st.Retried != 0 {
		t.Errorf("%+v", st)
	}
}

func TestPoolValuesWideApplyAsync(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	rs := make([]*mp.Result[int], testkit.Times(30_000, 100_000))
	for i := range rs {
		rs[i] = mp.ApplyAsync(ctx, p, poolValuesInt, i)
	}
	for i, r := range rs {
		if v, err := r.Get(ctx); v != -i || err != nil {
			t.Fatalf("output %d is %d: %v", i, v, err)
		}
	}
}

// poolValuesOdd can be encoded unless it is negative, and decoded unless it is odd.
type poolValuesOdd struct{ n *int }

func oddOf(n int) poolValuesOdd { return poolValuesOdd{&n} }

func (v poolValuesOdd) MarshalBinary() ([]byte, error) {
	if *v.n < 0 {
		return nil, errors.New("negative")
	}
	if *v.n == 1000 {
		panic("a thousand")
	}
	return []byte{byte(*v.n)}, nil
}

func (v *poolValuesOdd) UnmarshalBinary(b []byte) error {
	if b[0] == 99 {
		panic("ninety-nine")
	}
	if b[0]%2 == 1 {
		return errors.New("odd")
	}
	n := int(b[0])
	v.n = &n
	return nil
}

var poolValuesHalf = mp.Register("poolvalues/half", func(_ context.Context, v poolValuesOdd) (int, error) { return *v.n / 2, nil })
var poolValuesMakeOdd = mp.Register("poolvalues/makeodd", func(_ context.Context, n int) (poolValuesOdd, error) { return oddOf(n), nil })

// An input or output that cannot travel, either way, is the error of its item.
func TestPoolValuesOneThatCannotTravel(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	for _, bad := range []struct {
		n    int
		text string
	}{{-1, "negative"}, {1000, "a thousand"}, {3, "odd"}, {99, "ninety-nine"}} {
		ns := []int{0, 2, 4, bad.n, 6, 8}
		var in []poolValuesOdd
		for _, n := range ns {
			in = append(in, oddOf(n))
		}
		for _, chunk := range []mp.TaskOption{nil, mp.Chunk(1), mp.Chunk(10)} {
			out, err := mp.Map(poolCtx(t), p, poolValuesHalf, in, chunk)
			errs := mapErrs(t, err)
			if len(errs) != 1 || errs[3] == nil || !strings.Contains(errs[3].Error(), bad.text) {
				t.Fatalf("input %d: %v", bad.n, err)
			}
			if !slices.Equal(out, []int{0, 1, 2, 0, 3, 4}) {
				t.Errorf("input %d: %v", bad.n, out)
			}
			back, err := mp.Map(poolCtx(t), p, poolValuesMakeOdd, ns, chunk)
			errs = mapErrs(t, err)
			if len(errs) != 1 || errs[3] == nil || !strings.Contains(errs[3].Error(), bad.text) {
				t.Fatalf("output %d: %v", bad.n, err)
			}
			for i, v := range back {
				if i != 3 && *v.n != ns[i] {
					t.Errorf("output %d: %d is %d", bad.n, i, *v.n)
				}
			}
		}
		if _, err := mp.Apply(poolCtx(t), p, poolValuesHalf, oddOf(bad.n)); err == nil || !strings.Contains(err.Error(), bad.text) {
			t.Errorf("Apply %d: %v", bad.n, err)
		}
	}
	if n := p.Stats().Restarts; n != 0 {
		t.Errorf("%d restarts", n)
	}
}

type poolValuesTree struct {
	Name string
	Kids []*poolValuesTree
	Map  map[poolValuesKeyT]any
	When time.Time
	hide int
}

type poolValuesKeyT struct{ A, B int }

var poolValuesTrees = mp.Register("poolvalues/trees", func(_ context.Context, v *poolValuesTree) (*poolValuesTree, error) { return v, nil })
var poolValuesAny = mp.Register("poolvalues/any", func(_ context.Context, v any) (any, error) { return v, nil })

func init() {
	mp.RegisterType[poolValuesTree]("poolvalues/tree")
	mp.RegisterType[poolValuesKeyT]("poolvalues/key")
}

func TestPoolValuesPointersAndAny(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	tree := &poolValuesTree{Name: "a", Kids: []*poolValuesTree{{Name: "b", hide: 3}, nil, {Kids: []*poolValuesTree{}}},
		Map: map[poolValuesKeyT]any{{1, 2}: 3, {3, 4}: "x", {5, 6}: poolValuesKeyT{7, 8}}, When: time.Unix(1, 2).UTC()}
	out, err := mp.Apply(poolCtx(t), p, poolValuesTrees, tree)
	if err != nil || !reflect.DeepEqual(out, tree) {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := mp.Apply(poolCtx(t), p, poolValuesTrees, nil); err != nil || out != nil {
		t.Error(out, err)
	}
	zoo := []any{nil, 1, int8(2), "three", 4.5, []byte(nil), []byte{}, []any{1, nil, "x"}, map[string]int{"a": 1},
		poolValuesKeyT{1, 2}, &poolValuesKeyT{3, 4}, *tree, time.Second, [2]bool{true, false}, []int(nil)}
	all, err := mp.Map(poolCtx(t), p, poolValuesAny, zoo)
	if err != nil || !reflect.DeepEqual(all, zoo) {
		t.Errorf("%+v, %v", all, err)
	}
	// One that cannot travel fails alone, and says where.
	bad := append(slices.Clone(zoo), map[string]any{"f": []any{1, func() {}}})
	all, err = mp.Map(poolCtx(t), p, poolValuesAny, bad)
	errs := mapErrs(t, err)
	if e := errs[len(zoo)]; len(errs) != 1 || e == nil || !strings.Contains(e.Error(), `"f"`) || !strings.Contains(e.Error(), "func") {
		t.Errorf("%v", err)
	}
	if !reflect.DeepEqual(all[:len(zoo)], zoo) {
		t.Errorf("%+v", all)
	}
}

func TestPoolValuesMaxResult(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, MaxResult: 100_000})
	pid, err := mp.Apply(poolCtx(t), p, stopPID, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{99_000, 101_000, 1 << 20, 100 << 20} {
		out, err := mp.Apply(poolCtx(t), p, poolValuesMake, n, mp.Retries(3, mp.Backoff{}))
		var task *mp.TaskError
		if n < 100_000 && (err != nil || len(out) != n) {
			t.Errorf("%d: %d, %v", n, len(out), err)
		}
		if n > 100_000 && (!errors.As(err, &task) || task.Attempts != 1 || !strings.Contains(err.Error(), "MaxResult")) {
			t.Errorf("%d: %v", n, err)
		}
	}
	// The text of an error is an outcome as well.
	if _, err := mp.Apply(poolCtx(t), p, poolValuesLongError, 5<<20); err == nil {
		t.Error("no error")
	}
	if again, err := mp.Apply(poolCtx(t), p, stopPID, mp.None{}); again != pid || err != nil {
		t.Errorf("the worker did not live on: %v", err)
	}
}

var poolValuesLongError = mp.Register("poolvalues/longerror", func(_ context.Context, n int) (int, error) {
	return 0, fmt.Errorf("long: %s", strings.Repeat("x", n))
})
