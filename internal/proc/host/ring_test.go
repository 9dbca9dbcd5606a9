//go:build unix

package host

import (
	"bytes"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/shm"
)

func testPage(t *testing.T) *proto.Page {
	t.Helper()
	p := lastingPage(t)
	t.Cleanup(func() { p.Region.Close() })
	return p
}

// lastingPage stays mapped, as a worker's does: a bell's timer may look at it at any time.
func lastingPage(t *testing.T) *proto.Page {
	t.Helper()
	region, err := shm.New("test", proto.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	return proto.NewPage(region)
}

// Claims and limits from two sides: each item is begun or taken back, never both.
func TestPageClaimsAndLimits(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	for round := range 3000 {
		n := 1 + round%20
		slot := round % proto.Slots
		p.Claims[slot].Open(n, 7)
		begun, limit := 0, n
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				item, ok := p.Claims[slot].Claim()
				if !ok {
					return
				}
				if item != begun {
					t.Errorf("item %d after %d", item, begun)
				}
				begun++
			}
		})
		wg.Go(func() {
			for to := n - 1; to >= 0; to -= 1 + round%3 {
				got, _ := p.Claims[slot].Limit(to)
				if got > limit || got < to {
					t.Errorf("limit(%d) is %d after %d", to, got, limit)
				}
				limit = got
			}
			limit, _ = p.Claims[slot].Limit(0)
		})
		wg.Wait()
		if begun != limit || p.Claims[slot].Begun() != begun {
			t.Fatalf("%d begun, the limit is %d", begun, limit)
		}
	}
}

type ringProgram struct{ fuzzProgram }

// ringSink compares what comes with what was put.
type ringSink struct {
	fuzzSink
	got [][]byte
}

func (s *ringSink) Results(rs []pool.Result) {
	for _, r := range rs {
		size := len(r.Payload) / r.Count
		for i := range r.Count {
			s.got = append(s.got, bytes.Clone(r.Payload[i*size:(i+1)*size]))
		}
	}
}

// What one side puts into the ring comes out at the other in order, whatever its
// size and however full the ring is, with both at work at once.
func TestRingInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 3))
		p := lastingPage(t)
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.SetNonblock(fds[0], true)
		unix.SetNonblock(fds[1], true)
		near, far := os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
		sink := &ringSink{fuzzSink: fuzzSink{t: t, ended: make(map[*pool.Batch]bool)}}
		w := &Worker{output: noOutput{}, program: ringProgram{}, max: -1, frames: frame.NewReader(near), sink: sink, page: p}
		const n, size = 5000, 40
		b := pool.NewBatch(pool.Span{Job: &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: size}}, N: n, Attempt: 1})
		w.Open(b)
		want := make([][]byte, n)
		ended := make(chan struct{})
		go func() { // the worker
			defer close(ended)
			defer far.Close()
			o := proto.NewRingWriter(p, func(has func() bool) {
				for !has() {
					unix.Poll(nil, 1)
				}
			})
			bell := proto.NewDoorbell(p, func() { frame.Write(far, proto.FrameBell, proto.Empty) })
			claim := func() {
				if _, ok := p.Claims[0].Claim(); ok && o.Claimed() {
					bell.Note(false)
				}
			}
			claim()
			for i := 0; i < n; {
				if rng.IntN(3) == 0 {
					k := min(n-i, 1+rng.IntN(1000))
					for range k {
						m := o.Next(0, size, k)
						for j := range m {
							m[j] = byte(i + j)
						}
						want[i] = bytes.Clone(m)
						o.Add()
						claim()
						i++
					}
					continue
				}
				h := proto.Record{Kind: proto.RecordResult, Size: rng.IntN(proto.MaxInline + 1)}
				if rng.IntN(2) == 0 {
					h.Size = rng.IntN(50)
				}
				o.Put(h, func(b []byte) {
					for j := range b {
						b[j] = byte(i + j)
					}
					want[i] = bytes.Clone(b)
				})
				bell.Note(rng.IntN(10) == 0)
				claim()
				i++
			}
			o.CloseRun()
			bell.Ring()
		}()
		r := &reader{w: w, page: p}
		if err := r.loop(); err != errEnd {
			t.Fatal(err)
		}
		if err := r.drain(); err != nil {
			t.Fatal(err)
		}
		near.Close()
		<-ended
		if len(sink.got) != n {
			t.Fatalf("%d of %d outcomes", len(sink.got), n)
		}
		for i := range want {
			if !bytes.Equal(want[i], sink.got[i]) {
				t.Fatalf("outcome %d: %d bytes, not %d", i, len(sink.got[i]), len(want[i]))
			}
		}
	}
}

// The claim of an item commits the outcome before it, and nothing more: what ran at
// a death is the item that was claimed last.
func TestTheNextClaimCommitsAnOutcome(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	sink := &ringSink{fuzzSink: fuzzSink{t: t, done: make(map[*pool.Batch]int), ended: make(map[*pool.Batch]bool)}}
	w := &Worker{output: noOutput{}, program: ringProgram{}, sink: sink, page: p}
	b := pool.NewBatch(pool.Span{Job: &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: 8}}, N: 6, Attempt: 1})
	w.Open(b)
	r := &reader{w: w, page: p}
	o := proto.NewRingWriter(p, nil)
	claim := func() {
		if _, ok := p.Claims[0].Claim(); !ok {
			t.Fatal("not claimed")
		}
	}
	const nothing = -1
	look := func(when string, outcomes int, running int) {
		t.Helper()
		wakes, inRun := r.more(), o.Following(0, 8) != nil && !o.Pending()
		if before := len(sink.got); wakes != (outcomes > before) && inRun {
			t.Errorf("%s: the parent wakes: %v", when, wakes)
		}
		if err := r.drain(); err != nil {
			t.Fatal(when, err)
		}
		if len(sink.got) != outcomes {
			t.Errorf("%s: %d outcomes, want %d", when, len(sink.got), outcomes)
		}
		if _, item, _, ok := w.Running(); ok != (running != nothing) || ok && item != running {
			t.Errorf("%s: item %d runs: %v, want %d", when, item, ok, running)
		}
	}
	add := func() {
		copy(o.Next(0, 8, 6), "outcome.")
		o.Add()
	}
	claim()
	look("the first was claimed", 0, 0)
	add()
	look("it has returned", 0, 0)
	claim()
	o.Claimed()
	look("the second was claimed", 1, 1)
	add()
	claim()
	o.Claimed()
	o.Put(proto.Record{Kind: proto.RecordResult, Size: 3}, nil)
	look("the third had another kind of outcome", 3, nothing)
}

func TestBatchThereAndBack(t *testing.T) {
	t.Parallel()
	j := &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: 8}}
	j.Func = "f"
	f := &sentBatch{id: 77, slot: 5}
	var b, scratch codec.Buffer
	if voids, _ := encodeBatch(&b, &scratch, f, pool.NewBatch(pool.Span{Job: j, First: 3, N: 4, Attempt: 2}, pool.Span{Job: j, First: 9, N: 1, Attempt: 1})); voids != nil {
		t.Fatal(voids)
	}
	a, err := proto.ReadBatch(b.Bytes(), nil, nil)
	if err != nil || a.Slot != 5 || a.ID != 77 || a.Func != "f" || len(a.Spans) != 2 || a.Spans[0].First != 3 || a.Spans[0].N != 4 || a.Spans[0].Attempt != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	whole := b.Bytes()
	for n := range whole { // never a panic
		proto.ReadBatch(whole[:n], nil, nil)
	}
}
