//go:build unix

package talk

import (
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// batchFrame is a batch with that id, and an input of so many bytes.
func batchFrame(t *testing.T, id uint64, size int) *codec.Buffer {
	t.Helper()
	var b, scratch codec.Buffer
	j := job(true, string(make([]byte, size)))
	if voids, _ := encodeBatch(&b, &scratch, &sentBatch{id: id, slot: 1}, pool.NewBatch(pool.Span{Job: j, N: 1, Attempt: 1})); voids != nil {
		t.Fatal(voids)
	}
	return &b
}

// A batch in the inbox is the next one; nothing gets in while the worker does not look.
func TestInbox(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	x := &executor{page: p, queue: make(chan *Batch, 1), hot: waitq.Spin{Enabled: true}}
	if p.Post(batchFrame(t, 1, 10)) {
		t.Error("into a closed inbox")
	}
	for id := range uint64(50) {
		put := make(chan struct{})
		go func() {
			defer close(put)
			if p.Post(batchFrame(t, id, 2*InboxSize)) {
				t.Error("more than the inbox holds")
			}
			for !p.Post(batchFrame(t, id, 100)) {
			}
		}()
		for {
			a, err := x.lookAtInbox()
			if err != nil {
				t.Fatal(err)
			}
			if a == nil {
				continue // the look was over before
			}
			if a.ID != id || len(a.Spans) != 1 {
				t.Fatalf("%+v", a)
			}
			break
		}
		<-put
	}
	x.queue <- &Batch{ID: 77}
	if a, ok := x.await(); !ok || a.ID != 77 {
		t.Errorf("%+v, %v", a, ok)
	}
	close(x.queue)
	if a, ok := x.await(); ok {
		t.Errorf("%+v", a)
	}
}

// lookSink counts what it is told.
type lookSink struct {
	ringSink
	ended int
}

func (s *lookSink) Ended(*pool.Batch, time.Duration, time.Duration) { s.ended++ }

// A look takes the outcome in place of the reader, and tells it when it is over.
func TestLookTakesTheOutcome(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	sink := &lookSink{}
	w := &Worker{program: ringProgram{}, output: noOutput{}, sink: sink, page: p}
	r := &reader{w: w, page: p}
	if r.relieve() {
		t.Error("relieved a reader that is awake")
	}
	work, gone := make(chan int), make(chan struct{})
	defer func() { close(work); <-gone }()
	go func() { // the worker
		defer close(gone)
		o := RingWriter{page: p}
		for slot := range work {
			p.Claims[slot].Claim()
			copy(o.Next(slot, 8, 1), "outcome.")
			o.Add()
			o.Put(Record{Kind: RecordEnded, Slot: slot, Size: 16}, nil)
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
		for !r.look(f) {
			if p.ParentSleeps.Load() != 1 {
				t.Fatal("the worker would not ring")
			}
			if sink.ended > round {
				break // taken when the look was over
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
