//go:build unix

package main

import (
	"bufio"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// fetchProcess is the program as a process of its own: the test binary under the other name.
func fetchProcess(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.Command("fetch", args...)
	cmd.Env = append(os.Environ(), noSleep)
	return cmd
}

// Interrupted with requests under way it ends at once: with whole lines for what was done,
// and none and no files for what was not.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	var under sync.WaitGroup
	under.Add(4)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", 100_000))
		if r.URL.Path == "/done" {
			return
		}
		http.NewResponseController(w).Flush()
		under.Done()
		<-r.Context().Done()
	})
	dir := t.TempDir()
	cmd := fetchProcess(t, "-j", "4", "-o", dir, base+"/done", base+"/1", base+"/2", base+"/3", base+"/4")
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	must(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	must(t, err)
	if !strings.HasPrefix(first, base+"/done 200 100000 ") {
		t.Errorf("the first line is %q", first)
	}
	under.Wait()
	must(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(lines)
	must(t, err)
	cmd.Wait() // the code says it
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if len(rest) > 0 || stderr.String() != "interrupted: 1 done\n" {
		t.Errorf("it said %q and %q", rest, stderr.String())
	}
	same(t, files(t, dir), map[string]string{"done": strings.Repeat("x", 100_000)})
}

// When nobody reads the lines any more, as behind | head, it ends and leaves no half files.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	under, gone := make(chan struct{}), make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/held":
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			close(under)
			<-r.Context().Done()
		case "/second":
			<-gone
		}
	})
	dir := t.TempDir()
	cmd := fetchProcess(t, "-o", dir, base+"/first", base+"/second", base+"/held")
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	must(t, cmd.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	<-under
	must(t, stdout.Close())
	close(gone)
	cmd.Wait() // the code says it
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || stderr.Len() > 0 {
		t.Errorf("exit code %d, it said %q", code, stderr.String())
	}
	same(t, files(t, dir), map[string]string{"first": "", "second": ""})
}

// What a server sends unasked for is not told: it would tear lines and bar.
func TestUnaskedFor(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more\r\n")
		io.Copy(io.Discard, c) // until the client goes
	})
	var args []string
	for range 20 { // the program may be gone before it sees
		args = append(args, base)
	}
	cmd := fetchProcess(t, append([]string{"-j", "1"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v, it said %q", err, stderr.String())
	}
}

// A body of 300 MB is not held.
func TestBodiesAreNotHeld(t *testing.T) {
	t.Parallel()
	piece := make([]byte, 1<<20)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 300 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	cmd := fetchProcess(t, base)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), base+" 200 314572800 ") {
		t.Fatalf("%v: %s", err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if ok && usage.Maxrss > 200<<10 { // in kB on Linux, in bytes elsewhere
		t.Logf("it used %d of memory", usage.Maxrss)
		if _, err := os.Stat("/proc/self/status"); err == nil {
			t.Error("which is too much")
		}
	}
}

// The environment says which certificates are trusted, as for other programs in Go.
func TestTrustedCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(echo))
	t.Cleanup(s.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	must(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o644))
	cmd := fetchProcess(t, s.URL+"/x")
	cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+roots)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), s.URL+"/x 200 2 ") {
		t.Errorf("%v: %s", err, out)
	}
}

// The environment says which proxy is asked.
func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := serve(t, echo)
	cmd := fetchProcess(t, "http://somewhere.invalid/x")
	cmd.Env = append(cmd.Env, "http_proxy="+proxy, "no_proxy=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "http://somewhere.invalid/x 200 26 ") {
		t.Errorf("%v: %s", err, out)
	}
}

// On a terminal there is a bar, which no line is mixed with.
func TestTerminal(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip(err)
	}
	base := serve(t, echo)
	cmd := exec.Command("script", "-qec", "fetch -j 1 -k "+base+"/a "+base+"/b", "/dev/null")
	cmd.Env = append(os.Environ(), noSleep)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bar, whole := false, 0
	for line := range strings.Lines(string(out)) {
		for part := range strings.SplitSeq(strings.TrimRight(line, "\r\n"), "\r") {
			bar = bar || strings.HasPrefix(part, "fetch ") && strings.Contains(part, "%")
			if strings.HasPrefix(part, base) && len(strings.Fields(part)) == 4 {
				whole++
			}
		}
	}
	if !bar || whole != 2 {
		t.Errorf("a bar: %v, %d whole lines, want 2:\n%q", bar, whole, out)
	}
}
