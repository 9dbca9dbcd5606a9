//go:build linux

package spawn_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["spin"] = func(s *spawn.Self) {
		fmt.Fprintln(s.Conn, os.Getpid())
		//lint:ignore SA5002 an endless loop that looks at nothing
		for {
		}
	}
	helpers["nest"] = func(s *spawn.Self) { // a child with children and another process in its group; it ignores Conn
		var pids []string
		for _, name := range []string{"spin", "parent of sleep"} {
			pids = append(pids, mustStart(name)...)
		}
		sleep := exec.Command("sleep", "1000")
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(s.Conn, os.Getpid(), sleep.Process.Pid, strings.Join(pids, " "))
		time.Sleep(time.Hour)
	}
	helpers["stopped"] = func(s *spawn.Self) {
		sleep := exec.Command("sleep", "1000")
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(s.Conn, os.Getpid(), sleep.Process.Pid)
		syscall.Kill(0, syscall.SIGSTOP)
		time.Sleep(time.Hour) // another thread may have been stopped first
	}
	mains["tree"] = func() { // prints the pids of all its descendants and waits
		var pids []string
		for _, name := range []string{"spin", "nest", "nest", "parent of sleep", "stopped", "wait forever"} {
			pids = append(pids, mustStart(name)...)
		}
		fmt.Println(strings.Join(pids, " "))
		io.Copy(io.Discard, os.Stdin)
	}
	helpers["wait forever"] = func(s *spawn.Self) {
		fmt.Fprintln(s.Conn, os.Getpid())
		io.Copy(io.Discard, s.Conn)
		time.Sleep(time.Hour)
	}
	// The main process dies while it starts children as fast as it can.
	mains["starting"] = func() {
		title := startingTitle(os.Getpid())
		fmt.Println("go")
		for {
			p, err := spawn.Start(spawn.Spec{Name: "wait forever", Title: title})
			if err != nil {
				panic(err)
			}
			go func() {
				<-p.Done()
				p.Conn().Close()
			}()
			if spawn.Children() > 20 {
				p.Kill()
				<-p.Done()
			}
		}
	}
	mains["user main"] = func() {}
}

// startingTitle is the title of the children of one such main process.
func startingTitle(pid int) string { return fmt.Sprint("mp-test-starting-", pid) }

// mustStart starts a helper that prints one line of pids, its own among them.
func mustStart(name string) []string {
	p, err := spawn.Start(spawn.Spec{Name: name, Title: "mp-test-tree"})
	if err != nil {
		panic(err)
	}
	line, err := bufio.NewReader(p.Conn()).ReadString('\n')
	if err != nil {
		panic(err)
	}
	pids := strings.Fields(line)
	if name == "parent of sleep" {
		pids = append(pids, fmt.Sprint(p.PID()))
	}
	return pids
}

func TestNothingOutlivesMain(t *testing.T) {
	for _, name := range []string{"spin", "nest", "stopped", "wait forever"} {
		used.Store(name, true)
	}
	for _, c := range []struct {
		name string
		end  func(*exec.Cmd, io.Closer)
	}{
		{"SIGKILL", func(cmd *exec.Cmd, _ io.Closer) { cmd.Process.Kill() }},
		{"SIGTERM", func(cmd *exec.Cmd, _ io.Closer) { cmd.Process.Signal(syscall.SIGTERM) }},
		{"return", func(_ *exec.Cmd, in io.Closer) { in.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tidy(t)
			cmd := mainProcess(t, "tree")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			pids := strings.Fields(line)
			if len(pids) != 1+2*5+2+2+1 {
				t.Fatalf("%d processes: %q", len(pids), pids)
			}
			for i, pid := range pids {
				if !children(pid) {
					t.Errorf("%d does not live: %s of %q", i, pid, pids)
				}
			}
			c.end(cmd, in)
			cmd.Wait()
			begin := time.Now()
			for i, pid := range pids {
				eventually(t, time.Until(begin.Add(within(time.Second))), fmt.Sprint(i, " is gone"), func() bool { return !children(pid) })
			}
			t.Logf("all gone after %v", time.Since(begin))
		})
	}
}

func TestMainDiesWhileStarting(t *testing.T) {
	tidy(t)
	for i := range 5 {
		cmd := mainProcess(t, "starting")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewReader(out).ReadString('\n')
		eventually(t, patience, "it has children", func() bool { return len(childrenOf(t, cmd.Process.Pid)) > i })
		title := startingTitle(cmd.Process.Pid)
		if i > 0 { // a child gets its title some time after its fork; the first round dies before that
			eventually(t, patience, "a child has its title", func() bool { return len(titled(title)) > 0 })
		}
		cmd.Process.Kill()
		cmd.Wait()
		eventually(t, within(time.Second), "all are gone", func() bool { return len(titled(title)) == 0 })
	}
}

// titled returns the processes with this title.
func titled(title string) (pids []string) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && strings.HasPrefix(string(line), title+"\x00") && children(e.Name()) {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// A child whose parent died during its start must not run the program's main. Here a shell plays
// the parent and ends before the child checks.
func TestOrphanedDuringStart(t *testing.T) {
	tidy(t)
	const parent = 1 << 22 // not a child
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := spawn.OrphanBootstrap(parent, nonce)
	if _, err := syscall.Write(pair[0], []byte(spawn.Greeting(nonce))); err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	run := func() (string, error) {
		cmd := mainProcess(t, "user main")
		cmd.Env = append(cmd.Env, spawn.ChildVar+"="+text)
		cmd.ExtraFiles = []*os.File{theirs}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil { // the other end is open: a program that found the bootstrap
		t.Errorf("with a living parent: %v %s", err, out)
	}
	syscall.Close(pair[0])
	out, err := run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 || out != "" {
		t.Errorf("with a dead parent: %v %q", err, out)
	}
}
