//go:build linux

package memory_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// memoryPython is a Python program that takes one step for each line it is sent.
type memoryPython struct {
	t       *testing.T
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	leaving strings.Builder // what it says at last
}

// memoryPrelude reads lines, runs them and prints one line each: what the line printed, or
// the exception.
const memoryPrelude = `
import io, struct, sys
from contextlib import redirect_stdout
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

def attach(name):
    "As of Python 3.13, SharedMemory(name, track=False)."
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    m = SharedMemory(name)
    resource_tracker.unregister(m._name, "shared_memory")
    return m

for line in sys.stdin:
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            exec(line, globals())
    except Exception as e:
        said.write(type(e).__name__)
    print(said.getvalue().strip(), flush=True)
`

func startPython(t *testing.T) *memoryPython {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(path, "-c", "import multiprocessing.shared_memory").Run()
	}
	if err != nil {
		t.Skip("no python3 with shared memory here: that Python and Go see the same memory is not tested: ", err)
	}
	p := &memoryPython{t: t, cmd: exec.CommandContext(testkit.Ctx(t), path, "-c", memoryPrelude)}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	p.cmd.Stderr = &p.leaving
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end() })
	return p
}

// says runs a line and looks at what it prints.
func (p *memoryPython) says(want, format string, args ...any) {
	p.t.Helper()
	line := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatalf("python has ended: %v", p.out.Err())
	}
	if got := p.out.Text(); got != want {
		p.t.Errorf("python, %s: %q, want %q", line, got, want)
	}
}

// end waits for the end of the program, and of its resource tracker, which has its
// stderr: what the two have said there.
func (p *memoryPython) end() string {
	if p.cmd.ProcessState == nil {
		p.in.Close()
		if err := p.cmd.Wait(); err != nil {
			p.t.Errorf("python: %v\n%s", err, p.leaving.String())
		}
	}
	return p.leaving.String()
}

func TestMemoryThatPythonOpens(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	m := createMemory(t, name, 10_000)
	numbers := unsafe.Slice((*float64)(unsafe.Pointer(&m.Bytes()[0])), 1000)
	for i := range numbers {
		numbers[i] = float64(i) / 4
	}
	p := startPython(t)
	p.says("FileExistsError", "SharedMemory(%q, create=True, size=1)", name)
	p.says("", "m = attach(%q)", name)
	p.says("10000 "+name, "print(m.size, m.name)")
	p.says("249.75", "print(struct.unpack_from('=d', m.buf, 999*8)[0])")
	p.says("", "m.buf[9990:9995] = b'hello'")
	if got := string(m.Bytes()[9990:9995]); got != "hello" {
		t.Errorf("python wrote %q", got)
	}
	copy(m.Bytes()[9990:], "world")
	p.says("b'world'", "print(bytes(m.buf[9990:9995]))")
	p.says("10000", "m2 = attach('/' + %q); print(m2.size)", name)
	p.says("", "m.close(); m2.close()")
	if said := p.end(); said != "" {
		t.Errorf("python said %s", said)
	}
	if o := openMemory(t, name); string(o.Bytes()[9990:9995]) != "world" {
		t.Error("the memory is another after python's end")
	}
	if err := m.Unlink(); err != nil {
		t.Error(err)
	}
	p = startPython(t)
	p.says("FileNotFoundError", "SharedMemory(%q)", name)
}

func TestMemoryThatPythonMakes(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	p := startPython(t)
	p.says("", "m = SharedMemory(%q, create=True, size=5000)", name)
	if _, err := mp.CreateMemory(name, 1); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	m := openMemory(t, name)
	if m.Size() != 5000 {
		t.Errorf("%d bytes", m.Size())
	}
	copy(m.Bytes(), "from Go")
	p.says("b'from Go'", "print(bytes(m.buf[:7]))")
	p.says("", "m.buf[4999] = 9")
	if m.Bytes()[4999] != 9 {
		t.Error("python's byte is not here")
	}
	p.says("", "m.close(); m.unlink()")
	if err := m.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Unlink after python's: %v", err)
	}
	if m.Bytes()[4999] != 9 {
		t.Error("the memory ended with its name")
	}

	p.says("", "m = SharedMemory(create=True, size=1)") // python makes up the name
	fmt.Fprintln(p.in, "print(m.name)")
	p.out.Scan()
	m = openMemory(t, p.out.Text())
	if err := m.Unlink(); err != nil {
		t.Error(err)
	}
	p.says("FileNotFoundError", "m.unlink()")
	p.says("", "resource_tracker.unregister(m._name, 'shared_memory')")
	if said := p.end(); said != "" {
		t.Errorf("python said %s", said)
	}
}

func TestMemoryNamesWithPython(t *testing.T) {
	t.Parallel()
	p := startPython(t)
	base := memoryName(t)
	for _, name := range []string{base + ":a:b", base + " b", "." + base} { // python: ASCII only
		m := createMemory(t, name, 7)
		p.says("7", "m = attach(%q); print(m.size)", name)
		if err := m.Unlink(); err != nil {
			t.Error(err)
		}
	}
}

// Python removes the name of what it has attached to, unless it is told not to
// (gh-82300). The memory itself stays with the processes that have it.
func TestMemoryThatPythonTracks(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	m := createMemory(t, name, 1)
	p := startPython(t)
	p.says("", "m = SharedMemory(%q); m.buf[0] = 5; m.close()", name)
	openMemory(t, name)
	if said := p.end(); !strings.Contains(said, "leaked shared_memory") {
		t.Errorf("python said %q", said)
	}
	var err error
	for end := time.Now().Add(testkit.Within(time.Second)); err == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
		var o *mp.Memory
		if o, err = mp.OpenMemory(name); err == nil {
			o.Close()
		}
	}
	if err == nil {
		t.Skip("this python leaves what it has attached to alone")
	}
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(m.Unlink(), fs.ErrNotExist) {
		t.Errorf("the name is gone: %v", err)
	}
	if m.Bytes()[0] != 5 {
		t.Error("the memory is gone")
	}
}

func TestMemoryWithNumpy(t *testing.T) {
	t.Parallel()
	p := startPython(t)
	if exec.Command(p.cmd.Path, "-c", "import numpy").Run() != nil {
		t.Skip("no numpy here: that its arrays are a Go program's is not tested")
	}
	name := memoryName(t)
	type row struct {
		ID    int32
		Score float64
	}
	m := createMemory(t, name, 1000*int(unsafe.Sizeof(row{})))
	rows := unsafe.Slice((*row)(unsafe.Pointer(&m.Bytes()[0])), 1000)
	for i := range rows {
		rows[i] = row{int32(i), float64(i) / 2}
	}
	p.says("", "import numpy as np")
	p.says("", "m = attach(%q); rows = np.ndarray(1000, np.dtype([('id', 'i4'), ('score', 'f8')], align=True), buffer=m.buf)", name)
	p.says("499500 249750.0", "print(rows['id'].sum(), rows['score'].sum())")
	p.says("", "rows['score'] *= 10")
	if rows[999] != (row{999, 4995}) {
		t.Errorf("the last row is %v", rows[999])
	}
	p.says("", "del rows; m.close()")

	name = memoryName(t)
	p.says("", "m = SharedMemory(%q, create=True, size=8000); a = np.ndarray((10, 100), np.float64, buffer=m.buf); a[:] = 1.5", name)
	m = openMemory(t, name)
	numbers := unsafe.Slice((*float64)(unsafe.Pointer(&m.Bytes()[0])), 1000)
	if numbers[0] != 1.5 || numbers[999] != 1.5 {
		t.Errorf("numpy's numbers are %v", numbers[:3])
	}
	numbers[205] = -1
	p.says("-1.0 2 5", "print(a.min(), *divmod(int(a.argmin()), 100))")
	p.says("", "del a; m.close(); m.unlink()")
	if said := p.end(); said != "" {
		t.Errorf("python said %s", said)
	}
}
