//go:build linux

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

func isListed(o mp.Object) bool { return slices.Contains(mp.Objects(), o) }

// everyObject makes one handle of each type.
func everyObject(t *testing.T) (all map[string]mp.Object) {
	t.Helper()
	lock, err := mp.NewLock()
	rlock, err2 := mp.NewRLock()
	sem, err3 := mp.NewSemaphore(1)
	event, err4 := mp.NewEvent()
	barrier, err5 := mp.NewBarrier(2)
	counter, err6 := mp.NewCounter(0)
	memory, err7 := mp.NewMemory(1)
	queue, err8 := mp.NewQueue[string](1)
	a, b, err9 := mp.NewPipe[int]()
	value, err10 := mp.NewValue(1)
	array, err11 := mp.NewArray[byte](1)
	for _, err := range []error{err, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cond, err := mp.NewCondition(lock)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]mp.Object{
		"Lock": lock, "RLock": rlock, "Semaphore": sem, "Event": event, "Barrier": barrier, "Counter": counter, "Memory": memory,
		"Queue": queue, "an end": a, "the other end": b, "Value": value, "Array": array, "Condition": cond,
	}
}

func TestObjectsAreListedUntilClosed(t *testing.T) {
	t.Parallel()
	for name, o := range everyObject(t) {
		if !isListed(o) {
			t.Errorf("%s is not on the list", name)
		}
		var err error
		if q, is := o.(*mp.Queue[string]); is {
			err = q.Detach()
		} else {
			err = o.(interface{ Close() error }).Close()
		}
		if err != nil || isListed(o) {
			t.Errorf("%s is on the list after it was closed (%v)", name, err)
		}
	}
}

func TestObjectsAreListedInTheirOrder(t *testing.T) {
	t.Parallel()
	first, second := testkit.NewQueue[int](t, 1), testkit.NewQueue[string](t, 1)
	all := mp.Objects()
	if a, b := slices.Index(all, mp.Object(first)), slices.Index(all, mp.Object(second)); a < 0 || b < a {
		t.Error(a, b)
	}
}

func TestObjectsKeepNothingAlive(t *testing.T) {
	t.Parallel()
	m, err := mp.NewMemory(1)
	if err != nil {
		t.Fatal(err)
	}
	w := weak.Make(m)
	if !isListed(m) {
		t.Error("it is not on the list")
	}
	m = nil
	testkit.Until(t, "the handle is collected", func() bool {
		runtime.GC()
		return w.Value() == nil
	})
}

func TestObjectsOfPackageThreadAreNotListed(t *testing.T) {
	t.Parallel()
	q, err := thread.NewQueue[int](1)
	l, err2 := thread.NewLock()
	c, err3 := thread.NewCondition(l)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, o := range []mp.Object{q, l, c} {
		if isListed(o) {
			t.Errorf("%T is on the list", o)
		}
	}
}

// listedIn reports how a handle that came to this process is listed.
var listedIn = mp.Register("memory/listed", func(_ context.Context, in *mp.Queue[int]) (string, error) {
	before := isListed(in)
	err := in.Detach()
	return fmt.Sprint(before, isListed(in)), err
})

func TestObjectsOfAWorker(t *testing.T) {
	t.Parallel()
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	got, err := mp.Apply(testkit.Ctx(t), pool, listedIn, testkit.NewQueue[int](t, 1))
	if got != "true false" || err != nil {
		t.Error(got, err)
	}
}

// looker looks at the list while a message is encoded, and refuses to travel.
type looker struct{}

var errRefused = errors.New("refused")

func (looker) MarshalBinary() ([]byte, error) { mp.Objects(); return nil, errRefused }
func (*looker) UnmarshalBinary([]byte) error  { return nil }

// An end whose message was given up is as before, and listed as before.
func TestObjectsListAnEndThatWasGivenBack(t *testing.T) {
	t.Parallel()
	type message struct {
		End *mp.Conn[int]
		L   looker
	}
	a, b, err := mp.NewPipe[int]()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	q := testkit.NewQueue[message](t, 1)
	if err := q.Put(testkit.Ctx(t), message{End: a}); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	if a.Err() != nil || !isListed(a) {
		t.Errorf("it was given back (%v) and is on the list: %v", a.Err(), isListed(a))
	}
}
