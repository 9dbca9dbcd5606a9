package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/child"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

func TestMain(m *testing.M) {
	if self := spawn.Child(); self != nil {
		child.Serve(self, &kinProgram{})
	}
	os.Exit(m.Run())
}

// kinProgram has a process table, if that is set, and notes what it is told.
type kinProgram struct {
	fuzzProgram
	table  *os.File
	asked  []string
	mu     sync.Mutex
	marked []int
}

// askParent is what Join was given.
var askParent func(proctable.Request)

// joined is what Join got in a child: "none", or the text in the file.
var joined = "never"

func (p *kinProgram) Share() (Sharer, error) { return kinSharer{p}, nil }

type kinSharer struct{ *kinProgram }

func (s kinSharer) Table() *os.File                    { return s.table }
func (kinSharer) Key() uint64                          { return kinKey }
func (s kinSharer) Request(_ int, q proctable.Request) { s.take(q) }

func (p *kinProgram) take(q proctable.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, fmt.Sprint(q.Key, " ", q.Name))
	if q.PIDFD != nil {
		q.PIDFD.Close()
	}
}

// asks has the parent been asked so?
func (p *kinProgram) asks(want ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Equal(p.asked, want)
}

const kinKey = 1<<63 + 17

// kinRequests are those of a child with a table: before it is ready, and from inside a call.
var kinRequests = []string{fmt.Sprint(uint64(kinKey), " first"), "2 second"}

func (p *kinProgram) Join(f *os.File, key uint64, ask func(proctable.Request)) {
	joined = "none"
	if key != kinKey {
		joined = "another key"
	}
	askParent = ask
	if f != nil {
		ask(proctable.Request{Key: key, Name: "first"})
	}
	if f != nil {
		b := make([]byte, 64)
		n, _ := f.ReadAt(b, 0)
		joined = string(b[:n])
	}
}

func (p *kinProgram) MarkDead(pid int) {
	time.Sleep(20 * time.Millisecond) // whoever does not wait for it is seen
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marked = append(p.marked, pid)
}

func (p *kinProgram) has(pid int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.marked, pid)
}

// What a child asks of its program.

func (*kinProgram) EncodeError(b *codec.Buffer, err error) bool {
	b.String(err.Error())
	return false
}
func (*kinProgram) Panicked(any, string) error     { return io.EOF }
func (*kinProgram) Exited() error                  { return io.EOF }
func (*kinProgram) TooLarge(int64, int64) error    { return io.EOF }
func (*kinProgram) TaskKey() any                   { return nil }
func (*kinProgram) Task(string, int, int, int) any { return nil }

func (*kinProgram) Leave(context.Context)                {}
func (*kinProgram) Begin()                               {}
func (*kinProgram) Lookup(string) (child.Handler, error) { return kinHandler{}, nil }

// kinHandler tells what Join got; as an Init it fails with that.
type kinHandler struct{}

func (kinHandler) Open(*codec.Reader, int) (child.Calls, error) { return kinHandler{}, nil }
func (kinHandler) Copies() bool                                 { return false }
func (kinHandler) Call(context.Context, int) error {
	if joined != "none" { // of a descendant, for which this process stands in
		f, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		defer f.Close()
		askParent(proctable.Request{Key: 2, Name: "second", PIDFD: f})
	}
	return nil
}
func (kinHandler) Memory() int                  { return 0 }
func (kinHandler) PutMemory([]byte)             {}
func (kinHandler) Encode(b *codec.Buffer) error { b.String(joined); return nil }

func (kinHandler) CallMemory(context.Context, int, []byte) error { return nil }

func kinFile(t *testing.T) *os.File {
	f, err := os.CreateTemp(t.TempDir(), "table")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	f.WriteString("the table")
	return f
}

func TestTableOfACall(t *testing.T) {
	for _, want := range []string{"none", "the table"} {
		p := &kinProgram{}
		if want != "none" {
			p.table = kinFile(t)
		}
		c, err := StartCall(spawn.Spec{Stdout: io.Discard}, p, Call{Func: "f"}, true, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Wait(); err != nil {
			t.Error(err)
		}
		if !p.has(c.PID()) || len(p.marked) != 1 {
			t.Error("it was not marked dead, or twice", p.marked)
		}
		if want != "none" && !p.asks(kinRequests...) {
			t.Error("requests:", p.asked)
		}
		body, _, ok, err := c.Output()
		if got := codec.NewReader(body).String(); !ok || err != nil || got != want {
			t.Error(got, ok, err)
		}
	}
}

// kinSink notes whether the worker was marked dead before its death was reported.
type kinSink struct {
	fuzzSink
	outcome chan string
	died    chan struct{}
}

func (s *kinSink) Results(rs []pool.Result) { s.outcome <- codec.NewReader(rs[0].Payload).String() }
func (s *kinSink) Ended(*pool.Batch, time.Duration, time.Duration) {
}
func (s *kinSink) Died(pool.Death) { close(s.died) }

func TestTableOfAWorker(t *testing.T) {
	for _, want := range []string{"none", "the table"} {
		p := &kinProgram{}
		if want != "none" {
			p.table = kinFile(t)
		}
		sink := &kinSink{outcome: make(chan string, 1), died: make(chan struct{})}
		w, err := Start(t.Context(), Spec{Program: p, Timeout: time.Minute, Max: -1}, sink)
		if err != nil {
			t.Fatal(err)
		}
		b := pool.NewBatch(pool.Span{Job: job(false, "in"), N: 1, Attempt: 1})
		w.Open(b)
		w.Send(b, func() {})
		if got := <-sink.outcome; got != want {
			t.Error(got)
		}
		if want != "none" && !p.asks(kinRequests...) {
			t.Error("requests:", p.asked)
		}
		w.Kill()
		<-sink.died
		if !p.has(w.PID()) || len(p.marked) != 1 {
			t.Error("it was not marked dead, or twice", p.marked)
		}
	}
}

// A worker that dies before it is ready is marked dead as well.
func TestEarlyDeathIsMarked(t *testing.T) {
	p := &kinProgram{}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Millisecond, cancel)
	_, err := Start(ctx, Spec{Program: p, Timeout: time.Minute}, &fuzzSink{})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err != nil && len(p.marked) != 1 {
		t.Error(p.marked)
	}
}
