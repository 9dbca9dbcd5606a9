package thread_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

func TestJoinAllDoesNotWaitForDaemons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serves, err := thread.Start(t.Context(), "serves", untilTold, thread.Daemon())
		if err != nil {
			t.Fatal(err)
		}
		works, err := thread.Start(t.Context(), "works", func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !serves.Daemon() || works.Daemon() {
			t.Error("Daemon tells the wrong ones")
		}
		began := time.Now()
		if err := thread.JoinAll(t.Context()); err != nil || time.Since(began) != time.Second || works.Alive() {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := serves.Join(t.Context()); err != nil { // it was told
			t.Error(err)
		}
	})
}

func TestJoinAllThatGivesUpLeavesDaemonsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serves, err := thread.Start(t.Context(), "", untilTold, thread.Daemon())
		if err != nil {
			t.Fatal(err)
		}
		works := startThread(t, t.Context(), "", untilTold)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := thread.JoinAll(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if synctest.Wait(); !serves.Alive() {
			t.Error("the daemon has ended")
		}
		works.Cancel()
		if err := thread.JoinAll(t.Context()); err != nil {
			t.Error(err)
		}
		<-serves.Done()
	})
}

// What a daemon starts with its ctx is a daemon, as in Python.
func TestDaemonsAreInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inner, outer *thread.Thread
		serves, err := thread.Start(t.Context(), "", func(ctx context.Context) error {
			var err error
			if inner, err = thread.Start(ctx, "", untilTold); err != nil {
				return err
			}
			outer, err = thread.Start(context.WithoutCancel(t.Context()), "", func(context.Context) error { return nil })
			return err
		}, thread.Daemon())
		if err != nil {
			t.Fatal(err)
		}
		if err := serves.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !inner.Daemon() || outer.Daemon() {
			t.Errorf("inner %v, outer %v", inner.Daemon(), outer.Daemon())
		}
	})
}
