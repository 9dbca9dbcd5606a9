//go:build mpinvariants && unix

package shm

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Invariants is true in programs built with the tag mpinvariants: objects are checked after
// each operation, and a process can be stopped at any labelled point.
const Invariants = true

// PointVar is the environment variable for the point at which a process dies: a label, then
// optionally a colon and how many times the process passes the point before. If MP_POINT_STOP is
// set, the process stops there instead.
const PointVar = "MP_POINT"

var (
	pointLabel, pointSkip = pointOf(os.Getenv(PointVar))
	pointPassed           atomic.Int64
)

func pointOf(text string) (label string, skip int64) {
	label, count, _ := strings.Cut(text, ":")
	skip, _ = strconv.ParseInt(count, 10, 64)
	return label, skip
}

// SetPoint replaces the value of PointVar.
func SetPoint(text string) {
	pointLabel, pointSkip = pointOf(text)
	pointPassed.Store(0)
}

// Point is a labelled point between two steps on shared memory.
func Point(label string) {
	if label != pointLabel || pointPassed.Add(1) <= pointSkip {
		return
	}
	sig := syscall.SIGKILL
	if os.Getenv("MP_POINT_STOP") != "" {
		sig = syscall.SIGSTOP
	}
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		fmt.Fprintln(os.Stderr, "mp: at point", label+":", err)
		os.Exit(3)
	}
	if sig == syscall.SIGKILL {
		select {}
	}
	time.Sleep(20 * time.Millisecond) // another thread may get the signal: do not continue before all stop
}
