//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// thumbnailsProcess is the program as a process of its own. It is the test binary
// under the other name.
type thumbnailsProcess struct {
	*exec.Cmd
	t      *testing.T
	lines  *bufio.Scanner
	stdout bytes.Buffer
	stderr strings.Builder // lines read so far
}

func startThumbnails(t *testing.T, dir string, args ...string) *thumbnailsProcess {
	t.Helper()
	p := &thumbnailsProcess{Cmd: exec.Command("thumbnails", args...), t: t}
	p.Dir = dir
	p.Stdout = &p.stdout
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

// await reads what the program says until a line matches.
func (p *thumbnailsProcess) await(pattern string) {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for p.lines.Scan() {
		fmt.Fprintln(&p.stderr, p.lines.Text())
		if re.MatchString(p.lines.Text()) {
			return
		}
	}
	p.t.Fatalf("no line matched %s:\n%s", pattern, p.stderr.String())
}

// ends reads the rest and returns the exit code.
func (p *thumbnailsProcess) ends() int {
	p.t.Helper()
	for p.lines.Scan() {
		fmt.Fprintln(&p.stderr, p.lines.Text())
	}
	p.Wait() // the code says it
	p.t.Logf("%s%s", p.stderr.String(), p.stdout.String())
	return p.ProcessState.ExitCode()
}

// images fills a folder with n copies of one image.
func images(t *testing.T, dir string, n, size int) {
	t.Helper()
	data, err := makeImage(".png", size, size)
	must(t, err)
	must(t, os.MkdirAll(dir, 0o755))
	for i := range n {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.png", i)), data, 0o644))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return string(data)
}

func wants(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(text) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	images(t, filepath.Join(dir, "in"), 400, 400)
	p := startThumbnails(t, dir, "-out", "out", "-size", "300", "in")
	p.await(`^[1-9][0-9]* of 400 done`)
	must(t, p.Process.Signal(os.Interrupt))
	if code := p.ends(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	wants(t, p.stderr.String(), `interrupted: [0-9]+ of 400 images done`)
	wants(t, p.stdout.String(), `done +[0-9]+ of 400 images`, `failed +0`, `not done +[0-9]+`, `out/index.html`)
	wants(t, read(t, filepath.Join(dir, "out", sheetName)), `interrupted`, `<figure`)
	parts, err := filepath.Glob(filepath.Join(dir, "out", "*", "*.part"))
	if len(parts) > 0 || err != nil {
		t.Errorf("left: %v %v", parts, err)
	}
}

// A worker that is killed takes the image with it that it was at, and no other.
// Each of the images takes much longer than it takes to find the worker.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "in"), 0o755))
	slow, err := makeZeros(".png", 3000, 3000)
	must(t, err)
	for i := range 5 {
		must(t, os.WriteFile(filepath.Join(dir, "in", fmt.Sprintf("slow%d.png", i)), slow, 0o644))
	}
	p := startThumbnails(t, dir, "-j", "1", "-timeout", "5m", "-memory", "2GiB", "-out", "out", "in")
	p.await(`^5 images found`)
	var worker int
	for worker == 0 {
		time.Sleep(time.Millisecond)
		worker = p.workerAt(regexp.MustCompile(`/in/slow[0-9]\.png$`))
	}
	must(t, syscall.Kill(worker, syscall.SIGKILL))
	if code := p.ends(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	wants(t, p.stdout.String(), `done +4 of 5`, `its worker was killed \(signal: killed\) +in/slow[0-9].png`, `workers +1, 1 replaced`)
}

// workerAt is the pid of a worker that has a file of such a name open; 0: none has.
func (p *thumbnailsProcess) workerAt(name *regexp.Regexp) int {
	p.t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.Process.Pid))
	must(p.t, err)
	if len(lists) == 0 {
		p.t.Skip("the system does not tell a process's children")
	}
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.Process.Pid)); err != nil || len(line) == 0 {
		p.t.Fatal("it ended before a worker was seen at its work")
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil { // threads come and go
			continue
		}
		for _, child := range strings.Fields(string(children)) {
			files, err := filepath.Glob("/proc/" + child + "/fd/*")
			must(p.t, err)
			for _, file := range files {
				if to, err := os.Readlink(file); err == nil && name.MatchString(to) {
					pid, err := strconv.Atoi(child)
					must(p.t, err)
					return pid
				}
			}
		}
	}
	return 0
}

// nobody makes a command run as a user who may not read everything. The program
// has to be where that user finds it.
func (p *thumbnailsProcess) nobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o755))
	}
	// Another program copies: what this one has open for writing, a child that it
	// starts at that moment has open too, and the system runs no such file.
	own := filepath.Join(dir, "thumbnails")
	must(t, exec.Command("cp", p.Path, own).Run())
	must(t, os.Chmod(own, 0o755))
	p.Path = own
	must(t, os.Chmod(filepath.Join(dir, "in"), 0o777))
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	images(t, filepath.Join(dir, "in"), 2, 100)
	images(t, filepath.Join(dir, "in", "closed"), 1, 100)
	must(t, os.Chmod(filepath.Join(dir, "in", "0001.png"), 0))
	must(t, os.Chmod(filepath.Join(dir, "in", "closed"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "in", "closed"), 0o755) })
	p := &thumbnailsProcess{Cmd: exec.Command("thumbnails", "-out", "in/out", "in"), t: t}
	p.Dir = dir
	p.nobody(t, dir)
	out, err := p.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	wants(t, string(out), `done +1 of 2`, `permission denied +in/0001.png, in/closed`)
}

// A full disk is a reason, and the program ends with it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	images(t, filepath.Join(dir, "in"), 40, 200)
	must(t, os.Mkdir(filepath.Join(dir, "out"), 0o755))
	script := `mount -t tmpfs -o size=64k none out || exit 77
thumbnails -out out in; code=$?
find out -name '*.part' | grep . && exit 78
exit $code`
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	switch cmd.ProcessState.ExitCode() {
	case 0: // something could be done
	case 77, -1:
		t.Skipf("cannot mount: %v: %s", err, out)
	default:
		if strings.HasPrefix(string(out), "unshare") {
			t.Skipf("no namespaces here: %s", out)
		}
		t.Errorf("%v: %s", err, out)
	}
	wants(t, string(out), `done +[1-9][0-9]* of 40`, `cannot write the thumbnail: no space left on device`,
		`cannot write the contact sheet out/index.html: no space left on device`)
}
