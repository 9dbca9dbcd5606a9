//go:build linux

package shared_test

import (
	"context"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/shared"
)

const valueWords = 9

func init() {
	roles["update"] = func(files []*os.File, args []string) { // adds one to all words, so many times
		v := openValue(files[0])
		for range atoi(args[0]) {
			must(addOne(v))
		}
	}
	roles["begin"] = func(files []*os.File, _ []string) { // is inside an update for ever
		v := openValue(files[0])
		_, err := v.Begin(context.Background())
		must(err)
		e, err := shared.OpenEvent(files[1])
		must(err)
		e.Set()
		forever()
	}
}

func openValue(f *os.File) *shared.Value {
	v, err := shared.OpenValue(f)
	must(err)
	return v
}

func addOne(v *shared.Value) error {
	token, err := v.Begin(context.Background())
	if err != nil {
		return err
	}
	words := make([]uint64, valueWords)
	v.Load(words)
	for i := range words {
		words[i]++
	}
	return v.Commit(token, words)
}

func newValue(t *testing.T) *shared.Value {
	t.Helper()
	v, err := shared.NewValue(make([]uint64, valueWords))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestValueIsNeverTorn(t *testing.T) {
	t.Parallel()
	v := newValue(t)
	const each = 3000
	a := play(t, "update", []*os.File{v.File()}, "3000")
	b := play(t, "update", []*os.File{v.File()}, "3000")
	words := make([]uint64, valueWords)
	last := uint64(0)
	for last < 2*each {
		v.Load(words)
		for _, w := range words {
			if w != words[0] {
				t.Fatalf("half of a change is seen: %d", words)
			}
		}
		if words[0] < last {
			t.Fatalf("the value went back from %d to %d", last, words[0])
		}
		last = words[0]
	}
	a.ended()
	b.ended()
}

func TestValueSurvivesADeadWriter(t *testing.T) {
	t.Parallel()
	v, e := newValue(t), newEvent(t)
	c := play(t, "begin", []*os.File{v.File(), e.File()})
	if err := e.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, valueWords)
	v.Load(words) // does not wait
	go c.kill()
	if err := addOne(v); err != nil {
		t.Fatal(err)
	}
	if v.Load(words); words[0] != 1 {
		t.Errorf("the value is %d", words)
	}
}

func TestValueIsOpenedAsSuch(t *testing.T) {
	t.Parallel()
	v := newValue(t)
	if v.Words() != valueWords {
		t.Error(v.Words())
	}
	if _, err := shared.OpenEvent(again(t, v.File())); err == nil {
		t.Error("opened as an event")
	}
	same, err := shared.OpenValue(again(t, v.File()))
	if err != nil || same != v {
		t.Errorf("the same object came as another one: %v", err)
	}
}
