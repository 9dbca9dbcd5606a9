package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A page has a line with what is in it, and so has one that is none.
func TestLines(t *testing.T) {
	t.Parallel()
	away := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("the crawl left the site, for %s", r.URL) })
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=gbk")
			io.WriteString(w, "<title> \xd6\xd0\n\xce\xc4 &amp; <b></title><base href=/in/><A HREF=a?x=1&amp;y=2#z>a</a><a href=a?x=1&y=2>"+
				"<iframe src=//"+strings.TrimPrefix(away, "http://")+"/frame></iframe><a href=javascript:x()><a href='http://[bad'>"+
				"<area href=/picture><a href=/moved><a href=/loop><a href=/away><a href=/xhtml><script><a href=/no></script><title>2</title>")
		case "/in/a?x=1&y=2":
			writePage(w, "A")
		case "/picture":
			w.Header().Set("Content-Type", "image/png")
			for r.Context().Err() == nil { // read, it would have no end
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/moved":
			http.Redirect(w, r, "/in/../moved/to#x", http.StatusMovedPermanently)
		case "/moved/to":
			writePage(w, "new place")
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/away":
			http.Redirect(w, r, away, http.StatusFound)
		case "/xhtml":
			w.Header().Set("Content-Type", "application/xml")
			io.WriteString(w, "<a href=/no>")
		default:
			http.NotFound(w, r)
		}
	})
	got, _ := run(t, exitDone, base)
	names(t, got, "/ /in/a?x=1&y=2 /picture /moved /moved/to /loop /away /xhtml")
	home := got["/"]
	wantLinks := []string{base + "/in/a?x=1&y=2", away + "/frame", base + "/picture", base + "/moved", base + "/loop", base + "/away", base + "/xhtml"}
	if home.Title != "中 文 & <b>" || fmt.Sprint(home.Links) != fmt.Sprint(wantLinks) {
		t.Errorf("%+v\nwant %v", home, wantLinks)
	}
	for name, want := range map[string]string{
		"/in/a?x=1&y=2": "200 A []", "/picture": "200  []", "/moved": "301  [" + base + "/moved/to]",
		"/loop": "302  [" + base + "/loop]", "/away": "302  [" + away + "/]", "/xhtml": "200  []",
	} {
		if r := got[name]; fmt.Sprintf("%d %s %v", r.Status, r.Title, r.Links) != want {
			t.Errorf("%s: %+v, want %s", name, r, want)
		}
	}
}

// The limits of depth and pages hold. Redirects do not count as links.
func TestLimits(t *testing.T) {
	t.Parallel()
	base := pages(t, map[string]string{"/": "/1", "/1": "/2 /", "/2": "/3", "/3": "/4"})
	got, _ := run(t, exitDone, "-depth", "0", base)
	names(t, got, "/")
	got, _ = run(t, exitDone, "-depth", "2", base)
	names(t, got, "/ /1 /2")
	got, _ = run(t, exitDone, "-pages", "2", base)
	names(t, got, "/ /1")
	got, _ = run(t, exitDone, base)
	names(t, got, "/ /1 /2 /3 /4")

	moving := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	})
	got, _ = run(t, exitDone, "-depth", "0", moving)
	if len(got) != 1+maxHops {
		t.Errorf("%d redirects, want %d", len(got), 1+maxHops)
	}
}

// A page that is only partly read has the links of that part.
func TestLongPage(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		writePage(w, "long", "/near")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(" ", 1000)+"<a href=/far>"); err != nil {
				return
			}
		}
	})
	got, _ := run(t, exitDone, "-max-bytes", "500", base)
	names(t, got, "/ /near")
	if e := got["/"].Error; e != "only the first 500 bytes were read" {
		t.Errorf("error %q", e)
	}
}

// Pages that fail are tried again if that may help, and have a line in the end.
func TestFailures(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := make(map[string]int)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		n := asked[r.URL.Path]
		mu.Unlock()
		switch {
		case r.URL.Path == "/":
			writePage(w, "home", "/busy", "/hangs-up", "/always", "/gone", "/broken", "/switches")
		case r.URL.Path == "/switches":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
			io.Copy(io.Discard, c) // until the client goes
		case r.URL.Path == "/busy" && n < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/always" || r.URL.Path == "/hangs-up" && n < 2:
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/gone" || r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case r.URL.Path == "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			writePage(w, "there")
		}
	})
	got, _ := run(t, exitDone, base)
	names(t, got, "/ /busy /hangs-up /always /gone /broken /switches")
	mu.Lock()
	defer mu.Unlock()
	for name, want := range map[string]string{
		"/busy": "200 there 3 ", "/hangs-up": "200 there 2 ", "/always": "0  4 cut", "/gone": "404  1 ", "/broken": "500  1 ", "/switches": "0  1 status 101 is no answer",
	} {
		n, r := asked[name], got[name]
		if name == "/always" && r.Error != "" { // an end of file, or a reset
			n, r.Error = min(n, 4), "cut" // Go's client has its own retries besides
		}
		if fmt.Sprintf("%d %s %d %s", r.Status, r.Title, n, r.Error) != want {
			t.Errorf("%s: %+v, asked for %d times, want %s", name, r, n, want)
		}
	}
}

// A page that ends every parser has a line that says so, and the others are all there.
func TestPageEndsParsers(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			writePage(w, "home", "/a", "/b", "/bad", "/c", "/d")
		case "/robots.txt":
			http.NotFound(w, r)
		default:
			if strings.HasPrefix(r.URL.Path, "/after") {
				writePage(w, "after")
				return
			}
			writePage(w, "page", "/after"+r.URL.Path)
			if r.URL.Path == "/bad" {
				io.WriteString(w, killer)
			}
		}
	})
	got, stderr := run(t, exitDone, "-processes", "2", base)
	names(t, got, "/ /a /b /bad /c /d /after/a /after/b /after/c /after/d")
	if e := got["/bad"].Error; !strings.HasPrefix(e, "cannot be parsed, 6 attempts: ") || !strings.Contains(e, "exit code 7") {
		t.Errorf("error %q", e)
	}
	if stderr != "" {
		t.Errorf("it said %s", stderr)
	}
}

// When the parsers are behind, the goroutines wait: what was got and not parsed is bounded.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	const total, atOnce, processes = 60, 2, 1
	// In toParse and in the windows of both pools, and what waits at the door of toParse.
	const most = 2*processes + 2*atOnce + 2*processes + 1
	var mu sync.Mutex
	got, parsing, worst := 0, 0, 0
	more := sync.NewCond(&mu)
	hold := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for got < min(total, parsing+most) { // as far ahead as they can
			more.Wait()
		}
		worst = max(worst, got-parsing)
		parsing++
	})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == "/" {
			var links []string
			for i := range total {
				links = append(links, fmt.Sprintf("/%d", i))
			}
			writePage(w, "home", links...)
			return
		}
		writePage(w, "page")
		fmt.Fprintf(w, "<!--asks for %s-->", hold)
		mu.Lock()
		defer mu.Unlock()
		got++
		more.Signal()
	})
	found, _ := run(t, exitDone, "-j", fmt.Sprint(atOnce), "-processes", fmt.Sprint(processes), base)
	if len(found) != total+1 {
		t.Errorf("%d pages, want %d", len(found), total+1)
	}
	mu.Lock() // a handler may not have returned yet
	defer mu.Unlock()
	if worst > most {
		t.Errorf("%d pages were got and not parsed, want %d at most", worst, most)
	}
}

// Without its first page there is no crawl, and why is said.
func TestNoFirstPage(t *testing.T) {
	t.Parallel()
	var gone string
	t.Run("server", func(t *testing.T) { gone = serve(t, http.NotFound) })
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://elsewhere.invalid:80/x", http.StatusFound)
			return
		}
		http.NotFound(w, r)
	})
	for _, tt := range []struct {
		args, says string
		code       int
	}{
		{gone, "robots.txt cannot be read, so no page may be: dial tcp", exitFailed},
		{base + "/missing", "the first page cannot be read: status 404", exitFailed},
		{base + "/away", "the first page leads to http://elsewhere.invalid/x, which is another site: begin there", exitFailed},
		{"-compare " + base + "/missing", "the first page cannot be read: status 404", exitFailed},
		{"-o main.go/x " + base, "cannot make the output", exitFailed},
		{"", "no URL was given", exitUsage},
		{"-h", "Usage: crawl", exitDone},
		{"go.dev", "go.dev: not a whole URL", exitUsage},
		{"http://u:p@go.dev/", "the URL has a user name in it", exitUsage},
		{base + " -j 2", "-j: flags come before the URL", exitUsage},
		{base + " " + base, "one URL only", exitUsage},
		{"-j 0 " + base, "-j 0: must be 1 to 1024", exitUsage},
		{"-processes 0 " + base, "-processes 0: must be 1 to 1024", exitUsage},
		{"-depth -2 " + base, "-depth -2: must be 0 or more", exitUsage},
		{"-pages 0 " + base, "-pages 0: must be 1 or more", exitUsage},
		{"-delay -1s " + base, "-delay -1s: must not be negative", exitUsage},
		{"-timeout 0s " + base, "-timeout 0s: must be more than 0", exitUsage},
		{"-max-bytes 0 " + base, "-max-bytes 0: must be 1 or more", exitUsage},
		{"-compare -o x " + base, "-o: -compare writes no lines", exitUsage},
	} {
		if _, stderr := run(t, tt.code, strings.Fields(tt.args)...); !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: it said %q, want %q", tt.args, stderr, tt.says)
		}
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	base := pages(t, map[string]string{"/": "/1 /2", "/1": "", "/2": ""})
	file := filepath.Join(t.TempDir(), "pages.json")
	if got, _ := run(t, exitDone, "-o", file, base); len(got) > 0 {
		t.Errorf("%d lines on the standard output", len(got))
	}
	data, err := os.ReadFile(file)
	must(t, err)
	names(t, records(t, string(data)), "/ /1 /2")

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var stderr strings.Builder
	if code := program([]string{base}, full, &stderr); code != exitFailed || !strings.Contains(stderr.String(), "cannot write the lines") {
		t.Errorf("exit code %d, it said %q", code, stderr.String())
	}
}
