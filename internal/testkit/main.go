package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp"
)

// AtEnd are called when the tests are over, before Main looks for what they have left.
var AtEnd []func()

// builtIn returns the directory of what tests have built; "" if they built nothing.
var builtIn = func() string { return "" }

// Main is the TestMain of each package with tests from outside. A worker process serves from here. It fails
// when the tests leave goroutines, processes or descriptors behind.
func Main(m *testing.M) {
	mp.Main()
	pipesBefore = openPipes()
	code := m.Run()
	for _, f := range AtEnd {
		f()
	}
	if dir := builtIn(); dir != "" {
		os.RemoveAll(dir)
	}
	if code == 0 && !fuzzing() {
		if err := leftovers(); err != nil {
			fmt.Fprintln(os.Stderr, "leak:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// fuzzing says that this is "go test -fuzz", whose engine keeps goroutines and processes.
func fuzzing() bool {
	for _, arg := range os.Args {
		if strings.HasPrefix(arg, "-test.fuzz=") || strings.HasPrefix(arg, "-test.fuzzworker") {
			return true
		}
	}
	return false
}

// leftovers looks for what the tests have left: goroutines, processes, descriptors.
func leftovers() error {
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if n := len(mp.Children()); n > 0 {
			err = fmt.Errorf("%d children", n)
		} else if err = leftInProc(); err == nil {
			err = goleak.Find()
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// pipesBefore is how many pipes this process was given, besides its stdin, stdout and stderr.
var pipesBefore int

func openPipes() (n int) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if number := filepath.Base(fd); strings.HasPrefix(to, "pipe:") && number != "0" && number != "1" && number != "2" {
			n++
		}
	}
	return n
}

// leftInProc finds processes, zombies among them, and what leads to them.
func leftInProc() error {
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		if b, _ := os.ReadFile(task); len(b) > 0 {
			return fmt.Errorf("processes %s", b)
		}
	}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if strings.HasPrefix(to, "socket:") || strings.Contains(to, "pidfd") || strings.Contains(to, "mp-worker") {
			return fmt.Errorf("descriptor %s is %s", filepath.Base(fd), to)
		}
	}
	if n := openPipes(); n > pipesBefore {
		return fmt.Errorf("%d pipes are open, there were %d", n, pipesBefore)
	}
	return nil
}
