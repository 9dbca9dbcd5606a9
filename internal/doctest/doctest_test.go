package doctest_test

import (
	"bytes"
	"context"
	"go/ast"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// mainFunc is the file's main function.
func (s *source) mainFunc() *ast.FuncDecl {
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" {
			return f
		}
	}
	return nil
}

// Every Go block of the pages compiles, runs, and prints what its page promises.
func TestPages(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the pages show what other systems do not have")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command in PATH")
	}
	var sources []*source
	for _, page := range pages(t) {
		for _, b := range readBlocks(t, page) {
			s, err := completed(b)
			if err != nil {
				t.Error(err)
				continue
			}
			sources = append(sources, s)
		}
	}
	if t.Failed() {
		return
	}
	if len(sources) < 10 {
		t.Fatalf("only %d blocks found in the pages", len(sources))
	}
	checkBlocks(t, sources)
}

// checkBlocks builds all programs by one call of go build and all tests by one
// of go test, and runs them.
func checkBlocks(t *testing.T, sources []*source) {
	o := &overlay{dir: t.TempDir(), Replace: map[string]string{}}
	var programs []*program
	var together []*unit
	var tests []*unit
	var build []string
	for _, u := range units(sources) {
		u.add(t, o)
		switch {
		case u.test():
			tests = append(tests, u)
		case u.joins():
			together = append(together, u)
		case u.main():
			programs = append(programs, &program{path: u.path, units: []*unit{u}})
		default:
			build = append(build, u.path)
		}
	}
	for _, p := range group(together) {
		o.add(t, p.path+"/main.go", p.text())
		programs = append(programs, p)
	}
	for _, p := range programs {
		build = append(build, p.path)
	}

	bin := t.TempDir()
	args := append([]string{"build", "-ldflags=-s -w", "-o", bin + string(filepath.Separator)}, build...)
	if out, err := o.run(t, args...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, p := range programs {
		for _, u := range p.units {
			u.check(t, filepath.Join(bin, path.Base(p.path)+suffix()))
		}
	}
	if len(tests) == 0 {
		return
	}
	args = []string{"test", "-c", "-vet=off", "-o", bin + string(filepath.Separator)}
	for _, u := range tests {
		args = append(args, u.path)
	}
	if out, err := o.run(t, args...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, u := range tests {
		u.check(t, filepath.Join(bin, path.Base(u.path)+".test"+suffix()))
	}
}

// suffix is what the names of programs end with.
func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// check runs a unit's program, in a folder of its own.
func (u *unit) check(t *testing.T, program string) {
	if u.compile() {
		return
	}
	t.Run(u.sources[0].String(), func(t *testing.T) {
		t.Parallel()
		u.run(t, program)
	})
}

func (u *unit) run(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it takes a moment, but the machine may be busy
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Args[0] = u.id()
	cmd.Dir = t.TempDir()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", u.sources[0], err, stdout.Bytes(), stderr.Bytes())
	}
	for _, s := range u.sources {
		if err := s.keeps(stdout.Bytes()); err != nil {
			t.Errorf("%v: %v\n%s", s, err, stderr.Bytes())
		}
	}
}
