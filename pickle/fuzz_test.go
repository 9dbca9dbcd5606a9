package pickle_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/testkit/python"
	"github.com/gomultiprocessing/mp/pickle"
)

// seeds are pickles of all types, by Go, and by Python with the old opcodes.
func seeds(f *testing.F) {
	for _, v := range append(append(values(), classes()...), arrays()...) {
		b, err := pickle.Marshal(v.want)
		if err != nil {
			f.Fatalf("%s: %v", v.expr, err)
		}
		if len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Add(laughs())
	for _, s := range []string{"(lp0\nI1\na(dp1\nS'a'\nF1.5\nsa.", "cos\nsystem\n(S'echo'\ntR.", "(cm\nC\nK\x01o.", "}\x94\x8c\x01ah\x00s.", "V\\u20ac\nq\x00h\x00\x86.",
		"\x80\x05\x96\x03\x00\x00\x00\x00\x00\x00\x00abc.", "ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtRp0\n(dS'a'\nI1\nsb.",
		"cmultiprocessing.pool\nrebuild_exc\ncbuiltins\nValueError\n)R\x8c\x01t\x86R."} {
		f.Add([]byte(s))
	}
}

// What is read is bounded, and it is marshalled again and reads equal.
func FuzzUnmarshal(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var v any
		err := pickle.Unmarshal(data, &v)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(64<<20+600*len(data)) {
			t.Fatalf("%d bytes allocated for a pickle of %d", got, len(data))
		}
		if err != nil {
			var syntax *pickle.SyntaxError
			var misfit *pickle.Error
			if !errors.As(err, &syntax) && !errors.As(err, &misfit) {
				t.Fatalf("an error of an unknown type: %v", err)
			}
			return
		}
		once, err := pickle.Marshal(v)
		if err != nil {
			if strings.Contains(err.Error(), "cannot be a key") || strings.Contains(err.Error(), "nested deeper") || strings.Contains(err.Error(), "a cycle through") {
				return // Python refuses such a pickle, too
			}
			t.Fatalf("%#v was read and cannot be written: %v", v, err)
		}
		if len(once) > 1<<16+64*len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(once))
		}
		var again any
		if err := pickle.Unmarshal(once, &again); err != nil {
			t.Fatalf("%#v was written and cannot be read: %v", v, err)
		}
		if bytes.Contains(data, []byte("copy")) || bytes.Contains(data, []byte("getattr")) {
			return // these forms become simpler with each turn
		}
		twice, err := pickle.Marshal(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%#v reads as %#v: %v\n%q\n%q", v, again, err, once, twice)
		}
	})
}

// everything has a field of each kind of target.
type everything struct {
	A *everything
	B []everything
	C map[string]*everything
	D [2]any
	E error
	F float32
	G []byte
	H map[int]struct{}
	I *pickle.NDArray
	J []float64
	K pickle.Dict
	L color
	M []error
	N *node
	O struct{ Left, Right any }
	P string
}

// Targets of types are filled or refused, never more.
func FuzzUnmarshalInto(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []any{new(everything), new([]everything), new(map[string]any), new([][]int), new(error), new([3]int), new(*node), new(map[any]any), new(pickle.Scalar)} {
			if err := bounded(t, data, v); err == nil {
				_, _ = pickle.Marshal(v)
			}
		}
	})
}

// What Go writes, Python reads, writes again with any protocol, and Go reads as equal.
func FuzzAgainstPython(f *testing.F) {
	if len(python.Interpreters()) == 0 {
		f.Skip("no python3 on this machine: nothing to compare with")
	}
	p := startPeer(f, python.Interpreters()[0])
	for i := range 24 {
		f.Add(bytes.Repeat([]byte{byte(i), 1, 0x55, 'x', 0xff, byte(3 * i)}, 8))
	}
	f.Fuzz(func(t *testing.T, recipe []byte) {
		p.t = t
		g := &generator{recipe: recipe}
		v := g.value(0)
		b := marshal(t, v)
		var own any
		if err := pickle.Unmarshal(b, &own); err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		protocol := g.n(p.highest + 1)
		var back any
		data := p.again(b, protocol)
		if err := pickle.Unmarshal(data, &back); err != nil {
			t.Fatalf("%#v, protocol %d: %v in %q", v, protocol, err, data)
		}
		// Python may have another order in sets, and shares equal parts differently.
		if got, want := fmt.Sprintf("%#v", back), fmt.Sprintf("%#v", own); !strings.Contains(want, "0x") && got != want {
			t.Fatalf("protocol %d: %s, want %s", protocol, got, want)
		}
	})
}

// generator makes a value of a recipe.
type generator struct{ recipe []byte }

// n takes a number below limit.
func (g *generator) n(limit int) int {
	if len(g.recipe) == 0 {
		return 0
	}
	b := g.recipe[0]
	g.recipe = g.recipe[1:]
	return int(b) % limit
}

func (g *generator) bytes() []byte {
	n := min(g.n(256), len(g.recipe))
	b := g.recipe[:n]
	g.recipe = g.recipe[n:]
	return b
}

func (g *generator) value(depth int) any {
	kinds := 15
	if depth > 4 {
		kinds = 11
	}
	switch g.n(kinds) {
	case 0:
		return nil
	case 1:
		return g.n(2) == 1
	case 2:
		return int64(g.n(256)) << g.n(56)
	case 3:
		return -int64(g.n(256)) << g.n(56)
	case 4:
		return new(big.Int).Sub(new(big.Int).SetBytes(g.bytes()), big.NewInt(1000))
	case 5:
		return float64(g.n(256)) / 8
	case 6:
		return strings.ToValidUTF8(string(g.bytes()), "\u20ac")
	case 7:
		return g.bytes()
	case 8:
		return pickle.ByteArray(g.bytes())
	case 9:
		return time.Duration(g.n(256)-128) * time.Duration(g.n(256)) * time.Millisecond
	case 10:
		return pickle.Date{Year: 1 + g.n(200), Month: time.Month(1 + g.n(12)), Day: 1 + g.n(28)}
	case 11:
		return g.list(depth)
	case 12:
		return pickle.Tuple(g.list(depth))
	case 13:
		return pickle.FrozenSet{int64(g.n(256))}
	}
	d := pickle.OrderedDict{}
	for i, v := range g.list(depth) {
		d = append(d, pickle.Item{Key: int64(i), Value: v})
	}
	return d
}

func (g *generator) list(depth int) []any {
	list := []any{}
	for range g.n(8) {
		list = append(list, g.value(depth+1))
	}
	return list
}
