//go:build linux

package shared_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	// history does random things with a lock, and writes down what, when and with which result.
	roles["history"] = func(files []*os.File, args []string) {
		l, out := openLock(files[0]), bufio.NewWriter(files[1])
		var mu sync.Mutex
		var wait sync.WaitGroup
		for range atoi(args[1]) {
			wait.Go(func() { lockHistory(l, atoi(args[0]), out, &mu) })
		}
		wait.Wait()
		must(out.Flush())
	}
}

const (
	opAcquire = iota
	opTry
	opRelease
)

func lockHistory(l *shared.Lock, n int, out *bufio.Writer, mu *sync.Mutex) {
	did := func(op int, call int64, token uint64, ok bool) {
		returned := monotonic()
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(out, op, call, returned, token, ok)
	}
	for range n {
		call := monotonic()
		var g carrier.Grant
		ok := false
		if rand.IntN(3) == 0 {
			g, ok = l.TryAcquire()
			did(opTry, call, g.Token, ok)
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(3000))*time.Microsecond)
			var err error
			g, err = l.Acquire(ctx)
			ok = err == nil
			cancel()
			did(opAcquire, call, g.Token, ok)
		}
		for range rand.IntN(3) { // more than once, too
			if !ok {
				break
			}
			call = monotonic()
			did(opRelease, call, g.Token, l.Release(g.Token) == nil)
		}
		if ok {
			call = monotonic()
			did(opRelease, call, g.Token, l.Release(g.Token) == nil)
		}
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
		}
	}
}

type lockStep struct {
	op    int
	token uint64 // of a release
}

type lockResult struct {
	token uint64
	ok    bool
}

// lockModel is a lock of which the state is its token, as in the lock itself: odd while held.
// That an attempt fails tells nothing: the lock may just be handed over.
var lockModel = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(uint64), input.(lockStep), output.(lockResult)
		switch {
		case in.op != opRelease && !out.ok:
			return true, s
		case in.op != opRelease:
			return s%2 == 0 && out.token == s/2+1, s + 1
		case s == 2*in.token-1:
			return out.ok, s + 1
		}
		return !out.ok, s
	},
}

func TestLockIsLinearizable(t *testing.T) {
	t.Parallel()
	l := newLock(t)
	var logs []*os.File
	var team []*child
	for range 3 {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		logs = append(logs, f)
		team = append(team, play(t, "history", []*os.File{l.File(), f}, "150", "2"))
	}
	var ops []porcupine.Operation
	for i, c := range team {
		c.ended()
		logs[i].Seek(0, 0)
		for lines := bufio.NewScanner(logs[i]); lines.Scan(); {
			var in lockStep
			var out lockResult
			o := porcupine.Operation{ClientId: i}
			fmt.Sscan(lines.Text(), &in.op, &o.Call, &o.Return, &out.token, &out.ok)
			in.token = out.token
			o.Input, o.Output = in, out
			ops = append(ops, o)
		}
	}
	if len(ops) < 3*2*150 {
		t.Fatalf("only %d operations", len(ops))
	}
	if got := porcupine.CheckOperationsTimeout(lockModel, ops, 15*time.Second); got == porcupine.Illegal {
		t.Error("the history of the lock is not linearizable")
	} else if got == porcupine.Unknown {
		t.Error("the history of the lock is too hard to check")
	}
	// The check finds a lock that is given twice.
	for i, o := range ops {
		if in, out := o.Input.(lockStep), o.Output.(lockResult); in.op == opAcquire && out.ok {
			twice := o
			twice.ClientId = 10
			if porcupine.CheckOperationsTimeout(lockModel, append(ops[:i:i], append([]porcupine.Operation{twice}, ops[i:]...)...), 15*time.Second) == porcupine.Ok {
				t.Error("a lock that is given twice is not noticed")
			}
			break
		}
	}
}
