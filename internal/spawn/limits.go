//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// apply sets the limits for this process.
func (l Limits) apply() error {
	if l.CPU > 0 {
		seconds := int64((l.CPU + time.Second - 1) / time.Second)
		if err := setLimit(syscall.RLIMIT_CPU, seconds, seconds+1); err != nil {
			return fmt.Errorf("set the limit of %v of processor time: %w", l.CPU, err)
		}
		dieOfCPULimit()
	}
	if l.OpenFiles > 0 {
		if err := setLimit(syscall.RLIMIT_NOFILE, int64(l.OpenFiles), int64(l.OpenFiles)); err != nil {
			return fmt.Errorf("set the limit of %d open files: %w", l.OpenFiles, err)
		}
	}
	if l.Nice != 0 {
		// On Linux a nice value belongs to a thread. This process is still the only member of its
		// group, so setting it for the group sets it for all threads.
		if err := unix.Setpriority(unix.PRIO_PGRP, 0, l.Nice); err != nil {
			return fmt.Errorf("set the nice value %d: %w", l.Nice, os.NewSyscallError("setpriority", err))
		}
	}
	return nil
}

// setLimit sets a resource limit. It lowers the hard limit to hard, but never raises it without
// privileges. Package syscall must do it, because it keeps track of the limit on open files for
// what the process starts.
func setLimit(resource int, soft, hard int64) error {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(resource, &lim); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if max := int64(lim.Max); max >= 0 && max < hard && os.Geteuid() != 0 {
		hard = max
	}
	store(&lim.Cur, soft)
	store(&lim.Max, hard)
	return os.NewSyscallError("setrlimit", syscall.Setrlimit(resource, &lim))
}

// store exists because systems differ in the signedness of a limit.
func store[T int64 | uint64](to *T, v int64) { *to = T(v) }

// dieOfCPULimit makes SIGXCPU, which the Go runtime ignores, end the process again.
func dieOfCPULimit() {
	limit := make(chan os.Signal, 1)
	signal.Notify(limit, syscall.SIGXCPU)
	go func() {
		<-limit
		// The reason goes first. If a loop that cannot be preempted prevents taking the stacks,
		// the hard limit ends this process a second later.
		os.Stderr.WriteString("SIGXCPU: cpu limit exceeded\n\n")
		stacks := make([]byte, 64<<10)
		os.Stderr.Write(stacks[:runtime.Stack(stacks, true)])
		os.Exit(2)
	}()
}
