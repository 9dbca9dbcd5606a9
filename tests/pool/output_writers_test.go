//go:build linux

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var outputSay = mp.Register("output/say", func(_ context.Context, s string) (int, error) { return os.Stdout.WriteString(s) })

var outputDies = mp.Register("output/dies", func(_ context.Context, how string) (int, error) {
	fmt.Print("half a line")
	switch how {
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "panic":
		go panic("on a goroutine of its own")
		select {}
	case "stop":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {} // the signal may take a moment
	}
	return 0, nil
})

var outputPanics = mp.Register("output/panics", func(_ context.Context, s string) (int, error) {
	os.Stdout.WriteString(s)
	panic("of a Func")
})

var outputLeaves = mp.Register("output/leaves", func(context.Context, int) (int, error) {
	fmt.Println("mine")
	cmd := exec.Command("sleep", "1000") // holds the pipe as long as the worker lives
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return 0, cmd.Start()
})

// outputText is a writer that may be read while it is written.
type outputText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *outputText) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *outputText) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// outputEvents keeps the events of a pool about its output.
type outputEvents struct {
	mu         sync.Mutex
	lost, late []mp.PoolEvent
}

func (e *outputEvents) add(ev mp.PoolEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch ev.Kind {
	case mp.OutputLost:
		e.lost = append(e.lost, ev)
	case mp.OutputLate:
		e.late = append(e.late, ev)
	}
}

// bytes is how much was lost, and the last reason.
func (e *outputEvents) bytes(t *testing.T) (n int64, why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.lost {
		var lost *mp.OutputError
		if !errors.As(ev.Err, &lost) || ev.Worker == 0 || ev.PID == 0 || ev.Index != -1 {
			t.Errorf("%+v", ev)
			continue
		}
		n, why = n+lost.Lost, lost
	}
	return n, why
}

// A task's output is at the writer when its outcome is, whatever kind of call it is.
func TestOutputComesBeforeTheOutcome(t *testing.T) {
	t.Parallel()
	ctx := poolCtx(t)
	var out outputText
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 3, Stdout: &out})
	for i := range 50 {
		s := fmt.Sprintln("apply", i)
		if _, err := mp.Apply(ctx, p, outputSay, s); err != nil || !strings.HasSuffix(out.String(), s) {
			t.Fatalf("%d: %v, %q", i, err, out.String())
		}
	}
	var in []string
	for i := range 100 {
		in = append(in, fmt.Sprintln("item", i))
	}
	there := func(what, s string) {
		if !strings.Contains(out.String(), s) {
			t.Errorf("%s: %q is not there", what, s)
		}
	}
	for _, chunk := range []int{1, 7} {
		out.mu.Lock()
		out.b.Reset()
		out.mu.Unlock()
		for o := range mp.Outcomes(ctx, p, outputSay, func(yield func(string) bool) {
			for _, s := range in {
				if !yield(s) {
					return
				}
			}
		}, mp.Chunk(chunk)) {
			there("Outcomes", in[o.Index])
		}
	}
	out.mu.Lock()
	out.b.Reset()
	out.mu.Unlock()
	mp.ApplyAsync(ctx, p, outputSay, "async\n").OnDone(func(int, error) { there("OnDone", "async\n") })
	if _, err := mp.Map(ctx, p, outputSay, in); err != nil {
		t.Fatal(err)
	}
	for _, s := range in {
		there("Map", s)
	}
}

// What a task printed whose worker died, or was stopped, is there before its outcome.
func TestOutputOfATaskThatDies(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"kill", "panic", "stop"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			var out outputText
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: &out, Stderr: io.Discard, Grace: 10 * time.Millisecond})
			var opts []mp.TaskOption
			if how == "stop" {
				opts = append(opts, mp.Timeout(300*time.Millisecond))
			}
			_, err := mp.Apply(poolCtx(t), p, outputDies, how, opts...)
			if err == nil || out.String() != "half a line" {
				t.Errorf("%v, %q", err, out.String())
			}
		})
	}
}

// A process that a task has left holds the pipes: nobody waits for it.
func TestOutputOfAGrandchild(t *testing.T) {
	t.Parallel()
	var out outputText
	var events outputEvents
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: &out, Stderr: &out, Events: events.add})
	for i := range 3 {
		if _, err := mp.Apply(poolCtx(t), p, outputLeaves, i); err != nil || strings.Count(out.String(), "mine\n") != i+1 {
			t.Errorf("%v, %q", err, out.String())
		}
	}
	p.Shutdown(poolCtx(t))
	if len(events.late) > 0 {
		t.Errorf("%v", events.late[0].Err)
	}
}

// The writer is read by the goroutine that waits for the outcome: it gets it all the same, and
// an event says that it is early.
func TestOutputWhoseReaderWaits(t *testing.T) {
	t.Parallel()
	var events outputEvents
	r, w := io.Pipe()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: w, Events: events.add})
	begin := time.Now()
	for range 3 { // only the first waits for the writer
		if _, err := mp.Apply(poolCtx(t), p, outputSay, "for the caller\n"); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took > testkit.Within(1500*time.Millisecond) {
		t.Errorf("it took %v", took)
	}
	buf := make([]byte, 100)
	if n, err := r.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "for the caller\n") {
		t.Errorf("%q, %v", buf[:n], err)
	}
	defer w.Close()
	go io.Copy(io.Discard, r)
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if len(events.late) != 1 || events.late[0].Worker != 1 {
		t.Errorf("%v", events.late)
	}
}

// A writer that calls the pool it belongs to waits for itself for a second, and no longer.
func TestOutputWhoseWriterCallsThePool(t *testing.T) {
	t.Parallel()
	var p *mp.Pool
	calls := make(chan error, 1)
	var once sync.Once
	w := outputFunc(func(b []byte) (int, error) {
		once.Do(func() {
			_, err := mp.Apply(poolCtx(t), p, outputSay, "from the writer\n")
			calls <- err
		})
		return len(b), nil
	})
	p = testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: w})
	if _, err := mp.Apply(poolCtx(t), p, outputSay, "first\n"); err != nil {
		t.Error(err)
	}
	if err := <-calls; err != nil {
		t.Error(err)
	}
}

type outputFunc func(b []byte) (int, error)

func (f outputFunc) Write(b []byte) (int, error) { return f(b) }

// A disk that is full for a while.
func TestOutputToAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var events outputEvents
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: out, Events: events.add})
	say := func(s string) {
		if _, err := mp.Apply(poolCtx(t), p, outputSay, s); err != nil {
			t.Error(err)
		}
	}
	say("1\n")
	filler := filepath.Join(dir, "filler")
	full := os.WriteFile(filler, make([]byte, 128<<10), 0o600)
	if !errors.Is(full, syscall.ENOSPC) {
		t.Fatal(full)
	}
	big := strings.Repeat("x", 9999) + "\n"
	say(big)
	os.Remove(filler)
	say("2: there is room again\n")
	say("3\n")
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(out.Name())
	n, why := events.bytes(t)
	if n <= 0 || !errors.Is(why, syscall.ENOSPC) {
		t.Errorf("%d bytes lost: %v", n, why)
	}
	if want := "\n2: there is room again\n3\n"; !strings.HasPrefix(string(text), "1\n") || !strings.HasSuffix(string(text), want) {
		t.Errorf("%.20q...%q", text, text[max(0, len(text)-40):])
	}
	if kept := int64(strings.Count(string(text), "x")); kept+n != int64(len(big)) {
		t.Errorf("%d bytes were written and %d lost, of %d", kept, n, len(big))
	}
}

// Join of a process says what was lost, since there are no events; Call has its output.
func TestOutputLostByAProcess(t *testing.T) {
	t.Parallel()
	broken := outputFunc(func(b []byte) (int, error) { return 0, syscall.EIO })
	cfg := mp.ProcessConfig{Stdout: broken, Stderr: io.Discard}
	proc, err := mp.Start(poolCtx(t), outputSay, "lost\n", cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = proc.Join(poolCtx(t))
	var lost *mp.OutputError
	if !errors.As(err, &lost) || lost.Stream != "stdout" || lost.Lost != 5 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
	if want := "mp: 5 bytes of stdout are lost: input/output error"; err.Error() != want {
		t.Errorf("%q", err.Error())
	}
	if code, exited := proc.ExitCode(); code != 0 || !exited {
		t.Errorf("%d %v", code, exited)
	}
	if n, err := mp.Call(poolCtx(t), outputSay, "lost\n", cfg); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
