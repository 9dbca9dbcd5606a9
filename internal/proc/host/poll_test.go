//go:build unix

package host

import (
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// pollSink counts what it is told.
type pollSink struct {
	ringSink
	ended int
}

func (s *pollSink) Ended(*pool.Batch, time.Duration, time.Duration) { s.ended++ }

// A poll takes the outcome in place of the reader, which is woken again when it is over.
func TestPollTakesTheOutcome(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	sink := &pollSink{}
	w := &Worker{program: ringProgram{}, output: noOutput{}, sink: sink, page: p}
	r := &reader{w: w, page: p}
	if r.relieve() {
		t.Error("relieved a reader that is awake")
	}
	work, gone := make(chan int), make(chan struct{})
	defer func() { close(work); <-gone }()
	go func() { // the worker
		defer close(gone)
		o := proto.NewRingWriter(p, nil)
		for slot := range work {
			p.Claims[slot].Claim()
			copy(o.Next(slot, 8, 1), "outcome.")
			o.Add()
			o.Put(proto.Record{Kind: proto.RecordEnded, Slot: slot, Size: 16}, nil)
		}
	}()
	for round := range 100 {
		b := pool.NewBatch(pool.Span{Job: &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: 8}}, N: 1, Attempt: 1})
		w.Open(b)
		f := b.Tag.(*sentBatch)
		p.ParentSleeps.Store(1)
		if !r.relieve() {
			t.Fatal("the reader sleeps")
		}
		if p.ParentSleeps.Load() != 0 {
			t.Fatal("the worker would ring")
		}
		work <- f.slot
		for !r.poll(f) {
			if p.ParentSleeps.Load() != 1 {
				t.Fatal("the worker would not ring")
			}
			if sink.ended > round {
				break // taken when the poll was over
			}
			if !r.relieve() {
				t.Fatal("the reader sleeps again")
			}
		}
		if len(sink.got) != round+1 || sink.ended != round+1 {
			t.Fatalf("%d outcomes, %d ends in round %d", len(sink.got), sink.ended, round)
		}
	}
	r.over = true
	p.ParentSleeps.Store(1)
	if r.relieve() {
		t.Error("relieved the reader of a dead worker")
	}
}
