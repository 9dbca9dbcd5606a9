//go:build linux

package locks_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A program that never comes to Main is told so by whatever it wants to share.
func TestSharedWithoutMain(t *testing.T) {
	t.Parallel()
	out := testkit.Output(t, testkit.Command(t, testkit.Build(t, "prog", nil), "forget shared"))
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 16 {
		t.Errorf("%q", out)
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, " true "+mp.ErrNoMain.Error()) {
			t.Errorf("%q", line)
		}
	}
}

// locksTouch uses a lock and forgets it.
var locksTouch = mp.Register("locks/touch", func(ctx context.Context, l *mp.Lock) (mp.None, error) {
	return mp.None{}, l.Do(ctx, func(mp.Hold) error { return nil })
})

// locksKept is what a process has of locks, once its garbage is gone: descriptors and
// mappings, and how many pages of memory it has in all.
type locksKept struct{ Descriptors, Mappings, Pages int }

var locksCount = mp.Register("locks/count", func(context.Context, mp.None) (kept locksKept, err error) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		runtime.GC()
		if kept, err = locksKeptNow(); err != nil || kept.Descriptors+kept.Mappings == 0 || time.Now().After(end) {
			return kept, err
		}
	}
})

func locksKeptNow() (kept locksKept, err error) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return kept, err
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "mp-lock") {
			kept.Descriptors++
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return kept, err
	}
	kept.Mappings = strings.Count(string(maps), "mp-lock")
	memory, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return kept, err
	}
	_, err = fmt.Sscan(string(memory), new(int), &kept.Pages)
	return kept, err
}

// Locks that are made, passed to a worker and dropped leave nothing, here and there.
func TestLocksPassedAndDropped(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	descriptors, mappings := testkit.Held(t, "mp-lock")
	pass := func(n int) (here, there locksKept) {
		for range n {
			if _, err := mp.Apply(ctx, pool, locksTouch, testkit.Must(mp.NewLock())(t)); err != nil {
				t.Fatal(err)
			}
		}
		there, err := mp.Apply(ctx, pool, locksCount, mp.None{})
		if err != nil || there.Descriptors+there.Mappings != 0 {
			t.Errorf("the worker has kept %+v, %v", there, err)
		}
		testkit.ComesTo(t, "mp-lock", descriptors+8, mappings+8) // what the last tasks were may still be known
		if here, err = locksKeptNow(); err != nil {
			t.Fatal(err)
		}
		return here, there
	}
	here, there := pass(1000)
	hereNow, thereNow := pass(testkit.Times(1000, 100_000))
	t.Logf("pages before and after: %d and %d here, %d and %d there", here.Pages, hereNow.Pages, there.Pages, thereNow.Pages)
	const most = 32 << 20 / 4096
	if thereNow.Pages > there.Pages+most {
		t.Error("the worker's memory grows")
	}
	if testkit.LongTests && hereNow.Pages > here.Pages+most { // else other tests' garbage is more than the locks
		t.Error("memory grows")
	}
	pool.Terminate()
	testkit.ComesTo(t, "mp-lock", descriptors, mappings)
}
