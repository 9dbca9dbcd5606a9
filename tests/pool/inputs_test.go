//go:build linux

package pool_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var (
	inputsMap = mp.Register("inputs/map", func(_ context.Context, m map[int]string) (int, error) {
		if m[0] == "fail" {
			return 0, errors.New("failed")
		}
		return len(m), nil
	})
	inputsAwait = mp.Register("inputs/await", func(ctx context.Context, m map[int]string) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	inputsLen = mp.Register("inputs/len", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
)

// The inputs are the caller's again when the call has its outcome, however it ended: to
// write to a map that is being read would end this program.
func TestInputsMayChangeAfterTheOutcome(t *testing.T) {
	t.Parallel()
	ends := map[string]func(p *mp.Pool, in []map[int]string){
		"fail fast": func(p *mp.Pool, in []map[int]string) {
			mp.Map(context.Background(), p, inputsMap, in, mp.FailFast(), mp.Chunk(1))
		},
		"cancel": func(p *mp.Pool, in []map[int]string) {
			r := mp.MapAsync(context.Background(), p, inputsAwait, in, mp.Chunk(1))
			r.Cancel()
			<-r.Done()
		},
		"ctx": func(p *mp.Pool, in []map[int]string) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Millisecond, cancel)
			mp.Map(ctx, p, inputsAwait, in, mp.Chunk(1))
		},
		"terminate": func(p *mp.Pool, in []map[int]string) {
			r := mp.MapAsync(context.Background(), p, inputsAwait, in, mp.Chunk(1))
			p.Terminate()
			<-r.Done()
		},
	}
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				in := make([]map[int]string, 4)
				for i := range in {
					in[i] = make(map[int]string)
					for k := range 20_000 {
						in[i][k] = "value"
					}
				}
				in[0] = map[int]string{0: "fail"}
				end(p, in)
				for _, m := range in {
					for k := range 100 {
						m[-k] = "changed"
					}
				}
				p.Terminate()
			}
		})
	}
}

// An input that does not fit into a worker is an error of its task, and of nothing else.
func TestInputOverMaxMemory(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1, MaxMemory: 100 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	in := [][]byte{{1}, make([]byte, 400<<20), {1, 2}}
	out, err := mp.Map(testkit.Ctx(t), p, inputsLen, in, mp.Chunk(1))
	var m *mp.MapError
	if !errors.As(err, &m) || len(m.Errs) != 1 || m.Errs[0].Index != 1 || !errors.Is(err, mp.ErrMemory) {
		t.Errorf("%v", err)
	}
	if out[0] != 1 || out[2] != 2 {
		t.Errorf("%v", out)
	}
}

// waits is a value whose decoding waits in the process that sets waitsFor.
type waits struct{ text string }

var waitsFor chan struct{}

func (w waits) MarshalBinary() ([]byte, error) { return []byte(w.text), nil }
func (w *waits) UnmarshalBinary(b []byte) error {
	w.text = string(b)
	if w.text == "exit" {
		runtime.Goexit()
	}
	if waitsFor != nil {
		<-waitsFor
	}
	return nil
}

var inputsWaits = mp.Register("inputs/waits", func(_ context.Context, s string) (waits, error) { return waits{s}, nil })

// An UnmarshalBinary that does not return holds up its own call and nothing else. It is
// not parallel: no other test's outputs wait.
func TestOutputThatIsNotDecoded(t *testing.T) {
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	waitsFor = make(chan struct{})
	stuck := mp.ApplyAsync(context.Background(), p, inputsWaits, "stuck")
	if n, err := mp.Apply(testkit.Ctx(t), p, inputsLen, []byte("abc")); n != 3 || err != nil {
		t.Errorf("another call: %d, %v", n, err)
	}
	p.Terminate()
	if err := p.Join(testkit.Ended()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Join: %v", err)
	}
	close(waitsFor)
	if v, err := stuck.Get(testkit.Ctx(t)); v.text != "stuck" && !errors.Is(err, mp.ErrTerminated) {
		t.Errorf("%+v, %v", v, err)
	}
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Error(err)
	}
	waitsFor = nil
}

// Nor does one that ends its goroutine, as t.FailNow does.
func TestOutputWhoseDecodingExits(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	out, err := mp.Map(testkit.Ctx(t), p, inputsWaits, []string{"a", "exit", "b"})
	var m *mp.MapError
	if !errors.As(err, &m) || len(m.Errs) != 1 || m.Errs[0].Index != 1 || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Errorf("%v", err)
	}
	if out[0].text != "a" || out[2].text != "b" {
		t.Errorf("%+v", out)
	}
}

// exits is a value whose encoding, or decoding, ends the goroutine, in a worker.
type exits struct{ text string }

func (e exits) MarshalBinary() ([]byte, error) {
	if e.text == "exit encoding" {
		runtime.Goexit()
	}
	return []byte(e.text), nil
}

func (e *exits) UnmarshalBinary(b []byte) error {
	if e.text = string(b); e.text == "exit decoding" {
		runtime.Goexit()
	}
	return nil
}

var (
	inputsExitOut = mp.Register("inputs/exit out", func(_ context.Context, s string) (exits, error) { return exits{s}, nil })
	inputsExitIn  = mp.Register("inputs/exit in", func(_ context.Context, e exits) (string, error) { return e.text, nil })
)

// The same in a worker costs the task, or those that were sent with it, and the worker
// goes on.
func TestMarshalerThatExitsInAWorker(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	for range 3 {
		if _, err := mp.Apply(testkit.Ctx(t), p, inputsExitOut, "exit encoding"); err == nil || !strings.Contains(err.Error(), "MarshalBinary") {
			t.Errorf("encoding: %v", err)
		}
		if out, err := mp.Apply(testkit.Ctx(t), p, inputsExitOut, "fine"); out.text != "fine" || err != nil {
			t.Errorf("%+v, %v", out, err)
		}
		if _, err := mp.Apply(testkit.Ctx(t), p, inputsExitIn, exits{"exit decoding"}); err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
			t.Errorf("decoding: %v", err)
		}
		if out, err := mp.Apply(testkit.Ctx(t), p, inputsExitIn, exits{"fine"}); out != "fine" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	}
	if n := p.Stats().Restarts; n != 0 {
		t.Errorf("%d restarts", n)
	}
}

// Join in the iterator of a loop over the pool's results waits for that loop, until its ctx ends.
func TestJoinInAnIterator(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	in := func(yield func([]byte) bool) {
		if !yield([]byte("a")) || !yield([]byte("b")) {
			return
		}
		p.Close()
		ctx, cancel := context.WithTimeout(testkit.Ctx(t), time.Millisecond)
		defer cancel()
		if err := p.Join(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	for range mp.Imap(testkit.Ctx(t), p, inputsLen, in, mp.Window(2)) {
	}
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Errorf("behind it: %v", err)
	}
}
