package list_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomultiprocessing/mp/internal/list"
)

// element can be in two lists at once.
type element struct {
	number    int
	odd, even list.Node[element]
}

func numbers(l *list.List[element], next func(*element) *element) (all []int) {
	for e := l.First(); e != nil; e = next(e) {
		all = append(all, e.number)
	}
	return all
}

// A list does what a slice would, whatever the order of the operations.
func TestListAgainstSlice(t *testing.T) {
	t.Parallel()
	var l list.List[element]
	var want []*element
	for i := range 10_000 {
		if n := len(want); n == 0 || n < 20 && rand.N(2) == 0 {
			e := &element{number: i}
			l.PushBack(&e.odd, e)
			want = append(want, e)
		} else {
			at := rand.N(n)
			e := want[at]
			want = slices.Delete(want, at, at+1)
			if !e.odd.In() || !l.Remove(&e.odd) || e.odd.In() || l.Remove(&e.odd) {
				t.Fatal("an element cannot be removed exactly once")
			}
		}
		got := numbers(&l, func(e *element) *element { return e.odd.Next() })
		if !slices.EqualFunc(got, want, func(n int, e *element) bool { return n == e.number }) {
			t.Fatalf("%v, want %d elements", got, len(want))
		}
		if l.Empty() != (len(want) == 0) || len(want) > 0 && l.Last() != want[len(want)-1] || len(want) == 0 && l.Last() != nil {
			t.Fatal("Empty or Last is wrong")
		}
	}
}

// A struct has a node for each list that it is in; another list removes nothing.
func TestNodeIsOfOneList(t *testing.T) {
	t.Parallel()
	var odd, even list.List[element]
	e := new(element)
	odd.PushBack(&e.odd, e)
	if even.Remove(&e.odd) {
		t.Error("removed by a list that does not have it")
	}
	even.PushBack(&e.even, e)
	if odd.First() != e || even.First() != e || !odd.Remove(&e.odd) || even.First() != e {
		t.Error("the lists of one struct are not independent")
	}
}
