//go:build linux

package pool_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// hostileHold is a task that does not return, and how it makes that hard to end. It notes its begin in a file.
type hostileHold struct{ How, Begun string }

var hostileHolds = mp.Register("hostile/holds", func(_ context.Context, in hostileHold) (int, error) {
	f, err := os.OpenFile(in.Begun, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(f, os.Getpid())
	f.Close()
	hostileWays[in.How]()
	select {}
})

// hostileWays are what tasks do to hold up their end.
var hostileWays = map[string]func(){
	"blocks in threads": func() {
		for range 300 {
			go hostileRead()
		}
		hostileRead()
	},
	"has many goroutines": func() {
		for range 100_000 {
			go func() { select {} }()
		}
	},
	"has a deep stack": func() { hostileDeep(1_000_000) },
	"has much memory": func() {
		b, _ := unix.Mmap(-1, 0, 512<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
	},
	"collects garbage": func() {
		debug.SetGCPercent(1)
		runtime.GOMAXPROCS(1)
		type node struct{ next, other *node }
		var list *node
		for range 1 << 20 {
			list = &node{list, list}
		}
		for list != nil {
			runtime.GC()
		}
	},
	"prints without end": func() {
		lines := bytes.Repeat([]byte("xxxxxxx\n"), 8<<10)
		go func() {
			for {
				os.Stderr.Write(lines)
			}
		}()
		for {
			os.Stdout.Write(bytes.TrimRight(lines, "\n"))
		}
	},
	"starts processes": func() {
		for range 50 {
			exec.Command("sleep", "30").Start()
		}
	},
	"leaves its pipes to others": hostileHolders,
	"stops its group":            func() { syscall.Kill(0, syscall.SIGSTOP) },
	"ignores all signals": func() {
		for s := syscall.Signal(1); s < 65; s++ {
			signal.Ignore(s)
		}
	},
	"closes its descriptors": func() {
		for fd := range 101 {
			syscall.Close(fd)
		}
	},
	"opens all descriptors": func() {
		for err := error(nil); err == nil; {
			_, err = syscall.Dup(0)
		}
	},
	"locks a lock twice": func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
		select {} // never reached
	},
	"blocks its finalizers": func() {
		runtime.SetFinalizer(new([16]byte), func(any) { select {} })
		runtime.GC()
	},
	"rings without end":     func() { hostileFrames(8) },
	"asks to share":         func() { hostileFrames(14) },
	"sets its claim back":   func() { hostileClaims(func(c *atomic.Uint64) { c.Store(c.Load() &^ (1<<24 - 1)) }) },
	"takes its claim away":  func() { hostileClaims(func(c *atomic.Uint64) { c.Store(0) }) },
	"claims what is not":    func() { hostileClaims(func(c *atomic.Uint64) { c.Store(1<<48 - 1) }) },
	"goes on with that":     func() { hostileClaims(func(c *atomic.Uint64) { go hostileZeroes(c) }) },
	"moves its begin ahead": func() { hostilePage(func(page []byte) { hostileWord(page, 320).Store(1 << 62) }) },
}

// hostileClaims are the words in a worker's page that say what it has begun: see internal/proc/proto, page.go.
func hostileClaims(f func(c *atomic.Uint64)) {
	hostilePage(func(page []byte) {
		for slot := range 16 {
			f(hostileWord(page, 512+64*slot))
		}
	})
}

func hostileZeroes(c *atomic.Uint64) {
	for {
		c.Store(0)
	}
}

// hostilePage finds the memory that the worker shares with its parent.
func hostilePage(f func(page []byte)) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		panic(err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		if line := lines.Text(); !strings.Contains(line, "rw-s") || !strings.Contains(line, "memfd:mp") {
			continue
		} else if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			panic(err)
		}
		page := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&from))), to-from)
		if hostileWord(page, 0).Load() == 0x6d702d7061676531 {
			f(page)
			return
		}
	}
	panic("there is no page")
}

func hostileWord(page []byte, at int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&page[at]))
}

// hostileFrames writes frames without content to the control socket: their kinds are in internal/proc/proto, frame.go.
func hostileFrames(kind byte) {
	frame := make([]byte, 16)
	frame[8] = kind
	frames := bytes.Repeat(frame, 100)
	for {
		syscall.Write(3, frames)
	}
}

// hostileHolders are processes in sessions of their own that hold the worker's output open for a while.
func hostileHolders() {
	for range 3 {
		cmd := exec.Command("sleep", "3")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
	}
}

func hostileRead() {
	var pipe [2]int
	syscall.Pipe(pipe[:])
	syscall.Read(pipe[0], make([]byte, 1))
}

func hostileDeep(n int) int {
	if n == 0 {
		select {}
	}
	return hostileDeep(n-1) + n
}

// Whatever a task does, it is heard of soon after its deadline, once, and was begun once; the next finds a
// worker.
func TestHostileDeadline(t *testing.T) {
	t.Parallel()
	for how := range hostileWays {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: new(hostileSink), Stderr: new(hostileSink)})
			begun := filepath.Join(t.TempDir(), "begun")
			start := time.Now()
			_, err := mp.Apply(poolCtx(t), p, hostileHolds, hostileHold{how, begun}, mp.Timeout(300*time.Millisecond))
			var died *mp.WorkerDiedError
			if !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &died) {
				t.Error(err)
			}
			if v, err := mp.Apply(poolCtx(t), p, killNth, 4); v != 4 || err != nil {
				t.Error(v, err)
			}
			if took := time.Since(start); took > testkit.Within(1500*time.Millisecond) {
				t.Errorf("the next task was done after %v", took)
			}
			if b, _ := os.ReadFile(begun); bytes.Count(b, []byte("\n")) != 1 {
				t.Errorf("it was begun by %q", b)
			}
		})
	}
}

// A process of its own that does so has ended soon after its ctx.
func TestHostileDeadlineOfStart(t *testing.T) {
	t.Parallel()
	for how := range hostileWays {
		if strings.Contains(how, "claim") || strings.Contains(how, "that") || strings.Contains(how, "begin") {
			continue // it has no page
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(poolCtx(t), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			p, err := mp.Start(ctx, hostileHolds, hostileHold{how, filepath.Join(t.TempDir(), "begun")},
				mp.ProcessConfig{Grace: mp.NoGrace, Stdout: new(hostileSink), Stderr: new(hostileSink)})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Join(poolCtx(t)); err == nil {
				t.Error("no error")
			}
			if took := time.Since(start); took > testkit.Within(1500*time.Millisecond) {
				t.Errorf("it ended after %v", took)
			}
		})
	}
}
