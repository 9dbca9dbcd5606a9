package task_test

import (
	"context"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/task"
)

type noProgram struct{}

func (noProgram) TaskKey() any                   { return noProgram{} }
func (noProgram) Task(string, int, int, int) any { return nil }

type noClock struct{}

func (noClock) Now() int64                 { return 1 }
func (noClock) Time(int64) time.Time       { return time.Time{} }
func (noClock) Paused(int64) time.Duration { return 0 }

// A cancel is for one item of one batch, whenever it comes.
func TestContextsCancelOne(t *testing.T) {
	t.Parallel()
	var claims task.Claims
	claims.Open(10, 7)
	var o task.Sets
	var cs *task.Set
	next := func(batch uint64, item, left int) context.Context {
		for claims.Begun() <= item {
			claims.Claim()
		}
		if cs == nil || cs.Batch != batch || !cs.Has(item) {
			cs = o.More(&task.Set{Common: &task.Common{Program: noProgram{}, Clock: noClock{}}, Claims: &claims, Batch: batch, First: item, Index: item}, left)
		}
		return cs.At(item - cs.First)
	}
	a := next(1, 0, 3)
	o.Cancel(1, 2) // before it is begun
	if a.Err() != nil {
		t.Error("another item's ctx")
	}
	if c := next(1, 1, 2); c.Err() != nil {
		t.Error("another item's ctx")
	}
	c := next(1, 2, 1)
	select {
	case <-c.Done():
	default:
		t.Error("not cancelled")
	}
	o.Cancel(1, 3) // of the next contexts, which are not there yet
	if c := next(1, 3, 1); c.Err() == nil {
		t.Error("not cancelled")
	}
	o.Forget()
	claims.Open(10, 7)
	if c := next(2, 2, 1); c.Err() != nil {
		t.Error("the next batch's ctx")
	}
	o.Cancel(1, 2) // too late
	if c := next(2, 3, 1); c.Err() != nil {
		t.Error("the next batch's ctx")
	}
}
