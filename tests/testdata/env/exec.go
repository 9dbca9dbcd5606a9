package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func init() {
	mains["exec exit"] = execExit
	mains["exits"] = exits
}

// left are the children that execExit has when it executes itself anew.
var left = []struct {
	title string // beside the program's name, as workers have it
	code  int
	ours  bool
}{{":w 1", 1, true}, {"", 1, false}, {":w 2", 3, false}}

// execExit executes the program anew in place. Its children see the end of their stdin then, and exit.
// The new program must reap the one that is a worker by its name and exit code, and no other.
func execExit() {
	if os.Getenv("LEFT") != "" {
		reaped()
		return
	}
	self, err := os.Executable()
	must(err)
	pids := ""
	for _, c := range left {
		cmd := exec.Command(self, "exits", c.title, strconv.Itoa(c.code))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		_, err := cmd.StdinPipe()
		must(err)
		out, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		must(err)
		pids += fmt.Sprint(cmd.Process.Pid, " ")
	}
	os.Setenv("LEFT", pids)
	must(syscall.Exec(self, os.Args, os.Environ()))
}

// exits sets its name, and exits with a code when its stdin ends.
func exits() {
	if title := os.Args[2]; title != "" {
		name := filepath.Base(os.Args[0])
		must(os.WriteFile("/proc/self/comm", []byte(name[:min(len(name), 3)]+title), 0))
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	code, _ := strconv.Atoi(os.Args[3])
	os.Exit(code)
}

// reaped is the second life of execExit.
func reaped() {
	pids := make([]int, len(left))
	_, err := fmt.Sscan(os.Getenv("LEFT"), &pids[0], &pids[1], &pids[2])
	must(err)
	for i, c := range left {
		if c.ours {
			for end := time.Now().Add(20 * time.Second); syscall.Kill(pids[i], 0) == nil; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					fmt.Println("a worker that exited with 1 is a zombie")
					os.Exit(1)
				}
			}
		}
	}
	for i, c := range left {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pids[i], &status, 0, nil); !c.ours && (err != nil || status.ExitStatus() != c.code) {
			fmt.Printf("the child %q of the program, which exited with %d, was not left to it: %v, %d\n", c.title, c.code, err, status.ExitStatus())
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}
