package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/tests/testdata/env/conf"
	"golang.org/x/sys/unix"
)

// facts are what a process has of the one that started it.
var facts = map[string]func() string{
	"args": func() string { return fmt.Sprintf("%q %q", conf.Args, os.Args) },
	"signals of a command": func() string {
		out, err := exec.Command("sh", "-c", "grep -E 'Sig(Ign|Blk)' /proc/self/status | tr '\\n' ' '; ulimit -n; cat /proc/self/oom_score_adj; umask").CombinedOutput()
		return fmt.Sprint(string(out), err)
	},
	"thread": func() string {
		var cpus unix.CPUSet
		err := unix.SchedGetaffinity(0, &cpus)
		nice, err2 := unix.Getpriority(unix.PRIO_PROCESS, 0)
		return fmt.Sprint(cpus, err, nice, err2)
	},
	"units": func() string {
		return fmt.Sprint(os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDNAMES"))
	},
	"files": func() string {
		var names []string
		fds, _ := filepath.Glob("/proc/self/fd/*")
		for _, fd := range fds {
			if name, err := os.Readlink(fd); err == nil {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	},
	"proc title": func() string {
		b, _ := os.ReadFile("/proc/self/cmdline")
		return strings.ReplaceAll(string(b), "\x00", "|")
	},
}

var fact = mp.Register("fact", func(_ context.Context, of string) (string, error) { return facts[of](), nil })

// everywhere has a fact told by processes of all kinds.
func everywhere(of string, check func(where, got string)) {
	ctx := context.Background()
	got, err := mp.Call(ctx, fact, of)
	must(err)
	check("Call", got)
	got, err = mp.Call(ctx, nested, of)
	must(err)
	check("a child of a child", got)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, TasksPerWorker: 1})
	must(err)
	for range 4 {
		got, err = mp.Apply(ctx, pool, fact, of)
		must(err)
		check("a pool", got)
	}
	must(pool.Shutdown(ctx))
}

var nested = mp.Register("nested", func(ctx context.Context, of string) (string, error) { return mp.Call(ctx, fact, of) })

func alike(of string) func() {
	return func() {
		want := facts[of]()
		everywhere(of, func(where, got string) {
			if got != want {
				fmt.Printf("%s: %s\nin main: %s\n", where, got, want)
			}
		})
		fmt.Println("ok")
	}
}

func init() {
	mains["args"] = alike("args")
	mains["signals"] = alike("signals of a command")
	mains["thread"] = func() { // of the calling thread, and of no other
		runtime.LockOSThread()
		before := facts["thread"]()
		cpus := unix.CPUSet{}
		cpus.Set(0)
		must(unix.SchedSetaffinity(0, &cpus))
		must(unix.Setpriority(unix.PRIO_PROCESS, 0, 7))
		alike("thread")()
		done := make(chan string)
		go func() {
			got, err := mp.Call(context.Background(), fact, "thread")
			must(err)
			done <- got
		}()
		if got := <-done; got != before {
			fmt.Printf("another thread's child has %s, want %s\n", got, before)
		}
	}
	mains["title"] = func() {
		everywhere("proc title", func(where, got string) {
			if !strings.HasPrefix(got, filepath.Base(os.Args[0])+": ") || !strings.HasSuffix(got, "|title|a b|") {
				fmt.Printf("%s: %q\n", where, got)
			}
		})
		fmt.Println("ok")
	}
	mains["units"] = func() {
		everywhere("units", func(where, got string) {
			if got != "" {
				fmt.Printf("%s: %q\n", where, got)
			}
		})
		fmt.Println("ok")
	}
	mains["files"] = inherited
	mains["passed"] = passed
	mains["sigterm"] = sigterm
}

// inherited opens files as C libraries do, not closed on exec.
func inherited() {
	var raw []int
	for i := range 100 {
		fd, err := syscall.Open("/etc/passwd", syscall.O_RDONLY, 0)
		must(err)
		raw = append(raw, fd)
		if i == 50 {
			var p [2]int
			must(syscall.Pipe(p[:]))
			raw = append(raw, p[0], p[1])
		}
	}
	pipe, _ := os.Readlink(fmt.Sprint("/proc/self/fd/", raw[len(raw)-2]))
	everywhere("files", func(where, got string) {
		if strings.Contains(got, "passwd") || strings.Contains(got, pipe) && strings.HasPrefix(pipe, "pipe:") {
			fmt.Printf("%s: %s\n", where, got)
		}
	})
	_, err := syscall.Read(raw[0], make([]byte, 1)) // it is open here as before
	must(err)
	fmt.Println("ok")
}

// readFile reads a file that was passed.
var readFile = mp.Register("read file", func(_ context.Context, f *os.File) (string, error) {
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
})

// passed passes files that are not closed on exec.
func passed() {
	fd, err := syscall.Open("/etc/hostname", syscall.O_RDONLY, 0)
	must(err)
	want, err := os.ReadFile("/etc/hostname")
	must(err)
	got, err := mp.Call(context.Background(), readFile, os.NewFile(uintptr(fd), "hostname"))
	if err != nil || got != string(want) {
		fmt.Printf("%q %v\n", got, err)
	}
	fd, err = syscall.Open("/etc/hostname", syscall.O_RDONLY, 0)
	must(err)
	got, err = mp.Call(context.Background(), readStdin, mp.None{}, mp.ProcessConfig{Stdin: os.NewFile(uintptr(fd), "hostname")})
	if err != nil || got != string(want) {
		fmt.Printf("%q %v\n", got, err)
	}
	fmt.Println("ok")
}

var readStdin = mp.Register("read stdin", func(context.Context, mp.None) (string, error) {
	b, err := io.ReadAll(os.Stdin)
	return string(b), err
})

var pid = mp.Register("pid", func(context.Context, mp.None) (int, error) { return os.Getpid(), nil })

// notify uses SIGTERM itself.
var notify = mp.Register("notify", func(_ context.Context, how string) (int, error) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-c
	signal.Stop(c)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-ctx.Done()
	return os.Getpid(), nil
})

// hear tells by a file that the task runs, and then waits.
var hear = mp.Register("hear", func(_ context.Context, to string) (int, error) {
	must(os.WriteFile(to, nil, 0o600))
	for {
		if _, err := os.Stat(to + ".go"); err == nil {
			return os.Getpid(), nil
		}
		time.Sleep(time.Millisecond)
	}
})

// sigterm sends SIGTERM to everybody.
func sigterm() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	must(err)
	first, err := mp.Apply(ctx, pool, pid, mp.None{})
	must(err)
	for range 3 {
		syscall.Kill(-first, syscall.SIGTERM) // idle
		same, err := mp.Apply(ctx, pool, pid, mp.None{})
		if same != first || err != nil {
			fmt.Println("idle: ", first, same, err)
		}
	}
	dir, err := os.MkdirTemp("", "")
	must(err)
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "runs")
	r := mp.ApplyAsync(ctx, pool, hear, file)
	for _, err := os.Stat(file); err != nil; _, err = os.Stat(file) {
		time.Sleep(time.Millisecond)
	}
	syscall.Kill(-first, syscall.SIGTERM) // at work
	must(os.WriteFile(file+".go", nil, 0o600))
	if same, err := r.Get(ctx); same != first || err != nil {
		fmt.Println("at work: ", first, same, err)
	}
	if same, err := mp.Apply(ctx, pool, notify, ""); same != first || err != nil {
		fmt.Println("a task that uses it: ", first, same, err)
	}
	syscall.Kill(-first, syscall.SIGTERM)
	if same, err := mp.Apply(ctx, pool, pid, mp.None{}); same != first || err != nil {
		fmt.Println("after it: ", first, same, err)
	}
	if s, err := mp.Apply(ctx, pool, fact, "signals of a command"); s != facts["signals of a command"]() || err != nil {
		fmt.Println("its commands: ", s, err)
	}
	must(pool.Shutdown(ctx))
	p, err := mp.Start(ctx, sleepLong, 0) // a process of Start ends
	must(err)
	syscall.Kill(-p.PID(), syscall.SIGTERM)
	p.Join(ctx)
	if code, _ := p.ExitCode(); code != -15 {
		fmt.Println("a process of Start: exit code ", code)
	}
	fmt.Println("ok")
}
