//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"golang.org/x/sys/unix"
)

// hostileTask does to its process what a task should not, and returns if it can.
var hostileTask = mp.Register("hostile/task", func(_ context.Context, how string) (int, error) {
	write := func(b []byte) { syscall.Write(3, b) }
	switch how {
	case "":
	case "closes 3":
		syscall.Close(3)
	case "closes 4":
		syscall.Close(4)
	case "closes all":
		for fd := 3; fd < 50; fd++ {
			syscall.Close(fd)
		}
	case "writes garbage":
		write([]byte(strings.Repeat("garbage!", 100)))
	case "writes a frame of no kind":
		write([]byte{0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0})
	case "writes outcomes":
		for range 3 {
			write([]byte{8, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})
		}
	case "shuts down":
		syscall.Shutdown(3, syscall.SHUT_RDWR)
	case "shuts down writing":
		syscall.Shutdown(3, syscall.SHUT_WR)
	case "closes its output":
		os.Stdout.Close()
		os.Stderr.Close()
	case "redirects its output":
		null, _ := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		unix.Dup2(int(null.Fd()), 1)
		unix.Dup2(int(null.Fd()), 2)
	case "closes 0 1 2":
		for fd := range 3 {
			syscall.Close(fd)
		}
	case "changes directory":
		os.Chdir("/")
		os.Clearenv()
	case "locks its thread":
		runtime.LockOSThread()
	case "ends its goroutine":
		runtime.Goexit()
	case "panics with nil":
		panic(nil)
	case "panics with a bad error":
		panic(hostileError{})
	case "returns a bad error":
		return 0, hostileError{}
	case "exits with 0":
		os.Exit(0)
	case "exits later":
		go func() {
			for {
				if _, err := os.Stat(os.Getenv(hostileLater)); err == nil {
					os.Exit(4)
				}
				time.Sleep(time.Millisecond)
			}
		}()
	case "panics elsewhere":
		done := make(chan struct{})
		go func() {
			defer close(done)
			panic("elsewhere")
		}()
		<-done
		select {}
	case "overflows its stack":
		debug.SetMaxStack(16 << 20) // else this takes a gigabyte
		//lint:ignore SA4017 it overflows its stack
		hostileRecursion(1)
	case "deadlocks on nothing":
		var m map[int]int
		//lint:ignore SA5000 it panics
		m[1] = 1
	case "leaves a grandchild":
		cmd := exec.Command("sleep", "2")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return 1, nil
})

// hostileLater names a file: when it is there, it is later.
const hostileLater = "MP_TEST_LATER"

type hostileError struct{}

func (hostileError) Error() string { panic("no text") }

//lint:ignore SA5007 it overflows its stack
func hostileRecursion(n int) int { return hostileRecursion(n+1) + n }

// Whatever a task does to its own worker, it costs nothing else: its outcome is a
// value or an error, and the pool works on.
func TestHostileTasks(t *testing.T) {
	t.Parallel()
	works := func(err error) bool { return err == nil }
	died := func(err error) bool { var e *mp.WorkerDiedError; return errors.As(err, &e) }
	worksOrDied := func(err error) bool { return works(err) || died(err) }
	panicked := func(err error) bool { var e *mp.PanicError; return errors.As(err, &e) }
	remote := func(err error) bool { var e *mp.RemoteError; return errors.As(err, &e) }
	for how, good := range map[string]func(error) bool{
		"closes 3": worksOrDied, "closes 4": worksOrDied, "closes all": worksOrDied,
		"writes garbage": worksOrDied, "writes a frame of no kind": worksOrDied, "writes outcomes": worksOrDied,
		"shuts down": worksOrDied, "shuts down writing": worksOrDied,
		"closes its output": works, "redirects its output": works, "closes 0 1 2": works, "changes directory": works,
		"locks its thread": works, "ends its goroutine": remote, "panics with nil": panicked,
		"panics with a bad error": panicked, "returns a bad error": remote,
		"exits with 0": died, "exits later": works, "panics elsewhere": died, "overflows its stack": died,
		"deadlocks on nothing": panicked, "leaves a grandchild": died,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			later := filepath.Join(t.TempDir(), "later")
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 100 * time.Millisecond, Stdout: new(hostileSink), Stderr: new(hostileSink),
				Env: append(os.Environ(), hostileLater+"="+later)})
			start := time.Now()
			_, err := mp.Apply(poolCtx(t), p, hostileTask, how)
			if took := time.Since(start); !good(err) || took > testkit.Within(2*time.Second) {
				t.Errorf("%v after %v", err, took)
			}
			if err := os.WriteFile(later, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			// It may bring down the worker a little later: that costs one more task at most.
			late := time.Now().Add(time.Minute)
			for i := 0; i < 50 || how == "exits later" && p.Stats().Restarts == 0 && time.Now().Before(late); i++ {
				v, err := mp.Apply(poolCtx(t), p, killNth, i)
				if v != i && !died(err) {
					t.Errorf("then %v, %v", v, err)
				}
			}
			if n := p.Stats().Restarts; n > 1 || how == "exits later" && n == 0 {
				t.Errorf("%d restarts", n)
			}
		})
	}
}

type hostileSink struct{}

func (*hostileSink) Write(b []byte) (int, error) { return len(b), nil }

// A writer that blocks forever, or fails, holds up only the tasks that print.
func TestHostileWriter(t *testing.T) {
	t.Parallel()
	w := &hostileWriter{entered: make(chan struct{}), leave: make(chan struct{})}
	defer close(w.leave)
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stdout: w})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mp.Apply(poolCtx(t), p, hostilePrint, "hello\n"); err != nil {
		t.Fatal(err)
	}
	<-w.entered
	_, err = mp.Apply(poolCtx(t), p, killNth, -1)
	if !killedBy(err, syscall.SIGKILL) {
		t.Error(err)
	}
	if v, err := mp.Apply(poolCtx(t), p, killNth, 4); v != 4 || err != nil {
		t.Error(v, err)
	}
	start := time.Now()
	p.Terminate()
	if d := time.Since(start); d > testkit.Within(2*time.Second) {
		t.Errorf("Terminate took %v", d)
	}
}

type hostileWriter struct {
	entered, leave chan struct{}
	once           bool
}

func (w *hostileWriter) Write(b []byte) (int, error) {
	if !w.once {
		w.once = true
		close(w.entered)
	}
	<-w.leave
	return len(b), nil
}

var hostilePrint = mp.Register("hostile/print", func(_ context.Context, text string) (int, error) {
	return fmt.Print(text)
})
