//go:build unix

package mp_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// refusing is memory, and does not want to leave its process when it is negative.
type refusing struct{ n int }

var errRefusing = errors.New("refusing: stays here")

func (r refusing) MarshalBinary() ([]byte, error) {
	if r.n < 0 {
		return nil, errRefusing
	}
	return nil, nil
}
func (r *refusing) UnmarshalBinary([]byte) error { return errors.New("refusing: travels as memory") }

func init() { mp.RegisterErrors(errRefusing) }

var refusingMinus = mp.Register("refusing/minus", func(_ context.Context, r refusing) (refusing, error) { return refusing{r.n - 2}, nil })

func refusingIs(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, errRefusing) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestMarshalersOfMemoryMayRefuse: inputs and outputs of every call, items, messages.
func TestMarshalersOfMemoryMayRefuse(t *testing.T) {
	t.Parallel()
	for _, p := range codecBoth(t) {
		if r, err := mp.Apply(testkit.Ctx(t), p, refusingMinus, refusing{5}); r.n != 3 || err != nil {
			t.Error(r, err)
		}
		_, err := mp.Apply(testkit.Ctx(t), p, refusingMinus, refusing{-1})
		refusingIs(t, "input", err)
		_, err = mp.Apply(testkit.Ctx(t), p, refusingMinus, refusing{1})
		refusingIs(t, "output", err)
		out, err := mp.Map(testkit.Ctx(t), p, refusingMinus, []refusing{{9}, {-1}, {1}, {8}})
		var failed *mp.MapError
		if refusingIs(t, "Map", err); !errors.As(err, &failed) || len(failed.Errs) != 2 || out[0].n != 7 || out[3].n != 6 {
			t.Errorf("%v, %v", out, err)
		}
	}
	_, err := testkit.QuietCall(t, refusingMinus, refusing{-1})
	refusingIs(t, "Call's input", err)
	_, err = testkit.QuietCall(t, refusingMinus, refusing{1})
	refusingIs(t, "Call's output", err)
	q, err := mp.NewQueue[refusing](0)
	if err != nil {
		t.Fatal(err)
	}
	refusingIs(t, "Put", q.Put(testkit.Ctx(t), refusing{-1}))
	if err := q.Put(testkit.Ctx(t), refusing{1}); err != nil || q.Len() != 1 {
		t.Error(err, q.Len())
	}
	a, b, err := mp.NewPipe[refusing]()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	refusingIs(t, "Send", a.Send(testkit.Ctx(t), refusing{-1}))
}

// TestMarshalersOfSharedMemory: a Value asks, an Array, which could not, is refused.
func TestMarshalersOfSharedMemory(t *testing.T) {
	t.Parallel()
	for _, newValue := range []func(refusing) (*mp.Value[refusing], error){mp.NewValue[refusing], thread.NewValue[refusing]} {
		_, err := newValue(refusing{-1})
		refusingIs(t, "NewValue", err)
		v, err := newValue(refusing{1})
		if err != nil {
			t.Fatal(err)
		}
		refusingIs(t, "Store", v.Store(testkit.Ctx(t), refusing{-1}))
		refusingIs(t, "Update", v.Update(testkit.Ctx(t), func(r *refusing) { r.n = -7 }))
		if err := v.Update(testkit.Ctx(t), func(r *refusing) { r.n++ }); err != nil || v.Load().n != 2 {
			t.Error(err, v.Load())
		}
	}
	for _, newArray := range []func(int) (*mp.Array[[2]refusing], error){mp.NewArray[[2]refusing], thread.NewArray[[2]refusing]} {
		_, err := newArray(3)
		testkit.Says(t, err, "mp: Array[[2]mp_test.refusing]: ", "MarshalBinary")
	}
}
