//go:build linux

package memory_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// createList is a list that is gone after its test.
func createList(t testing.TB, values ...any) *mp.ShareableList {
	t.Helper()
	l, err := mp.CreateShareableList(memoryName(t), values...)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, l.Memory(), nil)
	return l
}

func listOf(l *mp.ShareableList) []any {
	values := []any{}
	for _, v := range l.All() {
		values = append(values, v)
	}
	return values
}

func TestShareableListHasWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	type celsius float32
	for name, c := range map[string]struct{ in, out []any }{
		"nothing":                             {nil, []any{}},
		"integers":                            {[]any{1, int8(-2), uint16(3), int64(math.MinInt64), uint64(math.MaxInt64)}, []any{int64(1), int64(-2), int64(3), int64(math.MinInt64), int64(math.MaxInt64)}},
		"floats":                              {[]any{1.5, float32(0.25), celsius(-3), math.Inf(1)}, []any{1.5, 0.25, -3.0, math.Inf(1)}},
		"bools":                               {[]any{true, false}, []any{true, false}},
		"texts":                               {[]any{"", "seven..", "eight...", "smörgåsbord"}, []any{"", "seven..", "eight...", "smörgåsbord"}},
		"bytes":                               {[]any{[]byte{}, []byte{0, 1, 255}}, []any{[]byte{}, []byte{0, 1, 255}}},
		"nil":                                 {[]any{nil, 1, nil}, []any{nil, int64(1), nil}},
		"the zero bytes at the end of a text": {[]any{"a\x00b\x00\x00"}, []any{"a\x00b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := createList(t, c.in...)
			if got := listOf(l); !reflect.DeepEqual(got, c.out) || l.Len() != len(c.in) {
				t.Errorf("%#v of %d, want %#v", got, l.Len(), c.out)
			}
			o, err := mp.OpenShareableList(l.Memory().Name())
			if err != nil {
				t.Fatal(err)
			}
			defer o.Memory().Close()
			if got := listOf(o); !reflect.DeepEqual(got, c.out) {
				t.Errorf("opened: %#v", got)
			}
		})
	}
}

func TestShareableListSet(t *testing.T) {
	t.Parallel()
	l := createList(t, 1, "12345678", nil)
	for _, step := range []struct {
		i     int
		v     any
		want  any
		wrong bool
	}{
		{0, 2.5, 2.5, false},
		{0, "8 bytes.", "8 bytes.", false},
		{0, "nine byte", "8 bytes.", true},
		{0, nil, nil, false},
		{1, strings.Repeat("x", 16), strings.Repeat("x", 16), false},
		{1, "", "", false},
		{1, true, true, false},
		{1, []byte("bytes"), []byte("bytes"), false},
		{1, struct{}{}, []byte("bytes"), true},
		{1, uint64(math.MaxUint64), []byte("bytes"), true},
		{2, -1, int64(-1), false},
	} {
		err := l.Set(step.i, step.v)
		got, _ := l.Get(step.i)
		if (err != nil) != step.wrong || !reflect.DeepEqual(got, step.want) {
			t.Errorf("Set(%d, %#v): %v; now it is %#v, want %#v", step.i, step.v, err, got, step.want)
		}
	}
	for _, i := range []int{-1, 3} {
		if _, err := l.Get(i); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Get(%d): %v", i, err)
		}
		if err := l.Set(i, 1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Set(%d): %v", i, err)
		}
	}
}

func TestShareableListRefuses(t *testing.T) {
	t.Parallel()
	if _, err := mp.CreateShareableList(memoryName(t), 1, make(chan int)); err == nil || !strings.Contains(err.Error(), "value 1: a chan int") {
		t.Error(err)
	}
	if _, err := mp.OpenShareableList(memoryName(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	l := createList(t, 1)
	if _, err := mp.CreateShareableList(l.Memory().Name(), 1); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	l.Memory().Close()
	if _, err := l.Get(0); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	if err := l.Set(0, 1); !errors.Is(err, mp.ErrClosed) || l.Len() != 0 {
		t.Error(err, l.Len())
	}
	var none mp.ShareableList
	if _, err := none.Get(0); err == nil || none.Memory() != nil {
		t.Error(err)
	}
}

var listIncrement = mp.Register("test/shareable list", func(_ context.Context, l *mp.ShareableList) (mp.None, error) {
	v, err := l.Get(0)
	if err != nil {
		return mp.None{}, err
	}
	return mp.None{}, l.Set(0, v.(int64)+1)
})

func TestShareableListTravels(t *testing.T) {
	t.Parallel()
	l := createList(t, 41)
	if _, err := mp.Call(testkit.Ctx(t), listIncrement, l); err != nil {
		t.Fatal(err)
	}
	if v, err := l.Get(0); v != int64(42) || err != nil {
		t.Error(v, err)
	}
}

func TestShareableListWithPython(t *testing.T) {
	t.Parallel()
	p := startPython(t)
	if exec.Command(p.cmd.Path, "-c", "import sys; sys.exit(sys.version_info < (3, 9))").Run() != nil {
		t.Skip("this Python is older than 3.9, whose ShareableList has another layout")
	}
	p.says("", "from multiprocessing.shared_memory import ShareableList")
	p.says("", "def opened(name): l = ShareableList(name=name); resource_tracker.unregister(l.shm._name, 'shared_memory'); return l")

	l := createList(t, 7, 2.5, true, "smörgås", []byte("\x01\x02"), nil, "12345678")
	p.says("", "l = opened(%q)", l.Memory().Name())
	p.says(`[7, 2.5, True, 'smörgås', b'\x01\x02', None, '12345678'] qdxxxxxxx?16s8sxxxxxx?x16s`, "print(list(l), l.format)")
	p.says("", "l[0] = -7; l[1] = None; l[3] = 'smör'; l[6] = b'sixteen bytes...'")
	if got := listOf(l); !reflect.DeepEqual(got, []any{int64(-7), nil, true, "smör", []byte("\x01\x02"), nil, []byte("sixteen bytes...")}) {
		t.Errorf("after Python has set them: %#v", got)
	}
	if err := errors.Join(l.Set(0, "text"), l.Set(6, false), l.Set(4, []byte{9})); err != nil {
		t.Error(err)
	}
	p.says(`text False b'\t'`, "print(l[0], l[6], l[4])")
	p.says("", "l.shm.close()")

	name := memoryName(t)
	p.says("", "l = ShareableList([1, 'text', b'', 0.5, None, False], name=%q)", name)
	o, err := mp.OpenShareableList(name)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, o.Memory(), nil)
	if got := listOf(o); !reflect.DeepEqual(got, []any{int64(1), "text", []byte{}, 0.5, nil, false}) {
		t.Errorf("Python's list is %#v", got)
	}
	p.says("", "l.shm.close(); l.shm.unlink()")
	if said := p.end(); said != "" {
		t.Errorf("python said %s", said)
	}
}

// Whatever other programs write into the memory, it is read without a crash.
func FuzzShareableList(f *testing.F) {
	l, err := mp.CreateShareableList("", 1, "text", nil, []byte("b"), true)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Memory().Unlink() })
	f.Add(append([]byte{}, l.Memory().Bytes()...))
	f.Add([]byte{})
	huge := append([]byte{}, l.Memory().Bytes()...)
	binary.NativeEndian.PutUint64(huge[16:], math.MaxUint64)
	f.Add(huge)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := mp.CreateMemory("", max(1, len(data)))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		defer m.Unlink()
		copy(m.Bytes(), data)
		l, err := mp.OpenShareableList(m.Name())
		if err != nil {
			return
		}
		defer l.Memory().Close()
		for i := range min(l.Len(), 100) {
			l.Get(i)
			l.Set(i, "text")
			l.Set(i, 1)
		}
		listOf(l)
	})
}

func TestCreateMemoryPicksAName(t *testing.T) {
	t.Parallel()
	a, err := mp.CreateMemory("", 10)
	closing(t, a, err)
	defer a.Unlink()
	b, err := mp.CreateMemory("", 10)
	closing(t, b, err)
	defer b.Unlink()
	if a.Name() == "" || a.Name() == b.Name() {
		t.Errorf("the names are %q and %q", a.Name(), b.Name())
	}
	copy(a.Bytes(), "found")
	if o := openMemory(t, a.Name()); string(o.Bytes()[:5]) != "found" {
		t.Errorf("under the name there is %q", o.Bytes())
	}
}

func TestShareableListErrorsHaveOnePrefix(t *testing.T) {
	t.Parallel()
	l := createList(t, 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, getting := l.Get(0)
	for method, err := range map[string]error{"Get": getting, "Set": l.Set(0, 2)} {
		if !errors.Is(err, mp.ErrClosed) || strings.Count(err.Error(), "mp: ") != 1 {
			t.Errorf("%s: %v", method, err)
		}
	}
}
