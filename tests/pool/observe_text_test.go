//go:build unix

package pool_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Enumerations travel through JSON, and what is none of their names is an error.
func TestEnumerationsAsText(t *testing.T) {
	t.Parallel()
	type all struct {
		Kind  mp.EventKind
		State mp.WorkerState
		When  mp.WaitFor
	}
	in := all{mp.WorkerRecycled, mp.WorkerLeaving, mp.FirstError}
	text, err := json.Marshal(in)
	if want := `{"Kind":"worker recycled","State":"leaving","When":"first error"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	var out all
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("%+v, %v", out, err)
	}
	for _, in := range []all{{}, {99, -3, 7}} {
		text, err := json.Marshal(in)
		if err != nil {
			t.Error(err)
		}
		var out all
		if err := json.Unmarshal(text, &out); err != nil || out != in {
			t.Errorf("%s: %+v, %v", text, out, err)
		}
	}
	for i := mp.TaskQueued; i <= mp.WorkerRecycled; i++ {
		var back mp.EventKind
		if err := back.UnmarshalText([]byte(i.String())); err != nil || back != i {
			t.Errorf("%v: %v, %v", i, back, err)
		}
	}
	for _, bad := range []string{"", "task", "unknown (1)", "unknown (x)", "unknown (99) "} {
		var k mp.EventKind
		if err := k.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) || !strings.Contains(err.Error(), "worker died") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A logger gets what an event or an outcome has, and nothing of the values.
func TestEventsInLogs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("x", "e", mp.PoolEvent{Kind: mp.TaskFailed, Pool: "p", Worker: 2, PID: 7, Func: "f", Index: 0, Attempt: 1, ID: 9, Wall: time.Second, Err: errConform})
	log.Info("x", "e", mp.PoolEvent{Kind: mp.WorkerReady, Pool: "p", Worker: 2, PID: 7, Index: -1})
	log.Info("x", "o", mp.Outcome[string, string]{Index: 3, ID: 9, Pool: "p", In: "secret", Out: "secret", Attempts: 1, PID: 7, Wall: time.Second, CPU: time.Millisecond})
	want := `level=INFO msg=x e.kind="task failed" e.pool=p e.worker=2 e.pid=7 e.func=f e.index=0 e.attempt=1 e.id=9 e.wall=1s e.err="a task has failed"
level=INFO msg=x e.kind="worker ready" e.pool=p e.worker=2 e.pid=7
level=INFO msg=x o.pool=p o.index=3 o.id=9 o.attempts=1 o.pid=7 o.wall=1s o.cpu=1ms
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func TestPoolsString(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Name: "resize", Workers: 2})
		if s := p.String(); p.Name() != "resize" || !strings.HasPrefix(s, "Pool(resize, 2 ") || !strings.HasSuffix(s, ", open)") {
			t.Error(s)
		}
		p.Close()
		if s := fmt.Sprint(p); !strings.HasSuffix(s, ", closed)") {
			t.Error(s)
		}
		p.Terminate()
		if s := fmt.Sprint(p); !strings.HasSuffix(s, ", terminated)") {
			t.Error(s)
		}
		var none *mp.Pool
		if s := none.String(); s != "Pool(nil)" || none.Name() != "" {
			t.Error(s)
		}
	})
}

func TestProcessAndResultString(t *testing.T) {
	t.Parallel()
	p, err := mp.Start(poolCtx(t), conformTask, conformIn{How: "obeys"}, mp.ProcessConfig{Name: "obedient"})
	if err != nil {
		t.Fatal(err)
	}
	if s, want := fmt.Sprint(p), fmt.Sprintf("Process(obedient, pid %d, running)", p.PID()); s != want {
		t.Error(s)
	}
	p.Kill()
	p.Join(poolCtx(t))
	if s, want := fmt.Sprint(p), fmt.Sprintf("Process(obedient, pid %d, signal: killed)", p.PID()); s != want {
		t.Error(s)
	}
	pool := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
	g := newGate(t)
	r := mp.ApplyAsync(poolCtx(t), pool, conformTask, g.task("", 1))
	if s := fmt.Sprint(r); s != "Result(int, pending)" {
		t.Error(s)
	}
	g.open(t)
	r.Get(poolCtx(t))
	if s := fmt.Sprint(r); s != "Result(int, done)" {
		t.Error(s)
	}
	r = mp.ApplyAsync(poolCtx(t), pool, conformTask, conformIn{How: "fails"})
	r.Get(poolCtx(t))
	if s := fmt.Sprint(r); !strings.HasPrefix(s, "Result(int, failed: mp: task conform/task") {
		t.Error(s)
	}
}
