package thread_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// What the Examples shorten, with the times that the programs have. JoinAll is about all
// threads, so these tests are not parallel.

func TestFiveStudentsTakeTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		lines := make(chan string, 5)
		for i := range 5 {
			startThread(t, t.Context(), "", func(context.Context) error {
				lines <- fmt.Sprintf("学生%d", i)
				time.Sleep(2 * time.Second)
				return nil
			})
		}
		synctest.Wait()
		if len(lines) != 5 || time.Since(began) != 0 {
			t.Errorf("%d lines after %v", len(lines), time.Since(began))
		}
		if err := thread.JoinAll(t.Context()); err != nil || time.Since(began) != 2*time.Second {
			t.Error(err, time.Since(began))
		}
	})
}

func TestSingingAndDancingInterleave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		lines := make(chan string, 6)
		for _, what := range []string{"sing", "dance"} {
			startThread(t, t.Context(), what, func(ctx context.Context) error {
				for i := range 3 {
					lines <- fmt.Sprint(thread.Current(ctx).Name(), i)
					time.Sleep(time.Second)
				}
				return nil
			})
		}
		if time.Since(began) != 0 {
			t.Error("main's own work ended after", time.Since(began))
		}
		if err := thread.JoinAll(t.Context()); err != nil || time.Since(began) != 3*time.Second {
			t.Error(err, time.Since(began))
		}
		for i := range 3 {
			second := []string{<-lines, <-lines}
			slices.Sort(second)
			if want := []string{fmt.Sprint("dance", i), fmt.Sprint("sing", i)}; !slices.Equal(second, want) {
				t.Errorf("%v in second %d", second, i)
			}
		}
	})
}

func TestTheNumberOfThreadsFalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for i := range 2 {
			startThread(t, t.Context(), "", func(context.Context) error {
				time.Sleep(time.Duration(i+1)*time.Second - time.Millisecond)
				return nil
			})
		}
		var lengths []int
		for {
			n := len(thread.Enumerate())
			lengths = append(lengths, n)
			if n == 1 {
				break
			}
			time.Sleep(time.Second)
		}
		if !slices.Equal(lengths, []int{3, 2, 1}) {
			t.Error(lengths)
		}
	})
}
