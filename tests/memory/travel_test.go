//go:build linux

package memory_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type memoryParcel struct {
	Memory *mp.Memory
	Named  []*mp.Memory
	Array  map[string]*mp.Array[arrayPoint]
	Nil    *mp.Array[int]
	Any    any
}

func init() { mp.RegisterType[*mp.Array[int8]]("memory/array of int8") }

func TestMemoryTravels(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	sent := memoryParcel{
		Memory: newMemory(t, 5000), Named: []*mp.Memory{createMemory(t, name, 300), nil},
		Array: map[string]*mp.Array[arrayPoint]{"a": newArray[arrayPoint](t, 7)}, Any: newArray[int8](t, 0),
	}
	got := testkit.Pass(t, testkit.Pass(t, sent)) // and on
	defer got.Memory.Close()
	defer got.Named[0].Close()
	defer got.Array["a"].Close()
	if got.Memory.Size() != 5000 || got.Named[0].Size() != 300 || got.Array["a"].Len() != 7 || got.Nil != nil || got.Named[1] != nil || got.Any.(*mp.Array[int8]).Len() != 0 {
		t.Errorf("%+v", got)
	}
	sent.Memory.Bytes()[4999] = 1
	sent.Named[0].Bytes()[299] = 2
	sent.Array["a"].Slice()[6].Hits.Store(3)
	if got.Memory.Bytes()[4999] != 1 || got.Named[0].Bytes()[299] != 2 || got.Array["a"].Slice()[6].Hits.Load() != 3 {
		t.Error("what arrived is other memory")
	}
	if got.Memory.Name() != "" || got.Named[0].Name() != name {
		t.Errorf("the names are %q and %q", got.Memory.Name(), got.Named[0].Name())
	}
	if err := got.Named[0].Unlink(); err != nil {
		t.Error(err)
	}
}

func TestMemoryClosedDoesNotTravel(t *testing.T) {
	t.Parallel()
	m, a := newMemory(t, 1), newArray[arrayPoint](t, 1)
	m.Close()
	a.Close()
	for path, v := range map[string]memoryParcel{
		"in.Memory": {Memory: m}, "in.Named[1]": {Named: []*mp.Memory{nil, m}}, `in.Array["x"]`: {Array: map[string]*mp.Array[arrayPoint]{"x": a}},
	} {
		_, err := testkit.Send(t, v)
		if want := "mp: " + path + ": the shared memory was closed"; !errors.Is(err, mp.ErrClosed) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := testkit.Send(t, memoryParcel{Memory: new(mp.Memory)})
	if !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a zero Memory: %v", err)
	}
}

// A socket sends an empty file for what was closed after the message was made.
func TestMemoryClosedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	for _, m := range []*mp.Memory{newMemory(t, 1), createMemory(t, memoryName(t), 1)} {
		sent, err := testkit.Send(t, m)
		if err != nil {
			t.Fatal(err)
		}
		sent.Files[0].Close()
		empty, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		sent.Files[0] = empty
		if _, err = testkit.Receive[*mp.Memory](sent); err == nil || !strings.Contains(err.Error(), "closed before it was sent") {
			t.Error(err)
		}
		if empty.Close() == nil {
			t.Error("the descriptor was left open")
		}
	}
}

// Whoever sends nonsense gets an error, and no descriptor stays.
func TestMemoryThatIsNone(t *testing.T) {
	t.Parallel()
	m, a := newMemory(t, 5000), newArray[int64](t, 8)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	memory, err := testkit.Send(t, m)
	if err != nil {
		t.Fatal(err)
	}
	array, err := testkit.Send(t, a)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something with %q", what, err, want)
		}
	}
	_, err = testkit.Receive[*mp.Memory](testkit.Sent{Body: memory.Body})
	refuse("no descriptor", err, "a descriptor is missing")
	_, err = testkit.Receive[*mp.Array[int64]](testkit.Sent{Body: array.Body})
	refuse("no descriptor", err, "a descriptor is missing")
	_, err = testkit.Receive[*mp.Memory](testkit.Sent{Body: memory.Body, Files: []*os.File{testkit.Dup(t, null)}})
	refuse("no memory", err, "shared memory")
	_, err = testkit.Receive[*mp.Memory](testkit.Sent{Body: memory.Body, Files: []*os.File{testkit.Dup(t, array.Files[0])}})
	refuse("other memory", err, "64 bytes, not 5000")
	_, err = testkit.Receive[*mp.Array[int32]](testkit.Sent{Body: array.Body, Files: []*os.File{testkit.Dup(t, array.Files[0])}})
	refuse("other elements", err, "of 8 bytes each, not 4")
	_, err = testkit.Receive[*mp.Array[string]](testkit.Sent{Body: array.Body, Files: []*os.File{testkit.Dup(t, array.Files[0])}})
	refuse("elements with pointers", err, "an address of this process")
	for i := range memory.Body {
		for _, flip := range []byte{1, 0x80, 0xff} {
			body := append([]byte(nil), memory.Body...)
			body[i] ^= flip
			if got, err := testkit.Receive[*mp.Memory](testkit.Sent{Body: body, Files: []*os.File{testkit.Dup(t, memory.Files[0])}}); err == nil {
				got.Close()
			}
		}
	}
	for i := range array.Body {
		for flip := range 255 {
			body := append([]byte(nil), array.Body...)
			body[i] ^= byte(flip + 1)
			got, err := testkit.Receive[*mp.Array[int64]](testkit.Sent{Body: body, Files: []*os.File{testkit.Dup(t, array.Files[0])}})
			if err == nil && got != nil && len(got.Slice()) != 8 {
				t.Errorf("%x: %d elements", body, got.Len())
			}
			got.Close()
		}
	}
	for _, f := range append(memory.Files, array.Files...) {
		f.Close()
	}
}

// What arrives and is dropped leaves nothing.
func TestMemoryArrivesAndIsDropped(t *testing.T) {
	name := memoryName(t)
	sent := memoryParcel{Memory: newMemory(t, 1), Named: []*mp.Memory{createMemory(t, name, 1)}}
	heldM, mappedM := testkit.Held(t, "mp-memory")
	heldN, mappedN := testkit.Held(t, name)
	for range testkit.Times(1000, 100_000) {
		testkit.Pass(t, sent)
	}
	testkit.ComesTo(t, "mp-memory", heldM, mappedM)
	testkit.ComesTo(t, name, heldN, mappedN)
}

// arraysInFew makes far more arrays than the process may have descriptors, and drops them.
var arraysInFew = mp.Register("memory/few descriptors", func(_ context.Context, n int) (mp.None, error) {
	for range n {
		a, err := mp.NewArray[int](1)
		if err != nil {
			return mp.None{}, err
		}
		passed, err := mp.NewMemory(1)
		if err != nil {
			return mp.None{}, err
		}
		a.Slice()[0]++
		passed.Bytes()[0]++
		a.Close()
	}
	return mp.None{}, nil
})

// Descriptors that garbage holds are there when they are needed.
func TestMemoryInFewDescriptors(t *testing.T) {
	t.Parallel()
	if _, err := mp.Call(testkit.Ctx(t), arraysInFew, 1000, mp.ProcessConfig{Limits: mp.Limits{OpenFiles: 64}}); err != nil {
		t.Error(err)
	}
}

func BenchmarkArray(b *testing.B) {
	for b.Loop() {
		a, err := mp.NewArray[float64](1000)
		if err != nil {
			b.Fatal(err)
		}
		a.Close()
	}
}

func BenchmarkArraySlice(b *testing.B) {
	a := newArray[float64](b, 1000)
	for b.Loop() {
		a.Slice()[999]++
	}
}
