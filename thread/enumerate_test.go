package thread_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// The tests here are not parallel: all threads of the program matter.

func TestEnumerateListsMainThreadFirstAndThenByStart(t *testing.T) {
	if all := thread.Enumerate(); len(all) != 1 || all[0].Name() != "MainThread" {
		t.Fatal("at first:", all)
	}
	want := []*thread.Thread{thread.Current(t.Context())}
	for range 5 {
		want = append(want, startThread(t, t.Context(), "", untilTold))
	}
	for len(want) > 1 {
		if all := thread.Enumerate(); !slices.Equal(all, want) {
			t.Fatalf("%v, not %v", all, want)
		}
		middle := 1 + (len(want)-1)/2
		want[middle].Cancel()
		if err := want[middle].Join(t.Context()); err != nil {
			t.Error(err)
		}
		want = slices.Delete(want, middle, middle+1)
	}
	if all := thread.Enumerate(); !slices.Equal(all, want) {
		t.Fatal("in the end:", all)
	}
}

func TestEnumerateIsTheCallers(t *testing.T) {
	clear(thread.Enumerate())
	if all := thread.Enumerate(); len(all) != 1 || all[0] == nil {
		t.Error(all)
	}
}

func TestEnumerateWhileThreadsComeAndGo(t *testing.T) {
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for range 200 {
				th := startThread(t, t.Context(), "", func(context.Context) error { return nil })
				if err := th.Join(t.Context()); err != nil {
					t.Error(err)
				}
				if slices.Contains(thread.Enumerate(), th) {
					t.Error("a thread that was joined is listed")
				}
			}
		})
	}
	starters.Wait()
	if all := thread.Enumerate(); len(all) != 1 {
		t.Error("in the end:", all)
	}
}

func TestJoinAllWithoutThreads(t *testing.T) {
	if err := thread.JoinAll(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := thread.JoinAll(ctx); err != nil {
		t.Error("there is nothing to wait for, and a ctx that had ended at entry:", err)
	}
}

func TestJoinAllWaitsForThoseThatStartMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var generation func(left int) func(context.Context) error
		generation = func(left int) func(context.Context) error {
			return func(ctx context.Context) error {
				time.Sleep(time.Second)
				if left == 0 {
					return nil
				}
				_, err := thread.Start(context.WithoutCancel(ctx), "", generation(left-1))
				return err
			}
		}
		startThread(t, t.Context(), "", generation(4))
		if err := thread.JoinAll(t.Context()); err != nil || time.Since(began) != 5*time.Second {
			t.Error(err, time.Since(began))
		}
		if all := thread.Enumerate(); len(all) != 1 {
			t.Error(all)
		}
	})
}

func TestJoinAllGivesUpWithItsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", untilTold)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := thread.JoinAll(ctx); err != context.DeadlineExceeded || !th.Alive() {
			t.Error(err, th)
		}
		th.Cancel()
		if err := thread.JoinAll(t.Context()); err != nil || th.Alive() {
			t.Error(err, th)
		}
	})
}

func TestJoinAllInAThreadWaitsForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleep := func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}
		for range 3 {
			startThread(t, t.Context(), "", sleep)
		}
		joiner := startThread(t, t.Context(), "joiner", func(ctx context.Context) error {
			err := thread.JoinAll(ctx)
			if all := thread.Enumerate(); len(all) != 2 || all[1] != thread.Current(ctx) {
				t.Error("when the others have ended:", all)
			}
			return err
		})
		startThread(t, t.Context(), "", sleep)
		if err := joiner.Join(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestJoinAllTellsNoErrors(t *testing.T) {
	startThread(t, t.Context(), "", func(context.Context) error { return errWork })
	if err := thread.JoinAll(t.Context()); err != nil {
		t.Error(err)
	}
}

// The threads of a bubble are the bubble's, and the others are not.
func TestJoinAllAndBubbles(t *testing.T) {
	outer := startThread(t, t.Context(), "outer", untilTold)
	begin, outside := make(chan bool), make(chan error)
	go func() {
		<-begin
		outside <- thread.JoinAll(context.Background())
	}()
	synctest.Test(t, func(t *testing.T) {
		inner := startThread(t, t.Context(), "inner", untilTold)
		timer := thread.After(time.Hour, func() {})
		inside := make(chan error, 1)
		go func() { inside <- thread.JoinAll(t.Context()) }()
		synctest.Wait()
		outer.Cancel()
		begin <- true
		if err := <-outside; err != nil || !inner.Alive() || len(inside) != 0 {
			t.Error(err, inner, len(inside))
		}
		inner.Cancel()
		synctest.Wait()
		if len(inside) != 0 {
			t.Error("the Timer was not waited for")
		}
		timer.Cancel()
		if err := <-inside; err != nil {
			t.Error(err)
		}
	})
}
