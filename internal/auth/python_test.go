package auth_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/auth"
	"github.com/gomultiprocessing/mp/internal/testkit/python"
)

// eachPython runs test once for each Python, or skips. md5 says what it needs.
func eachPython(t *testing.T, test func(t *testing.T, path string, md5 bool)) {
	t.Helper()
	t.Parallel()
	if len(python.Interpreters()) == 0 {
		t.Skip("no python3 on this machine: nothing to talk with")
	}
	for _, path := range python.Interpreters() {
		t.Run(strings.ReplaceAll(path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			err := exec.Command(path, "-c", "import sys; sys.exit(sys.version_info < (3, 12))").Run()
			test(t, path, err != nil)
		})
	}
}

// startPython starts an end of a connection. It must have ended before the test does.
func startPython(t *testing.T, path string, args ...string) *bufio.Reader {
	t.Helper()
	cmd := exec.Command(path, append([]string{"testdata/peer.py"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait()
	})
	return bufio.NewReader(out)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(s)
}

// messages checks that messages of all lengths come back, and closes.
func messages(t *testing.T, conn net.Conn) {
	t.Helper()
	for _, n := range []int{0, 1, 16384, 16385, 1 << 20} {
		sent := bytes.Repeat([]byte{byte(n), 1, 2}, n/3+1)[:n]
		written := make(chan error, 1)
		go func() { written <- auth.WriteMessage(conn, sent) }()
		got, err := auth.ReadMessage(conn, nil, 1<<20)
		if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestPythonListens(t *testing.T) {
	eachPython(t, func(t *testing.T, path string, md5 bool) {
		for _, c := range []struct {
			key  string
			o    auth.Options
			want error
		}{
			{"secret", auth.Options{Key: []byte("secret"), MD5: md5}, nil},
			{"other", auth.Options{Key: []byte("secret"), MD5: true}, auth.ErrRejected},
		} {
			out := startPython(t, path, "listen", c.key)
			conn, err := net.Dial("tcp", "127.0.0.1:"+line(t, out))
			if err != nil {
				t.Fatal(err)
			}
			if err := auth.Dial(context.Background(), conn, c.o); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			want := "refused"
			if c.want == nil {
				messages(t, conn)
				want = "done"
			}
			if got := line(t, out); got != want {
				t.Errorf("Python says %s, want %s", got, want)
			}
			_ = conn.Close()
		}
	})
}

func TestPythonDials(t *testing.T) {
	eachPython(t, func(t *testing.T, path string, md5 bool) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		for _, c := range []struct {
			key  string
			o    auth.Options
			want error
			says string
		}{
			{"secret", auth.Options{Key: []byte("secret"), MD5: md5}, nil, "done"},
			{"other", auth.Options{Key: []byte("secret"), MD5: true}, auth.ErrWrongKey, "refused"},
		} {
			out := startPython(t, path, "dial", c.key, port)
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if err := auth.Accept(context.Background(), conn, c.o); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.want == nil {
				messages(t, conn)
			}
			if got := line(t, out); got != c.says {
				t.Errorf("Python says %s, want %s", got, c.says)
			}
			_ = conn.Close()
		}
	})
}

// Without Options.MD5, Python up to 3.11 is told apart from one with a wrong key.
func TestOldPythonNeedsMD5(t *testing.T) {
	eachPython(t, func(t *testing.T, path string, md5 bool) {
		if !md5 {
			t.Skip("this Python has SHA-256")
		}
		out := startPython(t, path, "listen", "secret")
		conn, err := net.Dial("tcp", "127.0.0.1:"+line(t, out))
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Dial(context.Background(), conn, auth.Options{Key: []byte("secret")}); !errors.Is(err, auth.ErrMD5) {
			t.Error(err)
		}
		_ = conn.Close()
		if got := line(t, out); got != "closed" {
			t.Errorf("Python says %s", got)
		}
	})
}
