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

// Invariants says that objects are checked after each operation, and that a process
// can be stopped at any labelled point.
const Invariants = true

// PointVar is the environment variable that says where a process dies: a label, and
// after a colon how many times the point is passed before. With MP_POINT_STOP set, it
// stops there instead.
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

// SetPoint says from now on where this process dies.
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
	time.Sleep(20 * time.Millisecond) // another thread may have the signal: do not go on before all stop
}
