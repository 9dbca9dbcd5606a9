package testkit

import (
	"bytes"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Until polls for a condition of which nothing tells. It is for the state of other processes and of
// the runtime: what this process does can be waited for.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// UntilBlocked waits until n goroutines that the calling goroutine started are blocked inside a function or
// method, such as "Acquire": from there on they wait for somebody else.
func UntilBlocked(t testing.TB, n int, method string) {
	t.Helper()
	self := goroutines(false)[0].id
	blocked := func() (count int) {
		all := goroutines(true)
		parents := map[int]int{}
		for _, g := range all {
			parents[g.id] = g.parent
		}
		for _, g := range all {
			if g.blocked && strings.Contains(g.stack, "."+method+"(") && descends(parents, g.id, self) {
				count++
			}
		}
		return count
	}
	// One that spins takes a lock for a moment at most: it has to be there twice.
	Until(t, strconv.Itoa(n)+" goroutines wait in "+method, func() bool {
		if blocked() < n {
			return false
		}
		time.Sleep(100 * time.Microsecond)
		return blocked() >= n
	})
}

// UntilIdle waits until at least n goroutines of this process wait and none can run. It is cheaper than
// UntilBlocked where there are thousands, and for tests that run alone.
func UntilIdle(t testing.TB, n int) {
	t.Helper()
	states := []metrics.Sample{
		{Name: "/sched/goroutines/waiting:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/running:goroutines"},
	}
	still := 0 // consecutive looks: the counts are approximate
	Until(t, strconv.Itoa(n)+" goroutines wait", func() bool {
		metrics.Read(states)
		if states[0].Value.Uint64() < uint64(n) || states[1].Value.Uint64() > 0 || states[2].Value.Uint64() > 1 {
			still = 0
		} else {
			still++
		}
		return still == 3
	})
}

// Collect collects garbage, and returns when cleanups of what was garbage before have been called.
func Collect() {
	for range 2 { // what a cleanup let go of is garbage in the next round
		called := make(chan struct{})
		runtime.AddCleanup(&struct{ p *testing.T }{}, func(called chan struct{}) { close(called) }, called)
		runtime.GC()
		<-called
	}
}

func descends(parents map[int]int, g, from int) bool {
	for range len(parents) + 1 {
		if g = parents[g]; g == from {
			return true
		}
	}
	return false
}

// GoroutinesIn counts the goroutines of this process that are inside a function.
func GoroutinesIn(function string) (count int) {
	for _, g := range goroutines(true) {
		if strings.Contains(g.stack, function) {
			count++
		}
	}
	return count
}

// A goroutine is what a stack trace says of it.
type goroutine struct {
	id, parent int
	blocked    bool
	stack      string
}

func goroutines(all bool) (gs []goroutine) {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, all)
	for ; n == len(buf); n = runtime.Stack(buf, all) {
		buf = make([]byte, 2*len(buf))
	}
	for text := range bytes.SplitSeq(buf[:n], []byte("\n\n")) {
		g := goroutine{stack: string(text)}
		head, _, _ := strings.Cut(strings.TrimPrefix(g.stack, "goroutine "), "\n")
		id, state, _ := strings.Cut(head, " [")
		g.id, _ = strconv.Atoi(id)
		for _, prefix := range []string{"select", "chan", "IO wait", "sync.", "semacquire", "sleep"} {
			g.blocked = g.blocked || strings.HasPrefix(state, prefix)
		}
		// A leader sleeps on futexes. Other system calls return, only late where the machine is busy.
		g.blocked = g.blocked || strings.HasPrefix(state, "syscall") && strings.Contains(strings.ToLower(g.stack), "futex")
		if i := strings.LastIndex(g.stack, " in goroutine "); i >= 0 {
			parent, _, _ := strings.Cut(g.stack[i+len(" in goroutine "):], "\n")
			g.parent, _ = strconv.Atoi(parent)
		}
		gs = append(gs, g)
	}
	return gs
}
