//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// board is memory in which processes say what they do.
type board struct {
	file  *os.File
	words []atomic.Uint64
}

const (
	boardSize  = 4096
	wordInside = 0 // the pid of who is inside of a lock
	wordItems  = 1 // of a condition
	wordTurns  = 8 // of each child, from here on
)

func newBoard(t testing.TB) board {
	t.Helper()
	b, err := shm.NewBlock("board", boardSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.File().Close() })
	return board{b.File(), shm.Elements[atomic.Uint64](b.Bytes(), boardSize/8)}
}

func openBoard(f *os.File) board {
	b, err := shm.AdoptBlock(f, "", boardSize)
	must(err)
	return board{f, shm.Elements[atomic.Uint64](b.Bytes(), boardSize/8)}
}

func kills() int {
	if os.Getenv("MP_LONG") != "" {
		return 500
	}
	return 40
}

func init() {
	roles["kill lock"] = func(files []*os.File, args []string) {
		b, l, turns := openBoard(files[0]), openLock(files[1]), wordTurns+atoi(args[0])
		me := uint64(os.Getpid())
		for {
			g, err := l.Acquire(context.Background())
			must(err)
			if before := b.words[wordInside].Swap(me); before != 0 && !g.Abandoned {
				panic(fmt.Sprint("two inside: ", before, " and ", me))
			}
			for range rand.IntN(200) {
				if b.words[wordInside].Load() != me {
					panic("somebody came in")
				}
			}
			b.words[wordInside].Store(0)
			b.words[turns].Add(1)
			if l.Release(g.Token) != nil {
				panic("not held")
			}
		}
	}
	roles["kill semaphore"] = func(files []*os.File, args []string) { // the check is that of the invariants
		b, s, turns := openBoard(files[0]), openSemaphore(files[1]), wordTurns+atoi(args[0])
		for {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(5000))*time.Microsecond)
			if _, err := s.Acquire(ctx); err == nil {
				if rand.IntN(10) == 0 {
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				}
				must(s.Return(0))
			}
			cancel()
			b.words[turns].Add(1)
		}
	}
	roles["kill condition"] = func(files []*os.File, args []string) { // takes an item each time it is woken
		b, c, turns := openBoard(files[0]), openCondition(files[1:]), wordTurns+atoi(args[0])
		for {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(20000))*time.Microsecond)
			if atoi(args[0]) < 2 { // one of those who never give up
				cancel()
				ctx = context.Background()
			}
			b.words[turns].Add(1)
			g, err := c.Mutex().Acquire(ctx)
			for err == nil && b.words[wordItems].Load() == 0 {
				g, err = c.Wait(ctx, g.Token)
				if g.Abandoned { // who died may have been woken for an item that is still there
					must(c.Notify(g.Token, 1))
				}
			}
			if err == nil {
				b.words[wordItems].Add(^uint64(0))
				c.Mutex().Release(g.Token)
			}
			cancel()
		}
	}
	roles["kill barrier"] = func(files []*os.File, args []string) {
		b, barrier, turns := openBoard(files[0]), openBarrier(files[1]), wordTurns+atoi(args[0])
		for {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			_, err := barrier.Wait(ctx, func() error { return nil })
			cancel()
			if err != nil {
				if !errors.Is(err, carrier.ErrBarrierBroken) && !errors.Is(err, context.DeadlineExceeded) {
					panic(err)
				}
				barrier.Reset()
			}
			b.words[turns].Add(1)
		}
	}
	roles["kill event"] = func(files []*os.File, args []string) { // two that play ball
		b, turns := openBoard(files[0]), wordTurns+atoi(args[0])
		ping, err := shared.OpenEvent(files[1])
		must(err)
		pong, err := shared.OpenEvent(files[2])
		must(err)
		for {
			must(ping.Wait(context.Background()))
			ping.Clear()
			b.words[turns].Add(1)
			pong.Set()
		}
	}
}

// killLoop kills children of a role at random instants, and starts others in their places.
// After each death all others must get on.
func killLoop(t *testing.T, role string, crew int, b board, files []*os.File, feed func()) {
	t.Helper()
	all := append([]*os.File{b.file}, files...)
	team := make([]*child, crew)
	for i := range team {
		team[i] = playTagged(t, nil, role, all, fmt.Sprint(i))
	}
	gotOn := func() {
		t.Helper()
		for i := range team {
			turns := &b.words[wordTurns+i]
			before := turns.Load()
			for end := time.Now().Add(20 * time.Second); turns.Load() == before; time.Sleep(100 * time.Microsecond) {
				feed()
				if time.Now().After(end) {
					t.Fatalf("child %d does not get on", i)
				}
			}
		}
	}
	gotOn()
	for n := range kills() {
		i := rand.IntN(crew)
		end := time.Now().Add(time.Duration(rand.IntN(3000)) * time.Microsecond)
		for time.Now().Before(end) {
			feed()
		}
		if n%2 == 0 {
			team[i].kill()
		} else {
			team[i].killUnnoticed()
		}
		if !team[i].ProcessState.Exited() {
			team[i] = playTagged(t, nil, role, all, fmt.Sprint(i))
			gotOn()
			continue
		}
		t.Fatalf("child %d ended by itself: %v", i, team[i].ProcessState)
	}
	for _, c := range team {
		c.kill()
	}
}

func TestKillsAtALock(t *testing.T) {
	t.Parallel()
	l := newLock(t)
	killLoop(t, "kill lock", 3, newBoard(t), []*os.File{l.File()}, func() { time.Sleep(100 * time.Microsecond) })
	l.Release(acquire(t, l).Token)
	if g := acquire(t, l); g.Abandoned {
		t.Error("abandoned for ever")
	}
}

func TestKillsAtASemaphore(t *testing.T) {
	t.Parallel()
	for _, bounded := range []bool{false, true} {
		s := newSemaphore(t, 2, bounded)
		killLoop(t, "kill semaphore", 4, newBoard(t), []*os.File{s.File()}, func() { time.Sleep(100 * time.Microsecond) })
		if n := s.Available(); n != 2 {
			t.Errorf("bounded %v: %d permits of 2", bounded, n)
		}
	}
}

func TestKillsAtACondition(t *testing.T) {
	t.Parallel()
	c, b := newCondition(t, newLock(t)), newBoard(t)
	killLoop(t, "kill condition", 4, b, conditionFiles(c), func() {
		g := acquire(t, mutexOf(c))
		n := 1
		if g.Abandoned {
			n = 100
		}
		b.words[wordItems].Add(1)
		must(c.Notify(g.Token, n))
		c.Mutex().Release(g.Token)
		for end := time.Now().Add(20 * time.Second); b.words[wordItems].Load() > 0; time.Sleep(10 * time.Microsecond) {
			if time.Now().After(end) {
				t.Fatalf("%d items are there, and nobody wakes up", b.words[wordItems].Load())
			}
		}
	})
	notify(t, c, 100)
	waits(t, c, 0)
}

func TestKillsAtABarrier(t *testing.T) {
	t.Parallel()
	barrier := newBarrier(t, 3)
	killLoop(t, "kill barrier", 3, newBoard(t), []*os.File{barrier.File()}, func() { time.Sleep(100 * time.Microsecond) })
	barrierWorks(t, barrier)
}

func TestKillsAtAnEvent(t *testing.T) {
	t.Parallel()
	ping, pong := newEvent(t), newEvent(t)
	killLoop(t, "kill event", 2, newBoard(t), []*os.File{ping.File(), pong.File()}, func() {
		ping.Set()
		time.Sleep(50 * time.Microsecond)
	})
	runtime.KeepAlive(pong) // as garbage it would close its file
}
