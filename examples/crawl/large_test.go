package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// largeSite is a site of n pages, which link to each other in all directions, under
// different spellings, and to another site.
type largeSite struct {
	n     int
	other string

	mu    sync.Mutex
	asked map[string]int
}

const largePages = 2000

func newLargeSite(t *testing.T) (s *largeSite, url string) {
	s = &largeSite{n: largePages, asked: make(map[string]int)}
	s.other = serve(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the crawl left the site, for %s", r.URL)
	})
	return s, serve(t, s.serve)
}

func (s *largeSite) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	s.mu.Unlock()
	i, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if r.URL.Path != "/" && (err != nil || i < 1 || i >= s.n) {
		http.NotFound(w, r)
		return
	}
	links := []string{"/#top", s.other + "/away", "mailto:a@b.c", pageName((i*7919 + 1) % s.n), "./x/.." + pageName(i/2) + "#there"}
	for _, next := range []int{3*i + 1, 3*i + 2, 3*i + 3} {
		if next < s.n {
			links = append(links, strconv.Itoa(next), strings.Replace(fmt.Sprintf("http://%s/%d", r.Host, next), "1", "%31", 1))
		}
	}
	writePage(w, fmt.Sprintf("Page %d", i), links...)
	fmt.Fprint(w, strings.Repeat("<p>some text", 50))
}

func pageName(i int) string {
	if i == 0 {
		return "/"
	}
	return "/" + strconv.Itoa(i)
}

// whole says whether each page has its line, and was asked for once.
func (s *largeSite) whole(t *testing.T, got map[string]record) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(got) != s.n {
		t.Errorf("%d pages, want %d", len(got), s.n)
	}
	for i := range s.n {
		name := pageName(i)
		r, ok := got[name]
		if !ok || r.Status != 200 || r.Title != fmt.Sprintf("Page %d", i) || len(r.Links) < 3 || r.Error != "" || r.Time <= 0 {
			t.Errorf("page %s: %v %+v", name, ok, r)
		}
		if s.asked[name] != 1 {
			t.Errorf("page %s was asked for %d times", name, s.asked[name])
		}
	}
}

// All pages of a site of 2,000 are got and told once, and the crawl ends by itself.
func TestLargeSite(t *testing.T) {
	t.Parallel()
	s, url := newLargeSite(t)
	got, stderr := run(t, exitDone, url)
	s.whole(t, got)
	if stderr != "" {
		t.Errorf("it said %s", stderr)
	}
}

// The three ways find the same pages, and their times are told.
func TestCompare(t *testing.T) {
	t.Parallel()
	s, url := newLargeSite(t)
	s.n = 100
	var stdout, stderr strings.Builder
	if code := program([]string{"-compare", "-j", "3", "-processes", "2", url}, &stdout, &stderr); code != exitDone {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	t.Logf("\n%s", &stdout)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, how := range []string{"one by one", "3 goroutines get, 2 parse", "3 goroutines get, 2 processes parse"} {
		if f := strings.Fields(lines[i+1]); f[0] != "100" || !strings.HasSuffix(lines[i+1], how) {
			t.Errorf("line %q, want 100 pages %s", lines[i+1], how)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked["/7"] != 3 {
		t.Errorf("a page was asked for %d times, want 3", s.asked["/7"])
	}
}
