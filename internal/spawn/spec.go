package spawn

import (
	"io"
	"os"
	"syscall"
	"time"
)

// Limits are set by the child itself before its main runs. A limit that cannot be set ends the
// child with an error message. Zero means unchanged.
type Limits struct {
	// CPU is processor time, rounded up to seconds. At the limit the child prints "SIGXCPU: cpu
	// limit exceeded" with its goroutines and exits with code 2, as the runtime does for other
	// fatal signals. A second later the kernel kills it.
	CPU time.Duration
	// OpenFiles limits the file descriptors, also for what the child starts.
	OpenFiles int
	// Nice is the nice value itself, not an increment.
	Nice int
}

// Spec describes a child to start. The zero Spec is a child like this process.
type Spec struct {
	Name, Pool string // for the child's Self
	Worker     int
	Identity   string // of the process within the program, such as 3 or 3:1; the child's default names contain it
	Title      string // what ps and top show as its command and, shortened, as comm; "": as this process

	Thread *Thread // whose processors and nice value the child gets; nil: the calling thread

	Env []string // nil: this process's; otherwise the whole environment, where the last of equal keys counts
	Dir string   // "": this process's

	// Stdin is the child's standard input. Nil is /dev/null. An *os.File is passed on as it is; a
	// terminal is an error, because a child cannot read it. A goroutine copies from any other
	// reader until the child ends. As with os/exec, a Read that never returns keeps that
	// goroutine, and nothing else. If the reader fails or panics, the child's input ends.
	Stdin io.Reader
	// Stdout and Stderr receive whole lines of up to 64 KiB. An incomplete line is written after
	// 100 ms, or by FlushOutput. Nil stands for os.Stdout and os.Stderr at the time of Start. If
	// both lead to one place, the output keeps the order in which it was printed. Lines of
	// several children that print to equal writers, or to one file, are written one at a time,
	// and a line without a newline gets one before another child's line follows. Bytes that Write
	// does not take because it fails or panics are lost; after EAGAIN it is tried again.
	Stdout, Stderr io.Writer
	// Lost is told how many bytes of stream 1 or 2 were lost, and why. It must not block.
	// It may be nil.
	Lost func(stream int, n int64, why error)
	// TaskLabel returns what the labels of Labelled lines contain for the task named by
	// BeginTask. It may be nil.
	TaskLabel func(batch uint64, item int) string
	// QuietCrash keeps from Stderr what the Go runtime prints about a crash. Exit has it.
	QuietCrash bool

	Procs       int   // GOMAXPROCS; 0: unchanged
	MemoryLimit int64 // debug.SetMemoryLimit; 0: unchanged
	Limits      Limits

	Files []*os.File // further descriptors, the child's Self.Files
}

// Exit describes how a process ended.
type Exit struct {
	Code    int            // as in Python: -N for signal N
	Unknown bool           // something else took the status; Code is CodeUnknown
	Signal  syscall.Signal // 0: it exited
	Core    bool

	// Reason is the first line that the Go runtime printed about a crash, such as "panic: ..." or
	// "fatal error: ...". It is set only if the process ended by a signal or with exit code 2.
	Reason string
	// Stderr is the end of its stderr: up to 32 KiB from Reason on, otherwise the last 8 KiB.
	Stderr string
	// Raced reports whether the race detector reported something in the process.
	Raced bool
	// OOMKilled reports whether the kernel killed it because memory ran out.
	OOMKilled bool

	// CPU is user and system time, MaxRSS the highest resident memory in bytes, both including
	// descendants that the child waited for. On Linux MaxRSS also covers what this process held
	// at the time of Start.
	CPU    time.Duration
	MaxRSS int64
}

// CodeUnknown is the exit code of a child whose status something else in this program took: a
// wait for any child, or SIGCHLD being ignored.
const CodeUnknown = 255
