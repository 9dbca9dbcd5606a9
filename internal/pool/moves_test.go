package pool_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func moves(j *pool.Job) { j.Moves = true }

// An input that can be sent only once waits for an idle worker.
func TestAloneIsNeverSentAhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.submit(1000, trivial).succeeded() // from now on, many are sent at once
		l.mu.Lock()
		l.batches, l.largest = 0, 0
		l.mu.Unlock()
		k := l.submit(50, trivial, moves, func(j *pool.Job) { j.Chunk = 10 })
		k.succeeded()
		l.mu.Lock()
		batches, largest := l.batches, l.largest
		l.mu.Unlock()
		if batches != 50 || largest != 1 {
			t.Errorf("%d batches, the largest with %d items", batches, largest)
		}
		l.end()
	})
}

// Such an input does not wait behind a long task while another worker is idle.
func TestAloneIsNotStuck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		start := time.Now()
		long := l.submit(1, each(func(int) act { return act{takes: 10 * time.Second} }))
		k := l.submit(10, trivial, moves).wait()
		if d := k.get(9).at.Sub(start); d > 100*time.Millisecond {
			t.Errorf("done after %v", d)
		}
		long.wait()
		l.end()
	})
}

// Such a task stays with the worker that has not begun it, as long as the worker may still begin it.
func TestAloneIsNotCalledBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.submit(10, trivial).succeeded()
		for i := range 2 {
			l.worker(i).stop()
		}
		k := l.submit(1, trivial, moves)
		time.Sleep(10 * time.Second)
		l.mu.Lock()
		batches := l.batches
		l.mu.Unlock()
		time.Sleep(time.Minute)
		l.mu.Lock()
		if l.batches != batches {
			t.Errorf("it was sent %d times more", l.batches-batches)
		}
		l.mu.Unlock()
		for i := range 2 {
			l.worker(i).cont()
		}
		k.succeeded()
		l.end()
	})
}

// A job of such inputs ends when it is cancelled. When a worker is told to end, all of them still run.
func TestAloneEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.submit(10, trivial).succeeded()
		k := l.submit(5, each(func(int) act { return act{takes: time.Second, obeys: true} }), moves)
		time.Sleep(100 * time.Millisecond)
		l.s.Cancel(&k.job, errCancel)
		k.wait()
		more := l.submit(20, each(func(int) act { return act{takes: time.Second} }), moves)
		time.Sleep(1500 * time.Millisecond)
		if err := l.s.Resize(1); err != nil {
			t.Error(err)
		}
		more.succeeded()
		l.end()
	})
}

// A worker may find out only during Send that an input can be sent only once.
func TestAloneIsFoundOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(3))
		l.submit(2000, trivial).succeeded()
		l.movesFrom.Store(3)
		k := l.submit(500, each(func(i int) act {
			return act{takes: time.Duration(rand.IntN(50)) * time.Microsecond}
		}))
		k.succeeded()
		equal(t, "begins", len(l.seen()), 2500)
		l.end()
	})
}
