package pickle_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit/python"
)

// peer is a Python that evaluates, pickles and unpickles.
type peer struct {
	t       testing.TB
	in      io.WriteCloser
	out     *bufio.Reader
	version [3]int
	numpy   string
	highest int
}

// eachPython runs test once for each Python, or skips.
func eachPython(t *testing.T, test func(t *testing.T, p *peer)) {
	t.Helper()
	t.Parallel()
	if len(python.Interpreters()) == 0 {
		t.Skip("no python3 on this machine: nothing to compare with")
	}
	for _, path := range python.Interpreters() {
		t.Run(strings.ReplaceAll(path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			test(t, startPeer(t, path))
		})
	}
}

func startPeer(t testing.TB, path string) *peer {
	t.Helper()
	cmd := exec.Command(path, "-B", "-W", "ignore", "testdata/peer.py")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	})
	p := &peer{t: t, in: in, out: bufio.NewReader(out)}
	var hello struct {
		Version [3]int
		Numpy   *string
		Highest int
	}
	p.read(&hello)
	p.version, p.highest = hello.Version, hello.Highest
	if hello.Numpy != nil {
		p.numpy = *hello.Numpy
	}
	return p
}

// since reports whether the Python is 3.minor or newer.
func (p *peer) since(minor int) bool { return p.version[1] >= minor }

func (p *peer) read(v any) {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		p.t.Fatalf("the answer of Python: %v: %.200s", err, line)
	}
}

func (p *peer) ask(request map[string]any) (string, error) {
	p.t.Helper()
	b, err := json.Marshal(request)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.t.Fatal(err)
	}
	var reply struct {
		OK    string
		Error string
	}
	p.read(&reply)
	if reply.Error != "" {
		return "", errors.New(reply.Error)
	}
	return reply.OK, nil
}

// dumps is Python's pickle of an expression.
func (p *peer) dumps(expr string, protocol int) []byte {
	p.t.Helper()
	s, err := p.ask(map[string]any{"op": "dumps", "expr": expr, "protocol": protocol})
	if err != nil {
		p.t.Fatalf("%s: %v", expr, err)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// again is what Python writes when it has read data.
func (p *peer) again(data []byte, protocol int) []byte {
	p.t.Helper()
	s, err := p.ask(map[string]any{"op": "again", "data": base64.StdEncoding.EncodeToString(data), "protocol": protocol})
	if err != nil {
		p.t.Fatalf("%v in %q", err, data)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// equal fails the test unless data is, for Python, what expr is.
func (p *peer) equal(expr string, data []byte) {
	p.t.Helper()
	p.verdict("equal", expr, data)
}

// check fails the test unless expr is true for v, which is what data is for Python.
func (p *peer) check(expr string, data []byte) {
	p.t.Helper()
	p.verdict("check", expr, data)
}

func (p *peer) verdict(op, expr string, data []byte) {
	p.t.Helper()
	wrong, err := p.ask(map[string]any{"op": op, "expr": expr, "data": base64.StdEncoding.EncodeToString(data)})
	if err != nil {
		p.t.Errorf("%s: Python: %v in %q", expr, err, data)
	} else if wrong != "" {
		p.t.Errorf("%s: Python has %s", expr, wrong)
	}
}

// protocols are those that the Python writes.
func (p *peer) protocols() []int {
	return slices.DeleteFunc([]int{0, 1, 2, 3, 4, 5}, func(n int) bool { return n > p.highest })
}
