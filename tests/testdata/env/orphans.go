package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
)

// command runs a command that has a child of its own.
var command = mp.Register("command", func(_ context.Context, s string) (int, error) {
	return 0, exec.Command("sh", "-c", "sleep "+s+" & sleep "+s).Run()
})

// processes are the pids, states and command lines of what is a child of this process, or runs sleep for
// so long.
func processes(s string) (found []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(stat), "cmdline"))
		if f := strings.Fields(rest); f[1] == strconv.Itoa(os.Getpid()) || strings.HasPrefix(string(line), "sleep\x00"+s) {
			found = append(found, fmt.Sprintf("%s %q", b[:min(len(b), 60)], line))
		}
	}
	return found
}

// none waits until there is no process besides those of others.
func none(s string, others int) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		found := processes(s)
		if len(found) == others {
			return
		}
		if time.Now().After(end) {
			fmt.Println("left:", strings.Join(found, "\n"))
			return
		}
	}
}

// another is a child that is no affair of package mp's: it must be there to be waited for.
func another() func() {
	cmd := exec.Command("sh", "-c", "exit 3")
	must(cmd.Start())
	return func() {
		var e *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &e) || e.ExitCode() != 3 {
			fmt.Println("another child: ", err)
		}
	}
}

func init() {
	mains["zombies"] = zombies
	mains["subreaper"] = func() {
		must(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		zombies()
	}
	mains["exec"] = inPlace
}

// zombies has tasks killed that run commands.
func zombies() {
	const long = "1234.5"
	ctx := context.Background()
	wait := another()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: time.Millisecond})
	must(err)
	_, err = mp.Map(ctx, pool, command, []string{long, long, long, long, long, long}, mp.Timeout(20*time.Millisecond))
	var all *mp.MapError
	if !errors.As(err, &all) || len(all.Errs) != 6 {
		fmt.Println(err)
	}
	must(pool.Shutdown(ctx))
	ending, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	mp.Call(ending, command, long, mp.ProcessConfig{Grace: time.Millisecond})
	p, err := mp.Start(ctx, command, long)
	must(err)
	p.Terminate()
	p.Join(ctx)
	cancel()
	none(long, 1)
	wait()
	fmt.Println("ok")
}

// inPlace executes the program anew, twice, while workers run commands.
func inPlace() {
	const long = "2345.5"
	life, _ := strconv.Atoi(os.Getenv("LIFE"))
	if life == 2 {
		wait := another()
		none(long, 2) // and a child of the first life, which it left to the later ones
		wait()
		if kept, _ := strconv.Atoi(os.Getenv("KEPT")); kept != 0 {
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(kept, &status, 0, nil); err != nil || status.ExitStatus() != 4 {
				fmt.Println("a child that was left: ", err, status)
			}
		}
		fmt.Println("ok")
		return
	}
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	must(err)
	for range 2 {
		mp.ApplyAsync(ctx, pool, command, long)
	}
	_, err = mp.Start(ctx, command, long)
	must(err)
	if life == 0 {
		left := exec.Command("sh", "-c", "exit 4")
		left.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		must(left.Start())
		os.Setenv("KEPT", fmt.Sprint(left.Process.Pid))
	}
	for {
		n := 0
		for _, line := range processes(long) {
			if strings.Contains(line, `"sleep\x00`) {
				n++
			}
		}
		if n >= 6 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	self, err := os.Executable()
	must(err)
	os.Setenv("LIFE", fmt.Sprint(life+1))
	must(syscall.Exec(self, os.Args, os.Environ()))
}
