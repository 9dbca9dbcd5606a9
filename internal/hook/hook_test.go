package hook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/hook"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errOdd = errors.New("odd")
	_      = func() int { mp.RegisterError("hook.odd", errOdd); return 0 }()

	square   = mp.Register("hook.square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	upper    = mp.Register("hook.upper", func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil })
	channels = mp.Register("hook.channels", func(context.Context, chan int) (int, error) { return 0, nil })
	even     = mp.Register("hook.even", func(_ context.Context, n int) (string, error) {
		if n%2 == 1 {
			return "", fmt.Errorf("%d: %w", n, errOdd)
		}
		return fmt.Sprint(n), nil
	})
)

// worker runs tasks that it gets as bytes, as another machine would. It cannot take anything back, nor be killed.
type worker struct {
	n    int
	sink pool.Sink
	sent chan delivery
	quit chan struct{}
	once sync.Once

	mu  sync.Mutex
	cur *pool.Batch
	at  time.Time
}

// delivery is a batch as it travels: the function's name and the encoded inputs.
type delivery struct {
	batch  *pool.Batch
	name   string
	inputs [][]byte
	errs   []error
}

func start(_ context.Context, n int, sink pool.Sink) (pool.Worker, error) {
	w := &worker{n: n, sink: sink, sent: make(chan delivery, 2), quit: make(chan struct{})}
	go w.serve()
	return w, nil
}

func (w *worker) PID() int                        { return 100 + w.n }
func (w *worker) Capabilities() pool.Capabilities { return pool.Capabilities{Prefetch: 1} }
func (w *worker) Open(b *pool.Batch) {
	b.Tag = new(task.Claims)
	b.Tag.(*task.Claims).Open(b.Items(), 0)
}
func (w *worker) Limit(b *pool.Batch, n int) int {
	limit, _ := b.Tag.(*task.Claims).Limit(n)
	return limit
}
func (w *worker) Cancel(*pool.Batch, int)    {}
func (w *worker) Stack(time.Duration) string { return "" }
func (w *worker) Memory() int64              { return 0 }
func (w *worker) Close()                     { w.once.Do(func() { close(w.quit) }) }
func (w *worker) Kill()                      { w.Close() }

func (w *worker) Running() (*pool.Batch, int, time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cur == nil {
		return nil, 0, time.Time{}, false
	}
	return w.cur, w.cur.Tag.(*task.Claims).Begun() - 1, w.at, true
}

func (w *worker) Send(b *pool.Batch, read func()) (size int64) {
	d := delivery{batch: b, name: b.Spans[0].Job.Func}
	for i := range b.Spans {
		sp := &b.Spans[i]
		for k := range sp.N {
			body, err := sp.Job.Client.Encode(new(codec.Buffer), sp.First+k, 1)
			var in []byte
			if err == nil {
				in = bytes.Clone(body.Bytes())
			}
			d.inputs, d.errs = append(d.inputs, in), append(d.errs, err)
			size += int64(len(in))
		}
	}
	read()
	select {
	case w.sent <- d:
	case <-w.quit:
	}
	return size
}

func (w *worker) serve() {
	for {
		select {
		case d := <-w.sent:
			w.run(d)
		case <-w.quit:
			w.sink.Died(pool.Death{})
			return
		}
	}
}

func (w *worker) run(d delivery) {
	began := time.Now()
	w.mu.Lock()
	w.cur, w.at = d.batch, began
	w.mu.Unlock()
	for {
		item, ok := d.batch.Tag.(*task.Claims).Claim()
		if !ok {
			break
		}
		r := pool.Result{Batch: d.batch, Count: 1, Owned: true, Err: d.errs[item]}
		if r.Err == nil {
			r.Payload, r.Err = call(d.name, d.inputs[item])
		}
		w.sink.Results([]pool.Result{r})
	}
	w.mu.Lock()
	w.cur = nil
	w.mu.Unlock()
	w.sink.Ended(d.batch, time.Since(began), 0)
}

// call is what happens on the other side: from bytes to bytes. The error crosses as bytes too.
func call(name string, in []byte) ([]byte, error) {
	h, err := hook.Program().Lookup(name)
	if err != nil {
		return nil, err
	}
	calls, err := h.Open(codec.NewReader(in), 1)
	if err == nil {
		err = calls.Call(context.Background(), 0)
	}
	if err != nil {
		var b codec.Buffer
		hook.Program().EncodeError(&b, err)
		return nil, hook.Program().DecodeError(codec.NewReader(bytes.Clone(b.Bytes())))
	}
	if n := calls.Memory(); n > 0 {
		out := make([]byte, n)
		calls.PutMemory(out)
		return out, nil
	}
	var b codec.Buffer
	err = calls.Encode(&b)
	return bytes.Clone(b.Bytes()), err
}

func newPool(t *testing.T, cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	p, err := hook.NewPool[*mp.Pool](cfg, hook.Transport{Workers: "machines", Start: start})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// A pool on another package's transport works as all others.
func TestPoolOfAnotherTransport(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := newPool(t, mp.PoolConfig{Name: "far", Workers: 3})
	if got, want := p.String(), "Pool(far, 3 machines, open)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	in := make([]int, 500)
	for i := range in {
		in[i] = i
	}
	out, err := mp.Map(ctx, p, square, in)
	for i, v := range out {
		if v != i*i {
			t.Fatalf("the square of %d is %d", i, v)
		}
	}
	if err != nil || len(out) != 500 {
		t.Errorf("%d outputs: %v", len(out), err)
	}
	if s, err := mp.Apply(ctx, p, upper, "far"); s != "FAR" || err != nil {
		t.Errorf("%q: %v", s, err)
	}
	var got []string
	for s, err := range mp.Imap(ctx, p, upper, slices.Values([]string{"a", "b", "c"})) {
		if err != nil {
			t.Error(err)
		}
		got = append(got, s)
	}
	if !slices.Equal(got, []string{"A", "B", "C"}) {
		t.Errorf("%q", got)
	}
}

// Errors arrive as they do from processes.
func TestErrorsOfAnotherTransport(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	out, err := mp.Map(t.Context(), p, even, []int{0, 1, 2, 3})
	var failed *mp.MapError
	if !errors.As(err, &failed) || len(failed.Errs) != 2 || !errors.Is(err, errOdd) || failed.Errs[1].Index != 3 || failed.Errs[1].PID <= 100 {
		t.Errorf("%v", err)
	}
	if !slices.Equal(out, []string{"0", "", "2", ""}) {
		t.Errorf("%q", out)
	}
}

// What no other process knows, or cannot travel, is refused.
func TestRefusalsOfAnotherTransport(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	if _, err := mp.Apply(t.Context(), p, channels, nil); err == nil || !strings.Contains(err.Error(), "chan") {
		t.Errorf("a channel: %v", err)
	}
}

// A start that fails is the error of NewPool, and Release is called.
func TestStartThatFails(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	broken := errors.New("unreachable")
	p, err := hook.NewPool[*mp.Pool](mp.PoolConfig{Workers: 2}, hook.Transport{
		Workers: "machines", Release: func() { close(released) },
		Start: func(context.Context, int, pool.Sink) (pool.Worker, error) { return nil, broken },
	})
	if p != nil || !errors.Is(err, broken) {
		t.Errorf("%v: %v", p, err)
	}
	<-released
}

// The configuration is checked as for other pools.
func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := hook.NewPool[*mp.Pool](mp.PoolConfig{Workers: -1}, hook.Transport{Workers: "machines", Start: start}); err == nil {
		t.Error("a pool with -1 workers was made")
	}
}
