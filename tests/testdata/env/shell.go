package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A shell, as far as a job needs one: a session with a terminal, in whose foreground group the job is.
func init() {
	for name, f := range map[string]func(){
		"family": stopFamily, "workers": stopStopped, "quick": stopQuick, "late": stopLate, "kill": killStopped,
		"background": stopInBackground,
		"catches":    func() { stopHandled("catches") }, "catches later": func() { stopHandled("catches later") },
		"ignores": func() { stopHandled("ignores") }, "ignores later": func() { stopHandled("ignores later") },
	} {
		mains["shell "+name] = func() {
			f()
			fmt.Println("ok")
		}
	}
}

type job struct {
	pid    int
	tty    int // the terminal as the job has it,
	typist int // and its other side
	lines  *bufio.Reader
	file   string // when it exists, the job ends
}

// startJob starts a program of job.go in the foreground of a new terminal.
func startJob(name string) *job {
	signal.Ignore(syscall.SIGTTOU) // to change the foreground group
	if _, err := unix.Setsid(); err != nil {
		must(fmt.Errorf("setsid: %w", err))
	}
	typist, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	must(err)
	must(unix.IoctlSetPointerInt(typist, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(typist, unix.TIOCGPTN)
	must(err)
	tty, err := unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_CLOEXEC, 0) // the session's, as it has none
	must(err)
	dir, err := os.MkdirTemp("", "job")
	must(err)
	r, w, err := os.Pipe()
	must(err)
	j := &job{tty: tty, typist: typist, lines: bufio.NewReader(r), file: filepath.Join(dir, "end")}
	cmd := exec.Command("/proc/self/exe", "job", name, j.file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.NewFile(uintptr(tty), "tty"), w, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: tty, Pdeathsig: syscall.SIGKILL}
	must(cmd.Start())
	w.Close()
	j.pid = cmd.Process.Pid
	return j
}

func fail(args ...any) {
	fmt.Println(args...)
	os.Exit(1)
}

// line is the next one that the job prints; it must begin with a word.
func (j *job) line(word string) string {
	text, err := j.lines.ReadString('\n')
	if err != nil || !strings.HasPrefix(text, word) {
		fail("the job printed:", strconv.Quote(text), err, "and not", word)
	}
	return strings.TrimSpace(strings.TrimPrefix(text, word))
}

// pids are the next n that it prints.
func (j *job) pids(n int) (pids []int) {
	for range n {
		pid, err := strconv.Atoi(j.line("pid"))
		must(err)
		pids = append(pids, pid)
	}
	return pids
}

// typed is what a user types.
func (j *job) typed(text string) {
	_, err := unix.Write(j.typist, []byte(text))
	must(err)
}

const ctrlZ = "\x1a"

// stops returns when the job has stopped, as its shell is told.
func (j *job) stops() {
	var status unix.WaitStatus
	_, err := unix.Wait4(j.pid, &status, unix.WUNTRACED, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(j.pid, &status, unix.WUNTRACED, nil)
	}
	must(err)
	if !status.Stopped() || status.StopSignal() != unix.SIGTSTP {
		fail("the job did not stop:", fmt.Sprintf("%#x", status))
	}
	must(unix.IoctlSetPointerInt(j.tty, unix.TIOCSPGRP, os.Getpid()))
}

// hasStopped is stops for one who does not wait.
func (j *job) hasStopped() bool {
	var status unix.WaitStatus
	pid, err := unix.Wait4(j.pid, &status, unix.WUNTRACED|unix.WNOHANG, nil)
	if pid == j.pid && (err != nil || !status.Stopped()) {
		fail("the job did not stop:", fmt.Sprintf("%#x", status))
	}
	return pid == j.pid
}

// fg continues the job in the foreground.
func (j *job) fg() {
	must(unix.IoctlSetPointerInt(j.tty, unix.TIOCSPGRP, j.pid))
	must(unix.Kill(-j.pid, unix.SIGCONT))
}

// ends has the job end, and sees that it does so well.
func (j *job) ends() {
	must(os.WriteFile(j.file, nil, 0o666))
	j.line("done")
	var status unix.WaitStatus
	_, err := unix.Wait4(j.pid, &status, 0, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(j.pid, &status, 0, nil)
	}
	must(err)
	if status.ExitStatus() != 0 {
		fail("the job ended with", fmt.Sprintf("%#x", status))
	}
	os.RemoveAll(filepath.Dir(j.file))
}

// state is that of a process, and the time of processors that it has used in ticks; 0: there is none.
func state(pid int) (state byte, used int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return fields[0][0], user + system
}

func mustBeStopped(pids []int) {
	for _, pid := range pids {
		if s, _ := state(pid); s != 'T' {
			fail("main has stopped, and process", pid, "of", pids, "is in state", string(s))
		}
	}
}

// mustRun returns when processes are not stopped any more.
func mustRun(pids []int) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		stopped := 0
		for _, pid := range pids {
			if s, _ := state(pid); s == 'T' {
				stopped++
			}
		}
		if stopped == 0 {
			return
		}
		if time.Now().After(end) {
			fail(stopped, "of", pids, "are still stopped")
		}
	}
}

// stopFamily: two workers, a process of Start, and below the second and the third a command, a worker and a process.
func stopFamily() {
	j := startJob("family")
	pids := j.pids(1 + 4 + 4)
	j.typed(ctrlZ)
	j.stops()
	mustBeStopped(pids)
	before := make(map[int]int)
	for _, pid := range pids {
		_, before[pid] = state(pid)
	}
	time.Sleep(stopFor + time.Second)
	mustBeStopped(pids)
	for _, pid := range pids {
		if _, used := state(pid); used != before[pid] {
			fail("stopped process", pid, "has computed for", used-before[pid], "ticks")
		}
	}
	j.fg()
	mustRun(pids)
	j.typed(ctrlZ)
	j.stops()
	mustBeStopped(pids)
	j.fg()
	mustRun(pids)
	j.ends()
}

// stopStopped: what was stopped before stays stopped afterwards.
func stopStopped() {
	j := startJob("workers")
	pids := j.pids(2)
	must(unix.Kill(pids[0], unix.SIGSTOP))
	for s, _ := state(pids[0]); s != 'T'; s, _ = state(pids[0]) {
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		j.typed(ctrlZ)
		j.stops()
		mustBeStopped(pids)
		j.fg()
		mustRun(pids[1:])
		mustBeStopped(pids[:1])
	}
	must(unix.Kill(pids[0], unix.SIGCONT))
	j.ends()
}

// stopQuick stops at moments as they come.
func stopQuick() {
	j := startJob("quick")
	j.pids(1)
	for range 30 {
		j.typed(ctrlZ)
		for again := 0; !j.hasStopped(); again++ { // a user presses it again, too, when it was lost in a fork
			if time.Sleep(time.Millisecond); again%3000 == 2999 {
				j.typed(ctrlZ)
			}
		}
		j.fg()
	}
	j.ends()
}

// stopLate: a deadline moves, and is not forgotten.
func stopLate() {
	j := startJob("late")
	j.pids(1)
	j.typed(ctrlZ)
	j.stops()
	time.Sleep(stopFor)
	j.fg()
	j.line("done")
}

// killStopped: nothing is left of what was stopped.
func killStopped() {
	j := startJob("family")
	pids := j.pids(1 + 4 + 4)
	j.typed(ctrlZ)
	j.stops()
	must(unix.Kill(j.pid, unix.SIGKILL))
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		left := 0
		for _, pid := range pids {
			if s, _ := state(pid); s != 0 && s != 'Z' {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			fail(left, "processes are left of", pids)
		}
	}
}

// stopInBackground: a signal that does not come from the terminal is for main alone.
func stopInBackground() {
	j := startJob("workers")
	pids := j.pids(2)
	must(unix.IoctlSetPointerInt(j.tty, unix.TIOCSPGRP, os.Getpid()))
	must(unix.Kill(j.pid, unix.SIGTSTP))
	j.stops()
	mustRun(pids)
	j.fg()
	j.ends()
}

// stopHandled: a program that handles the signal is left alone, and so are its workers.
func stopHandled(how string) {
	j := startJob(how)
	pids := j.pids(1)
	j.typed(ctrlZ)
	j.typed("typed\n")
	j.line("line typed")
	for _, pid := range append(pids, j.pid) {
		if s, _ := state(pid); s == 'T' {
			fail("the program handles SIGTSTP, and process", pid, "is stopped")
		}
	}
	j.ends()
}
