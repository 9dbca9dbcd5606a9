package spawn

import (
	"io"
	"os"
	"syscall"
	"time"
)

// Limits are applied by the child to itself before its main runs; a limit that
// cannot be set ends it there with a reason. What is zero is as in this process.
type Limits struct {
	// CPU is processor time, rounded up to seconds. At the limit the child prints
	// "SIGXCPU: cpu limit exceeded" with its goroutines and exits with code 2, as the
	// runtime does for other fatal signals; a second later the kernel kills it.
	CPU time.Duration
	// OpenFiles bounds the file descriptors, for what the child starts as well.
	OpenFiles int
	// Nice is the nice value itself, not an increment.
	Nice int
}

// Spec says what to start. The zero Spec is a child like this process.
type Spec struct {
	Name, Pool string // what the child's Self says
	Worker     int
	Identity   string // of the process within the program, such as 3 or 3:1; default names in the child are made of it
	Title      string // what ps and top show as its command and, shortened, as comm; "": as this process

	Thread *Thread // whose processors and nice value the child gets; nil: the one that calls Start

	Env []string // nil: this process's; else the whole environment, the last of equal keys counts
	Dir string   // "": this process's

	// Stdin nil is /dev/null. An *os.File is handed over as it is, unless it is a terminal,
	// which a child cannot read: that is an error of Start. Any other reader is
	// copied by a goroutine until the child dies; a Read that blocks for ever then
	// keeps that goroutine, and nothing else, as with os/exec. A reader that fails, or
	// panics, is the end of the child's input.
	Stdin io.Reader
	// Stdout and Stderr get whole lines, of up to 64 KiB, and a line without an end after a
	// tenth of a second, or by FlushOutput; nil is os.Stdout and os.Stderr at the time of
	// Start. Where both lead to one place all comes in the order in which it was printed.
	// Lines that several children print to equal writers, or to one file, are never
	// written at once, and one without a newline gets it before another child's comes.
	// What a Write that fails, or panics, did not take is lost; EAGAIN is waited for.
	Stdout, Stderr io.Writer
	// Lost is told what was lost of a stream, 1 or 2, and why. It must not wait. nil: nobody is.
	Lost func(stream int, n int64, why error)
	// TaskLabel is what Labelled lines say of the task that BeginTask has named. nil: nothing.
	TaskLabel func(batch uint64, item int) string
	// QuietCrash keeps what the Go runtime prints about a crash from Stderr. Exit has it.
	QuietCrash bool

	Procs       int   // GOMAXPROCS; 0: untouched
	MemoryLimit int64 // debug.SetMemoryLimit; 0: untouched
	Limits      Limits

	Files []*os.File // further descriptors the child gets as Self.Files
}

// Exit is how a process ended.
type Exit struct {
	Code    int            // as in Python: -N is signal N
	Unknown bool           // somebody else took the status; Code is CodeUnknown
	Signal  syscall.Signal // 0: it exited
	Core    bool

	// Reason is the first line of what the Go runtime printed about a crash, such as
	// "panic: ..." or "fatal error: ...", if it ended by a signal or with exit code 2.
	Reason string
	// Stderr is its last words: 32 KiB from the last such line on, else the last 8 KiB.
	Stderr string
	// Raced: the race detector has reported something in it.
	Raced bool
	// OOMKilled: the kernel killed it for want of memory.
	OOMKilled bool

	// CPU is user and system time, MaxRSS the highest resident memory in bytes, both
	// with the descendants it waited for. Linux counts in MaxRSS what this process held
	// at the time of Start.
	CPU    time.Duration
	MaxRSS int64
}

// CodeUnknown is the exit code of a child whose status was taken by something else in
// this program: a wait for any child, or SIGCHLD being ignored.
const CodeUnknown = 255
