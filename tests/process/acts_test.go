//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"golang.org/x/sys/unix"
)

// procDo is what a child of these tests is to do.
type procDo struct {
	What string
	Text string
	N    int
}

var procAct = mp.Register("proc/act", func(ctx context.Context, do procDo) (string, error) {
	act, ok := procActs[do.What]
	if !ok {
		return "", fmt.Errorf("no act %q", do.What)
	}
	return act(ctx, do)
})

// procActs is a map from a function, for acts that start processes need procAct.
var procActs map[string]func(ctx context.Context, do procDo) (string, error)

func init() {
	procActs = map[string]func(ctx context.Context, do procDo) (string, error){
		"return": func(context.Context, procDo) (string, error) { return "returned", nil },
		"echo":   func(_ context.Context, do procDo) (string, error) { return do.Text, nil },
		"info":   func(context.Context, procDo) (string, error) { return fmt.Sprintf("%+v", mp.Current()), nil },
		"args":   func(context.Context, procDo) (string, error) { return fmt.Sprintf("%q", os.Args), nil },
		"env":    func(context.Context, procDo) (string, error) { return strings.Join(os.Environ(), "\n"), nil },
		"dir":    func(context.Context, procDo) (string, error) { return os.Getwd() },
		"procs":  func(context.Context, procDo) (string, error) { return fmt.Sprint(runtime.GOMAXPROCS(0)), nil },
		"stdin": func(context.Context, procDo) (string, error) {
			b, err := io.ReadAll(os.Stdin)
			return string(b), err
		},
		"print": func(_ context.Context, do procDo) (string, error) {
			for i := range do.N {
				fmt.Printf("out %s %d\n", do.Text, i)
				fmt.Fprintf(os.Stderr, "err %s %d\n", do.Text, i)
			}
			return "", nil
		},
		"deadline": func(ctx context.Context, _ procDo) (string, error) {
			d, ok := ctx.Deadline()
			return fmt.Sprint(ok, " ", time.Until(d) > 0), nil
		},
		"run":   procRun,
		"error": func(_ context.Context, do procDo) (string, error) { return "", errors.New(do.Text) },
		"panic": func(_ context.Context, do procDo) (string, error) { panic(do.Text) },
		"exit": func(_ context.Context, do procDo) (string, error) {
			os.Exit(do.N)
			return "", nil
		},
		"goexit": func(context.Context, procDo) (string, error) {
			runtime.Goexit()
			return "", nil
		},
		"panic elsewhere": func(_ context.Context, do procDo) (string, error) {
			procIdle(200)
			go func() { panic(do.Text) }()
			select {}
		},
		"nil elsewhere": func(context.Context, procDo) (string, error) {
			procIdle(200)
			go func() { *procNil = 1 }()
			select {}
		},
		"map writes": func(context.Context, procDo) (string, error) {
			m := make(map[int]int)
			for range 4 {
				go func() {
					for i := 0; ; i++ {
						m[i%8] = i
					}
				}()
			}
			select {}
		},
		"stack overflow": func(context.Context, procDo) (string, error) {
			debug.SetMaxStack(16 << 20) // else this takes a gigabyte
			return procRecurse("x"), nil
		},
		"out of memory": func(context.Context, procDo) (string, error) {
			procSink = make([]byte, min(1<<46, math.MaxInt))
			return "", nil
		},
		"eat": func(ctx context.Context, do procDo) (string, error) {
			var all [][]byte
			for range do.N {
				b := make([]byte, 1<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				all = append(all, b)
			}
			procPark(ctx)
			return fmt.Sprint(len(all)), nil
		},
		"deadlock": func(_ context.Context, _ procDo) (string, error) {
			<-make(chan int)
			return "", nil
		},
		"mutex deadlock": func(_ context.Context, _ procDo) (string, error) {
			var mu sync.Mutex
			mu.Lock()
			mu.Lock()
			return "", nil
		},
		"kill self": func(_ context.Context, do procDo) (string, error) {
			syscall.Kill(os.Getpid(), syscall.Signal(do.N))
			select {}
		},
		"too many files": func(context.Context, procDo) (string, error) {
			for i := 0; ; i++ {
				f, err := os.Open("/dev/null")
				if err != nil {
					return fmt.Sprint(i), err
				}
				defer f.Close()
			}
		},
		"nice": func(context.Context, procDo) (string, error) {
			n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
			return fmt.Sprint(20 - n), err
		},
		"spin": func(ctx context.Context, _ procDo) (string, error) {
			for i := 0; ; i++ { //nolint:staticcheck // an endless loop
				procSpun = i
			}
		},
		"sleep":      func(context.Context, procDo) (string, error) { time.Sleep(time.Hour); return "", nil },
		"await":      func(ctx context.Context, _ procDo) (string, error) { <-ctx.Done(); return "", ctx.Err() },
		"await well": func(ctx context.Context, _ procDo) (string, error) { <-ctx.Done(); return "asked", nil },
		"poll": func(ctx context.Context, _ procDo) (string, error) {
			for ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			return "", ctx.Err()
		},
		"derived": func(ctx context.Context, _ procDo) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-ctx.Done()
			return "", ctx.Err()
		},
		"ignore ctx": func(ctx context.Context, _ procDo) (string, error) {
			ctx.Done()
			for {
				time.Sleep(time.Hour)
			}
		},
		"handler": func(ctx context.Context, do procDo) (string, error) {
			c := make(chan os.Signal, 10)
			signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
			if do.N > 0 {
				ctx.Done()
			}
			fmt.Println("ready")
			for range c {
			}
			return "", nil
		},
		"ignore SIGTERM": func(ctx context.Context, do procDo) (string, error) {
			signal.Ignore(syscall.SIGTERM)
			if do.N > 0 {
				ctx.Done()
			}
			fmt.Println("ready")
			time.Sleep(time.Hour)
			return "", nil
		},
		"stop self": func(context.Context, procDo) (string, error) {
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			time.Sleep(time.Hour)
			return "", nil
		},
		"child": func(ctx context.Context, do procDo) (string, error) {
			return mp.Call(ctx, procAct, procDo{What: do.Text, Text: do.Text, N: do.N})
		},
	}
}

var (
	procNil  *int
	procSink []byte
	procSpun int
)

func procPark(ctx context.Context) { <-ctx.Done() }

func procIdle(n int) {
	var started sync.WaitGroup
	for range n {
		started.Add(1)
		go func() {
			started.Done()
			select {}
		}()
	}
	started.Wait()
}

func procRecurse(s string) string {
	if len(s) == math.MaxInt {
		return s
	}
	return procRecurse(s[:1]) + s
}

// procRun runs a command and returns what it says.
func procRun(_ context.Context, do procDo) (string, error) {
	out, err := exec.Command("sh", "-c", do.Text).CombinedOutput()
	return string(out), err
}

// procSay does the same, and says first that it has got so far.
var procSay = mp.Register("proc/say", func(ctx context.Context, do procDo) (string, error) {
	fmt.Println("ready")
	return procActs[do.What](ctx, do)
})

// procWriter is an output that tests can wait for.
type procWriter struct {
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
}

func (w *procWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(b)
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
	return len(b), nil
}

func (w *procWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// await waits until it contains text.
func (w *procWriter) await(t testing.TB, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		w.mu.Lock()
		if strings.Contains(w.b.String(), text) {
			w.mu.Unlock()
			return
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			t.Fatalf("no %q in %q", text, w.String())
		}
	}
}

// procStart starts an act and waits until it is there.
func procStart(t testing.TB, ctx context.Context, do procDo, cfg mp.ProcessConfig) *mp.Process {
	t.Helper()
	out := new(procWriter)
	cfg.Stdout = out
	if cfg.Stderr == nil {
		cfg.Stderr = new(procWriter)
	}
	p, err := mp.Start(ctx, procSay, do, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); <-p.Done() })
	out.await(t, "ready")
	return p
}

func procJoin(t testing.TB, p *mp.Process) *mp.ExitError {
	t.Helper()
	err := p.Join(testkit.Ctx(t))
	if err == nil {
		return nil
	}
	var e *mp.ExitError
	if !errors.As(err, &e) {
		t.Fatalf("Join: %v", err)
	}
	return e
}

// procEnd runs an act to its end.
func procEnd(t testing.TB, do procDo, cfg mp.ProcessConfig) *mp.ExitError {
	t.Helper()
	if cfg.Stderr == nil {
		cfg.Stderr = new(procWriter)
	}
	p, err := mp.Start(testkit.Ctx(t), procAct, do, cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := procJoin(t, p)
	code, exited := p.ExitCode()
	if !exited || e == nil && code != 0 || e != nil && code != e.Code {
		t.Errorf("ExitCode: %d, %v; Join: %v", code, exited, e)
	}
	if e != nil && e.PID != p.PID() {
		t.Errorf("pid %d, not %d", e.PID, p.PID())
	}
	return e
}

func procCall(t testing.TB, do procDo, cfg mp.ProcessConfig) string {
	t.Helper()
	out, err := mp.Call(testkit.Ctx(t), procAct, do, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
