package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// files are the files in a folder with what is in them, those of the file system's too.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(data)
		return err
	}))
	return all
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s holds %q, want %q", name, got[name], data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("there is %s", name)
		}
	}
}

// echo answers with the path and the query that were asked for.
func echo(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }

// Bodies become files; two with one name are two files, and nothing is overwritten.
func TestFiles(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved.txt":
			http.Redirect(w, r, "/elsewhere/b.txt", http.StatusFound)
		case "/gone.txt":
			http.NotFound(w, r)
		default:
			echo(w, r)
		}
	})
	host := strings.Replace(strings.TrimPrefix(base, "http://"), ":", "_", 1)
	dir := filepath.Join(t.TempDir(), "new", "out")
	urls := []string{"/a.txt", "/x/a.txt", "/A.TXT", "/a.txt?n=1", "/", "", "/moved.txt", "/gone.txt", "/b/"}
	args := []string{"-k", "-o", dir}
	for _, u := range urls {
		args = append(args, base+u)
	}
	line := ` [0-9]+ ` + seconds + ` `
	run(t, args...).wants(t, exitFailed, base+"/a.txt 200"+line+"a.txt", base+"/x/a.txt 200"+line+"a-2.txt",
		base+"/A.TXT 200"+line+"A-3.TXT", base+`/a.txt\?n=1 200`+line+"a-4.txt", base+"/ 200"+line+host, base+" 200"+line+host+"-2",
		base+"/elsewhere/b.txt 200"+line+"moved.txt", base+"/gone.txt 404 [0-9]+ "+seconds, base+"/b/ 200"+line+"b")
	want := map[string]string{
		"a.txt": "/a.txt", "a-2.txt": "/x/a.txt", "A-3.TXT": "/A.TXT", "a-4.txt": "/a.txt?n=1", host: "/", host + "-2": "/",
		"moved.txt": "/elsewhere/b.txt", "b": "/b/",
	}
	same(t, files(t, dir), want)

	run(t, "-o", dir, base+"/other/a.txt").wants(t, exitFailed,
		base+"/other/a.txt error 0 "+seconds+" there is a file a.txt already, which is not overwritten")
	same(t, files(t, dir), want)
}

// Whatever a URL is called, and whatever lies in the folder, nothing outside is touched.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	base := serve(t, echo)
	dir := t.TempDir()
	out := filepath.Join(dir, "a", "out")
	must(t, os.MkdirAll(out, 0o755))
	must(t, os.Symlink(filepath.Join(dir, "outside"), filepath.Join(out, "link")))
	var list strings.Builder
	for _, path := range []string{
		"/..", "/../..", "/%2e%2e", "/..%2f..%2foutside", "/%2fetc%2foutside", "/..%5c..%5coutside", "/C:%5coutside", "/a%00b", "/a%0ab",
		"/-rf", "/.profile", "/con.txt", "/" + strings.Repeat("long", 200) + ".html", "/%ff%fe", "/%E7%85%A7%E7%89%87.jpg", "/link",
	} {
		list.WriteString(base + path + "\n")
	}
	r := runWith(t, list.String(), "-o", out)
	if n := strings.Count(r.stdout, " 200 "); n != 15 || r.code != exitFailed {
		t.Errorf("%d files, want 15 and the link as it was", n)
	}
	if _, err := os.Lstat(filepath.Join(dir, "outside")); err == nil {
		t.Error("something was written through the link")
	}
	must(t, os.Remove(filepath.Join(out, "link")))
	all := files(t, dir)
	if len(all) != 15 {
		t.Errorf("%d files, want 15", len(all))
	}
	for name := range all {
		if filepath.Dir(name) != "a/out" {
			t.Errorf("%s is outside", name)
		}
	}
	for _, name := range []string{"a/out/_rf", "a/out/_profile", "a/out/_con.txt", "a/out/照片.jpg", "a/out/_._.._outside"} {
		if _, ok := all[name]; !ok {
			t.Errorf("there is no %s in %q", name, all)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, path := range []string{"", "/", "/..", "/.", "/a.txt", "/%2e%2e%2f", "/con", "/a.", "/" + strings.Repeat("ä", 300), "/\u202egnp.exe"} {
		f.Add("example.org:80", path)
	}
	f.Fuzz(func(t *testing.T, host, path string) {
		name, ext := fileName(&url.URL{Scheme: "http", Host: "h" + host, Path: path})
		switch {
		case !filepath.IsLocal(name) || strings.ContainsAny(name, `/\:`) || len(name) > 210 || !utf8.ValidString(name):
			t.Errorf("%q becomes %q", path, name)
		case name[0] == '.' || name[0] == '-' || !strings.HasSuffix(name, ext):
			t.Errorf("%q becomes %q, extension %q", path, name, ext)
		}
	})
}

// A body that is too long, or breaks off, leaves no file.
func TestNoHalfFiles(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			w.Header().Set("Content-Length", "1001")
			io.WriteString(w, strings.Repeat("x", 1001))
		case "/endless":
			for r.Context().Err() == nil {
				io.WriteString(w, strings.Repeat("x", 100))
				http.NewResponseController(w).Flush()
			}
		case "/full":
			io.WriteString(w, strings.Repeat("x", 1000))
		case "/cut":
			cut(w)
		}
	})
	dir := t.TempDir()
	run(t, "-k", "-retries", "0", "-max-bytes", "1000", "-o", dir, base+"/long", base+"/endless", base+"/cut", base+"/full").wants(t, exitFailed,
		base+"/long error 0 "+seconds+" more than 1000 bytes", base+"/endless error [0-9]+ "+seconds+" more than 1000 bytes",
		base+"/cut error [0-9]+ "+seconds+" unexpected EOF", base+"/full 200 1000 "+seconds+" full")
	same(t, files(t, dir), map[string]string{"full": strings.Repeat("x", 1000)})
}

// Another program makes a file of the name while the body comes: it stays as it is.
func TestFileAppears(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("theirs"), 0o644))
		echo(w, r)
	})
	run(t, "-o", dir, base+"/a").wants(t, exitFailed, base+"/a error .* there is a file a already, which is not overwritten")
	same(t, files(t, dir), map[string]string{"a": "theirs"})
}

// Certificates are checked as Go does it, and not again and again.
func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	run(t, s.URL).wants(t, exitFailed, s.URL+` error 0 `+seconds+` tls: failed to verify certificate: [^(]*`)
	plain := serve(t, echo)
	secure := strings.Replace(plain, "http:", "https:", 1)
	run(t, secure).wants(t, exitFailed, secure+` error 0 `+seconds+` [^(]*HTTP response to HTTPS client[^(]*`)
}

// Where there are no links a file gets its name all the same, and takes no other's.
func TestClaim(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string]string{".1.part": "new", ".2.part": "newer"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	s := &store{root: root}
	must(t, s.claim(".1.part", "a"))
	if err := s.claim(".2.part", "a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the name was taken, but: %v", err)
	}
	if err := s.claim(".3.part", "b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is nothing to name, but: %v", err)
	}
	same(t, files(t, dir), map[string]string{"a": "new", ".2.part": "newer"})
}

// What killed runs have left in the folder is removed, and in nobody's way; what others are
// writing stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no parent process to ask for")
	}
	dir := t.TempDir()
	own := fmt.Sprintf(".fetch-%d-1.part", os.Getpid()) // of an earlier run with this number
	theirs := fmt.Sprintf(".fetch-%d-1.part", os.Getppid())
	for _, name := range []string{own, theirs, ".fetch-999999999-7.part", "fetch-999999999-7.part", ".fetch-999999999-7.part.txt"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o644))
	}
	base := serve(t, echo)
	run(t, "-o", dir, base+"/a").wants(t, exitDone, base+"/a 200 2 "+seconds+" a")
	same(t, files(t, dir), map[string]string{"a": "/a", theirs: "half", "fetch-999999999-7.part": "half", ".fetch-999999999-7.part.txt": "half"})
}
