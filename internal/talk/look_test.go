//go:build unix

package talk

import (
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/waitq"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// batchFrame is a batch with that id, and an input of so many bytes.
func batchFrame(t *testing.T, id uint64, size int) *wire.Buffer {
	t.Helper()
	var b, scratch wire.Buffer
	j := job(true, string(make([]byte, size)))
	if voids, _ := encodeBatch(&b, &scratch, &flight{id: id, slot: 1}, pool.NewBatch(pool.Span{Job: j, N: 1, Attempt: 1})); voids != nil {
		t.Fatal(voids)
	}
	return &b
}

// A batch in the inbox is the next one; nothing gets in while the worker does not look.
func TestInbox(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	x := &executor{page: p, queue: make(chan *assignment, 1), hot: waitq.Spin{Enabled: true}}
	if p.put(batchFrame(t, 1, 10)) {
		t.Error("into a closed inbox")
	}
	for id := range uint64(50) {
		put := make(chan struct{})
		go func() {
			defer close(put)
			if p.put(batchFrame(t, id, 2*inboxSize)) {
				t.Error("more than the inbox holds")
			}
			for !p.put(batchFrame(t, id, 100)) {
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
			if a.id != id || len(a.tasks) != 1 {
				t.Fatalf("%+v", a)
			}
			break
		}
		<-put
	}
	x.queue <- &assignment{id: 77}
	if a, ok := x.await(); !ok || a.id != 77 {
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
		o := outbox{page: p}
		for slot := range work {
			p.claims[slot].Claim()
			copy(o.next(slot, 8, 1), "outcome.")
			o.add()
			o.put(record{kind: recordEnded, slot: slot, size: 16}, nil)
		}
	}()
	for round := range 100 {
		b := pool.NewBatch(pool.Span{Job: &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: 8}}, N: 1, Attempt: 1})
		w.Open(b)
		f := b.Tag.(*flight)
		p.parentSleep.Store(1)
		if !r.relieve() {
			t.Fatal("the reader sleeps")
		}
		if p.parentSleep.Load() != 0 {
			t.Fatal("the worker would ring")
		}
		work <- f.slot
		for !r.look(f) {
			if p.parentSleep.Load() != 1 {
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
	p.parentSleep.Store(1)
	if r.relieve() {
		t.Error("relieved the reader of a dead worker")
	}
}
