//go:build linux

package memory_test

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type arrayPoint struct {
	X, Y   float64
	hidden int32
	OK     bool
	Tag    [5]byte
	Hits   atomic.Int64
}

func newArray[T any](t testing.TB, n int) *mp.Array[T] {
	t.Helper()
	return newArrayOn[T](t, testkit.Carriers["processes"], n)
}

func newArrayOn[T any](t testing.TB, c testkit.Carrier, n int) *mp.Array[T] {
	t.Helper()
	a, err := testkit.ArrayOn[T](c, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestArray(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		a := newArrayOn[float64](t, c, 1000)
		s := a.Slice()
		if len(s) != 1000 || cap(s) != 1000 || a.Len() != 1000 {
			t.Fatalf("%d elements, cap %d, Len %d", len(s), cap(s), a.Len())
		}
		for i := range s {
			if s[i] != 0 {
				t.Fatalf("element %d is %v", i, s[i])
			}
			s[i] = float64(i)
		}
		if again := a.Slice(); &again[0] != &s[0] || again[999] != 999 {
			t.Error("Slice is other memory each time")
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("the second Close: %v", err)
		}
		if s := a.Slice(); s != nil || a.Len() != 1000 {
			t.Errorf("closed: %d elements, Len %d", len(s), a.Len())
		}
	})
}

func TestArrayOfStructs(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		a := newArrayOn[arrayPoint](t, c, 100)
		s := a.Slice()
		s[99].X, s[99].hidden, s[99].OK, s[99].Tag = 1.5, -3, true, [5]byte{1, 2, 3, 4, 5}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 1000 {
					a.Slice()[99].Hits.Add(1)
				}
			})
		}
		group.Wait()
		if p := &a.Slice()[99]; p.X != 1.5 || p.hidden != -3 || !p.OK || p.Tag[4] != 5 || p.Hits.Load() != 4000 {
			t.Errorf("%v %v %v %v %v", p.X, p.hidden, p.OK, p.Tag, p.Hits.Load())
		}
		if at := uintptr(unsafe.Pointer(&s[0])); at%4096 != 0 && !c.Goroutines {
			t.Errorf("the elements begin at %x", at)
		}
	})
}

func TestArrayWithoutBytes(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		if s := newArrayOn[int](t, c, 0).Slice(); s == nil || len(s) != 0 {
			t.Errorf("%v", s)
		}
		if s := newArrayOn[struct{}](t, c, math.MaxInt).Slice(); len(s) != math.MaxInt {
			t.Errorf("%d elements", len(s))
		}
		if s := newArrayOn[[3]struct{}](t, c, 5).Slice(); len(s) != 5 {
			t.Errorf("%d elements", len(s))
		}
	})
}

func TestArraysThatCannotBe(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		type Point struct {
			X    int
			Tags [2][]string
		}
		_, err := testkit.ArrayOn[Point](c, 1)
		if want := "mp: Array[Point]: field Point.Tags[] is a []string, which is an address of this process: use an array"; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		for want, err := range map[string]error{
			"Array[string]: a string is an address": arrayError[string](c, 1),
			"Array[*int]: a *int is an address":     arrayError[*int](c, 1),
			"Mutex, which works inside one process": arrayError[struct{ Mu sync.Mutex }](c, 1),
			"invalid argument: -1 elements":         arrayError[int](c, -1),
			"more than can be addressed":            arrayError[[1 << 20]int](c, math.MaxInt>>20),
			"cannot allocate memory":                arrayError[byte](c, math.MaxInt-math.MaxInt%4096),
			c.TooMany():                             arrayError[byte](c, math.MaxInt),
		} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "mp: ") {
				t.Errorf("%v, want something with %q", err, want)
			}
		}
		if err := arrayError[int](c, -1); !errors.Is(err, fs.ErrInvalid) {
			t.Error(err)
		}
	})
}

func arrayError[T any](c testkit.Carrier, n int) error {
	a, err := testkit.ArrayOn[T](c, n)
	a.Close() // of nil too
	return err
}

// What has no handle has nothing.
func TestMemoryOfNoHandle(t *testing.T) {
	t.Parallel()
	for _, a := range []*mp.Array[int]{nil, new(mp.Array[int])} {
		if a.Slice() != nil || a.Len() != 0 || a.Close() != nil {
			t.Error(a)
		}
	}
	for _, m := range []*mp.Memory{nil, new(mp.Memory)} {
		if m.Bytes() != nil || m.Size() != 0 || m.Name() != "" || m.Close() != nil || !errors.Is(m.Unlink(), fs.ErrInvalid) {
			t.Error(m)
		}
	}
}

// Handles that are dropped let go of everything, unless the memory was handed out.
func TestArraysDropped(t *testing.T) {
	descriptors, mappings := testkit.Held(t, "mp-array")
	many := testkit.Times(1000, 100_000)
	for range many {
		if _, err := mp.NewArray[int](10); err != nil {
			t.Fatal(err)
		}
	}
	testkit.ComesTo(t, "mp-array", descriptors, mappings)
	for range many {
		a, err := mp.NewArray[int](10)
		if err != nil {
			t.Fatal(err)
		}
		a.Slice()[9] = 1
		a.Close()
	}
	testkit.ComesTo(t, "mp-array", descriptors, mappings)

	slices := make([][]int, 100)
	for i := range slices {
		a, err := mp.NewArray[int](10)
		if err != nil {
			t.Fatal(err)
		}
		slices[i] = a.Slice()
		slices[i][3] = i
	}
	testkit.ComesTo(t, "mp-array", descriptors, mappings+len(slices))
	for i, s := range slices {
		if s[3] != i {
			t.Errorf("array %d has %d", i, s[3])
		}
	}
	if _, m := testkit.Held(t, "mp-array"); m < len(slices) {
		t.Errorf("%d mappings are left of %d that were handed out", m, len(slices))
	}
}

// Whoever closes while others look gets no error and no double close.
func TestArrayClosedByMany(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		for range testkit.Times(100, 10_000) {
			a := newArrayOn[int](t, c, 1)
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					a.Slice()
					a.Len()
					if err := a.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if a.Slice() != nil {
				t.Error("not closed")
			}
		}
	})
}
