package lint_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// released is the version under which the tree is released in these tests.
const released = "v0.1.0-test"

// modules are the modules of the tree that others may require, and their folders.
var modules = map[string]string{module: ".", module + "/examples": "examples", module + "/bench": "bench"}

// Each module is in the workspace.
func TestWorkspaceIsComplete(t *testing.T) {
	t.Parallel()
	var work struct{ Use []struct{ DiskPath string } }
	decodeGo(t, root, &work, "work", "edit", "-json")
	var used []string
	for _, u := range work.Use {
		used = append(used, filepath.ToSlash(filepath.Clean(u.DiskPath)))
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "go.mod" {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if dir = filepath.ToSlash(dir); err == nil && dir != "tools" && !slices.Contains(used, dir) && !strings.Contains(dir, "testdata") {
			t.Errorf("go.work does not use %s", dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) != len(modules) {
		t.Errorf("go.work uses %q; this test knows %d modules", used, len(modules))
	}
}

// A program that requires mp gets golang.org/x/sys with it, and knows of no other modules than those that mp's
// own tests need.
func TestUserGetsOnlySys(t *testing.T) {
	t.Parallel()
	env := proxied(t)
	dir := t.TempDir()
	write(t, dir, "main.go", `package main

import (
	"fmt"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func main() {
	mp.Main()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 1})
	fmt.Println(pool != nil, err)
}
`)
	goIn(t, dir, env, "mod", "init", "example.org/user")
	goIn(t, dir, env, "get", module+"@"+released)
	if out := goIn(t, dir, env, "run", "."); out != "true <nil>\n" {
		t.Errorf("the program prints %q", out)
	}
	for _, path := range strings.Fields(goIn(t, dir, env, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")) {
		if path != "example.org/user" && path != module && path != "golang.org/x/sys" {
			t.Errorf("the program is built of %s", path)
		}
	}
	allowed := []string{"example.org/user", module}
	var own struct{ Require []struct{ Path string } }
	decodeGo(t, root, &own, "mod", "edit", "-json")
	for _, r := range own.Require {
		allowed = append(allowed, r.Path)
	}
	for _, path := range strings.Fields(goIn(t, dir, env, "list", "-m", "-f", "{{.Path}}", "all")) {
		if !slices.Contains(allowed, path) {
			t.Errorf("the program's module graph has %s", path)
		}
	}
}

// What is released installs by its version: it replaces nothing.
func TestReleaseInstalls(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"/examples/crawl", "/bench"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			goIn(t, t.TempDir(), append(proxied(t), "GOBIN="+bin), "install", module+command+"@"+released)
			if _, err := os.Stat(filepath.Join(bin, filepath.Base(command))); err != nil {
				t.Error(err)
			}
		})
	}
}

// proxied writes the tree as it is released into a folder that is a module proxy, and returns the environment in which
// the go command gets mp from there and what mp needs from the module cache.
func proxied(t *testing.T) (env []string) {
	t.Helper()
	if testing.Short() {
		t.Skip("short: nothing is released")
	}
	for _, name := range []string{"go", "git", "bash"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s in PATH: nothing can be released", name)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is no checkout: git does not say which files are released")
	}
	tree, proxy := filepath.Join(t.TempDir(), "tree"), t.TempDir()
	if out, err := exec.Command("bash", filepath.Join(root, "tools", "release"), released, tree).CombinedOutput(); err != nil {
		t.Fatalf("tools/release: %v\n%s", err, out)
	}
	for path, dir := range modules {
		serve(t, proxy, path, filepath.Join(tree, dir))
	}
	cache := filepath.Join(strings.TrimSpace(goIn(t, ".", nil, "env", "GOMODCACHE")), "cache", "download")
	return []string{
		"GOWORK=off", "GOFLAGS=-mod=mod -modcacherw -trimpath", "GOTOOLCHAIN=local", "GONOSUMDB=*", "GONOSUMCHECK=1", "GONOPROXY=none", "GOPRIVATE=",
		"GOPROXY=file://" + filepath.ToSlash(proxy) + ",file://" + filepath.ToSlash(cache) + "," + strings.TrimSpace(goIn(t, ".", nil, "env", "GOPROXY")),
		"GOMODCACHE=" + t.TempDir(),
	}
}

// serve puts a module where a proxy has it.
func serve(t *testing.T, proxy, path, dir string) {
	t.Helper()
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, at, "list", released+"\n")
	write(t, at, released+".info", fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, released))
	write(t, at, released+".mod", string(mod))
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && file != dir {
				return fs.SkipDir // another module
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		w, err := z.Create(path + "@" + released + "/" + filepath.ToSlash(rel))
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, at, released+".zip", text.String())
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// goIn runs the go command in a folder, and returns what it prints.
func goIn(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out)
}

// decodeGo decodes the JSON that the go command prints.
func decodeGo(t *testing.T, dir string, into any, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command in PATH")
	}
	if err := json.Unmarshal([]byte(goIn(t, dir, nil, args...)), into); err != nil {
		t.Fatal(err)
	}
}
