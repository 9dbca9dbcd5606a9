package pool_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// prompt is a worker that ends a task as soon as it gets it, so that only the
// scheduler's own cost is measured.
type prompt struct {
	sink pool.Sink
	sent chan *pool.Batch
	once sync.Once
	dead chan struct{}
}

func (p *prompt) PID() int                                     { return 1 }
func (p *prompt) Capabilities() pool.Capabilities              { return processes }
func (p *prompt) Open(b *pool.Batch)                           { b.Tag = new(claim); b.Tag.(*claim).limit = b.Items() }
func (p *prompt) Send(b *pool.Batch, read func()) int64        { read(); p.sent <- b; return int64(b.Items()) }
func (p *prompt) Running() (*pool.Batch, int, time.Time, bool) { return nil, 0, time.Time{}, false }
func (p *prompt) Cancel(*pool.Batch, int)                      {}
func (p *prompt) Stack(time.Duration) string                   { return "" }
func (p *prompt) Memory() int64                                { return 0 }
func (p *prompt) Kill()                                        { p.Close() }
func (p *prompt) Close()                                       { p.once.Do(func() { close(p.dead) }) }

type claim struct {
	mu           sync.Mutex
	begun, limit int
}

func (p *prompt) Limit(b *pool.Batch, n int) int {
	c := b.Tag.(*claim)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = max(c.begun, min(c.limit, n))
	return c.limit
}

func (p *prompt) serve() {
	results := make([]pool.Result, 0, 256)
	for {
		select {
		case b := <-p.sent:
			c := b.Tag.(*claim)
			results = results[:0]
			for i := range b.Spans {
				c.mu.Lock()
				n := min(b.Spans[i].N, c.limit-c.begun)
				c.begun += n
				c.mu.Unlock()
				if n == 0 {
					break
				}
				results = append(results, pool.Result{Batch: b, Count: n})
			}
			if len(results) > 0 {
				p.sink.Results(results)
			}
			p.sink.Ended(b, time.Duration(b.Items())*100, 0)
		case <-p.dead:
			p.sink.Died(pool.Death{})
			return
		}
	}
}

func benchPool(b *testing.B, workers int) *pool.Scheduler {
	cfg := config(workers)
	cfg.Grace = time.Second
	cfg.Start = func(_ context.Context, _ int, sink pool.Sink) (pool.Worker, error) {
		p := &prompt{sink: sink, sent: make(chan *pool.Batch, 64), dead: make(chan struct{})}
		go p.serve()
		return p, nil
	}
	s, err := pool.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Terminate)
	return s
}

// onFinish is a call that ignores its outcomes.
type onFinish struct {
	pool.Tasks // nil: the fake workers ask for none
	do         func()
}

func (f onFinish) Deliver(*pool.Outcome) {}
func (f onFinish) Finished(error)        { f.do() }

// BenchmarkSubmitOne is a stream of jobs of one task each.
func BenchmarkSubmitOne(b *testing.B) {
	s := benchPool(b, 2)
	ctx := context.Background()
	var left sync.WaitGroup
	left.Add(b.N)
	finished := onFinish{do: left.Done}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		j := &pool.Job{Func: "f", Items: 1, Client: finished}
		if err := s.Submit(ctx, j); err != nil {
			b.Fatal(err)
		}
	}
	left.Wait()
}

// BenchmarkApply waits for each task before the next.
func BenchmarkApply(b *testing.B) {
	s := benchPool(b, 2)
	ctx := context.Background()
	done := make(chan struct{}, 1)
	finished := onFinish{do: func() { done <- struct{}{} }}
	b.ReportAllocs()
	for b.Loop() {
		j := &pool.Job{Func: "f", Items: 1, Client: finished}
		if err := s.Submit(ctx, j); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}

// BenchmarkMapMillion is one job of a million tasks.
func BenchmarkMapMillion(b *testing.B) {
	s := benchPool(b, 2)
	ctx := context.Background()
	done := make(chan struct{}, 1)
	finished := onFinish{do: func() { done <- struct{}{} }}
	b.ReportAllocs()
	for b.Loop() {
		j := &pool.Job{Func: "f", Items: 1e6, Client: finished}
		if err := s.Submit(ctx, j); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}
