//go:build linux

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// initHeld is what a worker's Init and Exit may be given.
type initHeld struct {
	Queue *mp.Queue[[]int]
	Lock  *mp.Lock
	File  *os.File
	Down  string // a file: Init fails while there is one
}

var initHolds = mp.Register("init-files/init", func(ctx context.Context, in initHeld) (mp.None, error) {
	if in.Down != "" {
		if _, err := os.Stat(in.Down); err == nil {
			return mp.None{}, errors.New("the database is down")
		}
	}
	_, err := in.File.Stat()
	return mp.None{}, errors.Join(err, in.Lock.Do(ctx, func(mp.Hold) error { return nil }), in.Queue.Put(ctx, []int{1}))
})

// initEnds are the ways in which a pool, whose workers get what Init holds, comes to its end.
var initEnds = map[string]func(ctx context.Context, in initHeld) error{
	"closed and joined": func(ctx context.Context, in initHeld) error {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(initHolds, in), Exit: mp.Bind(initHolds, in)})
		if err != nil {
			return err
		}
		return errors.Join(p.Close(), p.Join(ctx))
	},
	"drained": func(ctx context.Context, in initHeld) error {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(initHolds, in)})
		if err != nil {
			return err
		}
		p.Drain()
		return p.Join(ctx)
	},
	"terminated": func(_ context.Context, in initHeld) error {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(initHolds, in), Exit: mp.Bind(initHolds, in)})
		if err != nil {
			return err
		}
		p.Terminate()
		return nil
	},
	"Init failed": func(_ context.Context, in initHeld) error {
		in.Down = "/"
		_, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(initHolds, in), Exit: mp.Bind(initHolds, in)})
		if err == nil {
			return errors.New("there is a pool")
		}
		return nil
	},
	"Exit is unknown": func(_ context.Context, in initHeld) error {
		var none *mp.Func[int, int]
		_, err := mp.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(initHolds, in), Exit: mp.Bind(none, 1)})
		if err == nil {
			return errors.New("there is a pool")
		}
		return nil
	},
	"broken": func(ctx context.Context, in initHeld) error {
		in.Down = fmt.Sprintf("%s/mp-down-%d", os.TempDir(), os.Getpid())
		defer os.Remove(in.Down)
		p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(initHolds, in), StartPatience: 50 * time.Millisecond})
		if err != nil {
			return err
		}
		if err := os.WriteFile(in.Down, nil, 0o600); err != nil {
			return err
		}
		if _, err := mp.Apply(ctx, p, killNth, -1); err == nil {
			return errors.New("the worker lives")
		}
		for {
			if _, err = mp.Apply(ctx, p, killNth, 1); errors.Is(err, mp.ErrBroken) {
				return nil // without Close
			}
			if ctx.Err() != nil {
				return err
			}
		}
	},
}

// initLeft makes and ends pools in a process of its own, in which no garbage is collected, and says
// of which of the descriptors that it had before there are more.
var initLeft = mp.Register("init-files/left", func(ctx context.Context, how string) (left string, err error) {
	debug.SetGCPercent(-1)
	file, err := os.CreateTemp("", "init-files")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	q, err := mp.NewQueue[[]int](100)
	if err != nil {
		return "", err
	}
	l, err := mp.NewLock()
	if err != nil {
		return "", err
	}
	before := initOpen()
	for range 3 {
		if err := initEnds[how](ctx, initHeld{Queue: q, Lock: l, File: file}); err != nil {
			return "", err
		}
	}
	if before[file.Name()] != 1 {
		return "", fmt.Errorf("%s is not among %v", file.Name(), before)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		left, now := "", initOpen()
		for link, n := range before {
			if now[link] > n {
				left += fmt.Sprintf("%d of %s, there were %d; ", now[link], link, n)
			}
		}
		if left == "" || how != "broken" || time.Now().After(end) { // nobody waits for the end of what is broken
			return left, nil
		}
		time.Sleep(time.Millisecond)
	}
})

// initOpen is how often each thing is open in this process.
func initOpen() map[string]int {
	links := make(map[string]int)
	all, _ := os.ReadDir("/proc/self/fd")
	for _, e := range all {
		if link, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			links[link]++
		}
	}
	return links
}

// A pool that has ended, whatever way, has let go of what its Init and Exit hold.
func TestEndedPoolHoldsNothingOfInit(t *testing.T) {
	t.Parallel()
	for how := range initEnds {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			left, err := mp.Call(poolCtx(t), initLeft, how)
			if left != "" || err != nil {
				t.Error(left, err)
			}
		})
	}
}
