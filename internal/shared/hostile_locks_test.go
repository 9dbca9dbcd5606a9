//go:build linux

package shared_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Whatever is in the memory of a lock and its like, nobody crashes, and who has a ctx comes back.
func TestLocksOfHostileMemory(t *testing.T) {
	t.Parallel()
	if shm.Invariants {
		t.Skip("the invariants panic")
	}
	turns := 60
	if os.Getenv("MP_LONG") != "" {
		turns = 2000
	}
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range turns {
		l, s, c := newLock(t), newSemaphore(t, 2, rng.IntN(2) == 0), newCondition(t, newLock(t))
		e, b := newEvent(t), newBarrier(t, 1+rng.IntN(3))
		for name, one := range map[string]struct {
			file *os.File
			use  func(ctx context.Context)
		}{
			"lock": {l.File(), func(ctx context.Context) {
				if g, err := l.Acquire(ctx); err == nil {
					l.Release(g.Token)
				}
				l.TryAcquire()
				l.Held()
			}},
			"semaphore": {s.File(), func(ctx context.Context) {
				if _, err := s.Acquire(ctx); err == nil {
					s.Return(0)
				}
				s.Release(1)
				s.TryAcquire()
				s.Available()
			}},
			"condition": {c.File(), func(ctx context.Context) {
				g, err := c.Mutex().Acquire(context.Background())
				must(err)
				must(c.Notify(g.Token, 3))
				if g, err = c.Wait(ctx, g.Token); err == nil {
					c.Mutex().Release(g.Token)
				}
			}},
			"event": {e.File(), func(ctx context.Context) { e.Wait(ctx); e.Set(); e.Clear(); e.IsSet() }},
			"barrier": {b.File(), func(ctx context.Context) {
				b.Wait(ctx, nil)
				b.Waiting()
				b.Broken()
				b.Reset()
				b.Abort()
			}},
		} {
			spoil(t, rng, one.file)
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
			begin := time.Now()
			done := make(chan struct{})
			go func() { one.use(ctx); close(done) }()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				buf := make([]byte, 1<<20)
				t.Fatalf("seed %d: %s: it does not come back\n%s", seed, name, buf[:runtime.Stack(buf, true)])
			}
			cancel()
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("seed %d: %s: %v", seed, name, took)
			}
		}
		runtime.KeepAlive([]any{l, s, c, e, b})
	}
}

// spoil writes nonsense into the words of an object, where it matters.
func spoil(t *testing.T, rng *rand.Rand, f *os.File) {
	t.Helper()
	info, err := f.Stat()
	must(err)
	memory, err := shm.Open(again(t, f), int(info.Size()))
	must(err)
	defer memory.Close()
	me := uint64(proctable.Me())
	words := []uint64{0, 1, 2, 3, me, me<<32 | me, me << 32, 1<<32 - 1, 1 << 31, 1 << 62, ^uint64(0), me<<32 | 1<<31, 1<<32 | me, 2<<32 | me}
	for range 1 + rng.IntN(30) {
		at := []int{40, waitq.StateAt, waitq.StateAt + 8, waitq.StateAt + 16, waitq.StateAt + 64, 1536 + 8*rng.IntN(64), 2048 + 64*rng.IntN(32), 4096 + 8*rng.IntN(64)}[rng.IntN(8)]
		if int(info.Size()) > waitq.PayloadAt && rng.IntN(3) == 0 {
			at = waitq.PayloadAt + 8*rng.IntN((int(info.Size())-waitq.PayloadAt)/8)
		}
		word := words[rng.IntN(len(words))]
		if rng.IntN(3) == 0 {
			word = rng.Uint64()
		}
		memory.Word(at).Store(word)
	}
}
