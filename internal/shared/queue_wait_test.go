//go:build linux

package shared_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// In a process of its own, so that no other test counts.
func init() {
	roles["crowd"] = func(_ []*os.File, _ []string) {
		one, err := shared.NewQueue(0, false, queueKind)
		must(err)
		idle(one)
		many := make([]*shared.Queue, 1000)
		for i := range many {
			many[i], err = shared.NewQueue(0, false, queueKind)
			must(err)
		}
		idle(many...)
	}
}

// idle has 1,000 goroutines wait at queues for a second.
func idle(queues ...*shared.Queue) {
	before := threads()
	cancelAll := wait1000(queues)
	time.Sleep(200 * time.Millisecond)
	if n := threads() - before; n > 20 {
		panic("more threads than 20")
	}
	took := cpuDuring(time.Second)
	for i := 0; i < 2 && took > 10*time.Millisecond; i++ { // they may still be on their way
		took = cpuDuring(time.Second)
	}
	if took > 10*time.Millisecond {
		panic("it took " + took.String() + " of CPU to wait for a second")
	}
	best := cancelAll()
	for range 2 { // the machine may be busy
		cancelAll = wait1000(queues)
		time.Sleep(100 * time.Millisecond)
		best = min(best, cancelAll())
	}
	bound := time.Second // of a busy machine
	if os.Getenv("MP_LONG") != "" {
		bound = 50 * time.Millisecond
	}
	if best > bound {
		panic("all were cancelled after " + best.String())
	}
}

// wait1000 has 1,000 goroutines wait, until they are cancelled, which takes some time.
func wait1000(queues []*shared.Queue) (cancelAll func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for i := range 1000 {
		wait.Go(func() {
			if _, _, err := queues[i%len(queues)].Get(ctx, nil); err != context.Canceled {
				panic(err)
			}
		})
	}
	return func() time.Duration {
		start := time.Now()
		cancel()
		wait.Wait()
		return time.Since(start)
	}
}

func threads() int {
	b, err := os.ReadFile("/proc/self/status")
	must(err)
	_, rest, _ := strings.Cut(string(b), "Threads:")
	return atoi(rest)
}

// cpuDuring is how much CPU this process uses in that time.
func cpuDuring(d time.Duration) time.Duration {
	used := func() time.Duration {
		var r unix.Rusage
		must(unix.Getrusage(unix.RUSAGE_SELF, &r))
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	before := used()
	time.Sleep(d)
	return used() - before
}

func TestQueueThousandsWait(t *testing.T) {
	c := play(t, "crowd", nil)
	c.ended()
}

func TestQueueGivesMemoryBack(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	const size = 16 << 20
	total := long(1<<30, 256<<20)
	p := pattern(size, 1)
	for range total / size {
		put(t, q, p)
	}
	if n := memoryOf(t, q); n < int64(total) {
		t.Errorf("%d bytes of memory hold %d", n, total)
	}
	for range total / size {
		expect(t, q, p)
	}
	if n := memoryOf(t, q); n > 4<<20 {
		t.Errorf("an empty queue takes %d bytes", n)
	}
	small := pattern(100, 2)
	for range 500_000 {
		put(t, q, small)
	}
	for range 500_000 {
		expect(t, q, small)
	}
	if n := memoryOf(t, q); n > 4<<20 {
		t.Errorf("an empty queue takes %d bytes", n)
	}
	put(t, q, p)
	put(t, q, p)
	q.CloseNow()
	if n := memoryOf(t, q); n > 4<<20 {
		t.Errorf("a closed queue takes %d bytes", n)
	}
}

func memoryOf(t *testing.T, q *shared.Queue) int64 {
	t.Helper()
	n, err := q.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A process that is stopped in the middle of a get does not stop those who do not wait,
// nor those whose ctx ends.
func TestQueueOfAStoppedProcess(t *testing.T) {
	t.Parallel()
	exe := invariantsExe(t)
	for _, what := range []string{"put", "get"} {
		tr := newTraffic(t, 0, "small", exe)
		env := []string{"MP_POINT_STOP=1", "MP_POINT=queue." + what + ".locked:3"}
		var c *child
		if what == "put" {
			c = tr.produce(env...).child
		} else {
			c = tr.consume(env...)
			for i := range uint64(10) {
				must(tr.q.TryPut(trafficItem(99, i, "small")))
			}
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(c.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatal("it does not stop:", err, status)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		start := time.Now()
		var tried, waited error
		if what == "put" {
			tried = tr.q.TryPut(bytesItem(nil))
			waited = tr.q.Put(ctx, bytesItem(nil))
		} else {
			_, _, tried = tr.q.TryGet(nil)
			_, _, waited = tr.q.Get(ctx, nil)
		}
		cancel()
		if tried == nil || waited != context.DeadlineExceeded || time.Since(start) > 2*time.Second {
			t.Error(what, tried, waited, time.Since(start))
		}
		n := tr.q.Len() // looks only
		c.kill()
		if what == "put" {
			put(t, tr.q, nil)
		} else if _, _, err := tr.q.Get(soon(t), nil); err != nil || tr.q.Len() != n-1 {
			t.Error("after its death:", err)
		}
	}
}

// Whatever somebody writes to the memory, a queue does not crash and does not hang.
func TestQueueOfHostileMemory(t *testing.T) {
	t.Parallel()
	for round := range long(5000, 300) {
		hostile(t, uint64(round))
	}
}

func hostile(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	q := newQueue(t, int(seed%3)*5, false)
	defer runtime.KeepAlive(q)
	o := q.Object()
	for i := range 20 {
		q.TryPut(bytesItem(pattern(r.IntN(300), i)))
		if i == 10 && seed%2 == 0 {
			q.TryPut(bytesItem(pattern(600_000, i)))
		}
		if i%3 == 0 {
			q.TryGet(nil)
		}
	}
	words := []int{64, 72, 80, 88, 96, 104, 192, 200, 208, 216, 224, 232, 240, 248, 320, 328}
	values := []uint64{0, 1, 7, 8, 1 << 63, 1<<63 - 1, 1<<64 - 1, 1 << 40, 1 << 38, 1 << 20, 1<<20 - 8, r.Uint64(), r.Uint64() >> 40}
	for range 30 {
		for range 1 + r.IntN(3) {
			v := values[r.IntN(len(values))]
			switch r.IntN(4) {
			case 0:
				o.Word(shared.RingAt + 8*r.IntN(200)).Store(v)
			case 1:
				w := o.Word(waitq.StateAt + words[r.IntN(len(words))])
				w.Store(w.Load() + v)
			case 2:
				o.OwnRow(r.IntN(3)).Store(v)
			default:
				o.Word(waitq.StateAt + words[r.IntN(len(words))]).Store(v)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		q.Put(ctx, bytesItem(pattern(r.IntN(300), 1)))
		q.TryGet(nil)
		q.Get(ctx, nil)
		q.TaskDone()
		q.Len()
		q.Full()
		if r.IntN(10) == 0 {
			q.TryPut(bytesItem(pattern(700_000, 3)))
			q.Join(ctx)
			q.CloseNow()
		}
		cancel()
	}
}
