//go:build linux

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
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

// pair is both ends of a pipe.
type pair struct{ a, b *mp.Conn[int] }

func (p pair) Close() error { return errors.Join(p.a.Close(), p.b.Close()) }

// detacher is a handle of a queue: Close of the queue would close it for all.
type detacher struct{ q *mp.Queue[*mp.Lock] }

func (d detacher) Close() error { return d.q.Detach() }

// makers make one shared object each.
var makers = map[string]func() (io.Closer, error){
	"array": func() (io.Closer, error) { return mp.NewArray[int](1) },
	"lock":  func() (io.Closer, error) { return mp.NewLock() },
	"queue": func() (io.Closer, error) {
		q, err := mp.NewQueue[*mp.Lock](1)
		return detacher{q}, err
	},
	"pipe": func() (io.Closer, error) {
		a, b, err := mp.NewPipe[int]()
		return pair{a, b}, err
	},
}

// helpful is nil for an error that tells of the limit on descriptors, and what to do about it.
func helpful(err error) error {
	if err == nil {
		return errors.New("there is a descriptor beyond the limit")
	}
	text := err.Error()
	if !errors.Is(err, syscall.EMFILE) || !strings.Contains(text, "ulimit -n, which is 64") || !strings.Contains(text, "Close") || strings.Count(text, "mp: ") != 1 {
		return fmt.Errorf("unhelpful: %w", err)
	}
	return nil
}

// untilFull makes shared objects until the process has no descriptors left, and then closes some
// and makes others again and again.
var untilFull = mp.Register("memory/until full", func(_ context.Context, what string) (mp.None, error) {
	var made []io.Closer
	for {
		c, err := makers[what]()
		if err != nil {
			if err = helpful(err); err != nil {
				return mp.None{}, err
			}
			break
		}
		made = append(made, c)
	}
	for { // a queue takes three
		l, err := mp.NewLock()
		if err != nil {
			break
		}
		made = append(made, l)
	}
	if _, err := mp.OpenMemory("of no such name"); helpful(err) != nil {
		return mp.None{}, helpful(err)
	}
	for range 3000 {
		i := rand.N(len(made))
		made[i].Close()
		l, err := mp.NewLock()
		if err != nil {
			return mp.None{}, err
		}
		made[i] = l
	}
	runtime.KeepAlive(made)
	return mp.None{}, nil
})

// A process that has no descriptors left is told its limit and what to do, and what it closes is free
// at once.
func TestNoDescriptorsLeft(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"array", "lock", "queue", "pipe"} {
		if _, err := mp.Call(testkit.Ctx(t), untilFull, what, mp.ProcessConfig{Limits: mp.Limits{OpenFiles: 64}}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
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
