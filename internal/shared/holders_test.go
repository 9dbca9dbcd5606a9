//go:build linux

package shared_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

func init() {
	roles["hold and end"] = func(files []*os.File, _ []string) { // without letting go
		_, err := openLock(files[0]).Acquire(context.Background())
		must(err)
		_, err = openSemaphore(files[1]).Acquire(context.Background())
		must(err)
	}
	roles["hold and exec"] = func(files []*os.File, _ []string) { // starts a program that knows nothing of us
		l := openLock(files[0])
		_, err := l.Acquire(context.Background())
		must(err)
		stranger := exec.Command("sleep", "30")
		must(stranger.Start())
		_, err = fmt.Fprintln(files[2], stranger.Process.Pid)
		must(err)
		say(files[1])
	}
	roles["one turn"] = func(files []*os.File, _ []string) { // at everything
		l, s, c := openLock(files[0]), openSemaphore(files[1]), openCoins(files[2])
		must(c.take(context.Background()))
		g, err := l.Acquire(context.Background())
		must(err)
		_, err = s.Acquire(context.Background())
		must(err)
		must(s.Return(0))
		l.Release(g.Token)
	}
	roles["no place"] = func([]*os.File, []string) { // ends well if it cannot share
		if _, err := shared.NewLock(); err == nil || err.Error() !=
			"mp: sharing with other processes: 4096 processes of this program already share memory, which is the limit: "+
				"let some of them end, or give shared objects to fewer" {
			panic(err)
		}
	}
}

func newCoins(t *testing.T) *coins {
	t.Helper()
	o, err := waitq.NewObject(waitq.Shape{Name: "coins", Kind: kindCoins}, coinsCore)
	if err != nil {
		t.Fatal(err)
	}
	return o.Core().(*coins)
}

// Who ends, well or not, has nothing any more.
func TestEndingWhileHolding(t *testing.T) {
	t.Parallel()
	l, s := newLock(t), newSemaphore(t, 1, true)
	play(t, "hold and end", []*os.File{l.File(), s.File()}).ended()
	if g := acquire(t, l); !g.Abandoned {
		t.Error("not abandoned")
	}
	take(t, s)
}

// A program that was started by one who is dead keeps none of his locks.
func TestStrangersKeepNoLock(t *testing.T) {
	t.Parallel()
	l, e := newLock(t), newEvent(t)
	pid, err := os.CreateTemp(t.TempDir(), "")
	must(err)
	defer pid.Close()
	c := play(t, "hold and exec", []*os.File{l.File(), e.File(), pid})
	must(e.Wait(soon(t)))
	c.killUnnoticed()
	if g := acquire(t, l); !g.Abandoned {
		t.Error("not abandoned")
	}
	var stranger int
	pid.Seek(0, 0)
	if _, err := fmt.Fscan(pid, &stranger); err != nil || unix.Kill(stranger, unix.SIGKILL) != nil {
		t.Error("the stranger has ended before:", err)
	}
}

// More processes than a word has bits wait for the same thing.
func TestManyProcessesWait(t *testing.T) {
	t.Parallel()
	const n = 70
	l, s, c := newLock(t), newSemaphore(t, 3, false), newCoins(t)
	var team []*child
	for range n {
		team = append(team, play(t, "one turn", []*os.File{l.File(), s.File(), c.object.File()}))
	}
	for range n {
		c.give()
	}
	for _, one := range team {
		one.ended()
	}
	if l.Locked() || s.Available() != 3 || c.word.Load() != 0 {
		t.Error("locked:", l.Locked(), "permits:", s.Available(), "coins:", c.word.Load())
	}
}

// The last place of the process table is as good as the first, and there is none beyond.
func TestLastPlaceOfTheTable(t *testing.T) { // not parallel: nobody else finds a place
	l, s, c := newLock(t), newSemaphore(t, 1, false), newCoins(t)
	var others []*proctable.Child
	defer func() {
		for _, o := range others {
			o.MarkDead()
		}
	}()
	if c.object.UsedSlots() == proctable.Slots {
		t.Skip("all places were used before, in this process: which is free is not known")
	}
	for c.object.UsedSlots() < proctable.Slots-1 {
		o := proctable.NewChild()
		o.Request(os.Getpid(), proctable.Request{})
		others = append(others, o)
	}
	g := acquire(t, l)
	take(t, s)
	last := play(t, "one turn", []*os.File{l.File(), s.File(), c.object.File()})
	var id proctable.ID
	for ok := false; !ok; id, _, ok = c.line.Oldest() {
		time.Sleep(time.Millisecond)
	}
	if id%proctable.Slots != proctable.Slots-1 {
		t.Errorf("it has place %d", id%proctable.Slots)
	}
	play(t, "no place", nil).ended()
	c.give()
	time.Sleep(20 * time.Millisecond) // it comes for the lock
	l.Release(g.Token)
	must(s.Return(0))
	last.ended()
	l.Release(acquire(t, l).Token)
}
