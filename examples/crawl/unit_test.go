package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"HTTP://Example.ORG":                    "http://example.org/",
		"http://example.org:80/a/./b/../c":      "http://example.org/a/c",
		"https://example.org:443/?":             "https://example.org/",
		"https://example.org:80/../../a#x":      "https://example.org:80/a",
		"http://u:p@example.org/a/%2e%2E/b/..":  "http://example.org/",
		"http://example.org/%7euser/%e4%2f%20?": "http://example.org/~user/%E4%2F%20",
		"http://example.org/ä?q=ä%c3&r=a b":     "http://example.org/%C3%A4?q=%C3%A4%C3&r=a%20b",
		"http://bücher.example/":                "http://xn--bcher-kva.example/",
		"http://[::1]:80/":                      "http://[::1]/",
		"http://[::1]:8080//a//b":               "http://[::1]:8080//a//b",
		"http://a_b.example/x;y=1":              "http://a_b.example/x;y=1",
	} {
		u, err := url.Parse(raw)
		must(t, err)
		if got := normal(u).String(); got != want {
			t.Errorf("%s becomes %s, want %s", raw, got, want)
		}
	}
}

func FuzzNormal(f *testing.F) {
	for _, raw := range []string{"http://a/../b", "http://a/%2e%2e/%25%32%65", "http://a:80?b#c", "http://a/%", "//a", "http://a//..//", "http://a/b:c"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return
		}
		once := normal(u).String()
		again, err := url.Parse(once)
		if err != nil {
			t.Fatalf("%q becomes %q, which is no URL: %v", raw, once, err)
		}
		if twice := normal(again).String(); twice != once {
			t.Errorf("%q becomes %q, and that %q", raw, once, twice)
		}
	})
}

func TestRobots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, allowed, closed string }{
		{"nothing", "", "/ /a?b", ""},
		{"all closed", "User-agent: *\nDisallow: /", "/robots.txt", "/ /a"},
		{"all open", "User-agent: *\nDisallow:", "/ /a", ""},
		{"others", "User-agent: other\nDisallow: /\n", "/ /a", ""},
		{"ours counts, not everyone's", "User-agent: *\nDisallow: /\n\nuser-agent: MP-Crawl/2.0\nDisallow: /x # not\n", "/ /a", "/x /xy"},
		{"two names, two groups", "User-agent: a\rUser-agent: mp-crawl\r\nDisallow: /x\nUser-agent: b\nDisallow: /y\nUser-agent: mp-crawl\nDisallow: /z", "/y", "/x /z"},
		{"a longer name", "User-agent: mp-crawler\nDisallow: /", "/", ""},
		{"the longest rule", "User-agent: *\nAllow: /a/b\nDisallow: /a\nDisallow: /a/b/c", "/ /a/b /a/b/d", "/a /a/c /a/b/c"},
		{"equally long", "User-agent: *\nDisallow: /a\nAllow: /a", "/a", ""},
		{"stars", "User-agent: *\nDisallow: /*.php$\nDisallow: /a*b*c\nDisallow: *secret", "/x.php?y /ab /x.phpx", "/x.php /d/x.php /aXbXXc /abcd /the/secret"},
		{"a star and the end", "User-agent: *\nDisallow: /a*a$", "/a /aab", "/aa /a/a/a"},
		{"escapes", "User-agent: *\nDisallow: /%7eme\nDisallow: /ä", "/~you", "/~me /%C3%A4"},
		{"queries", "User-agent: *\nDisallow: /*?", "/a", "/a?b"},
		{"noise", "\ufeffSitemap: /x\nUser-agent: *\nnonsense\n: \x00\nDisallow /\nDisallow: /a\n", "/", "/a"},
	} {
		r := readRobots([]byte(tt.text))
		for _, want := range []bool{true, false} {
			paths := tt.allowed
			if !want {
				paths = tt.closed
			}
			for _, path := range strings.Fields(paths) {
				u, err := url.Parse("http://x" + path)
				must(t, err)
				if got := r.allow(normal(u)); got != want {
					t.Errorf("%s: %s is allowed: %v, want %v", tt.name, path, got, want)
				}
			}
		}
	}
	cut := "User-agent: *\nDisallow: /x\n" + strings.Repeat("#", maxRobots)
	cut = cut[:maxRobots-len("\nDisallow: /")] + "\nDisallow: /" // the rest of the line was not read
	if u, _ := url.Parse("http://x/a"); !readRobots([]byte(cut)).allow(u) {
		t.Error("half a rule counts")
	}
	for text, want := range map[string]time.Duration{
		"1.5": 1500 * time.Millisecond, "0": 0, "-1": 0, "NaN": 0, "x": 0, "1e300": 24 * time.Hour, "+Inf": 0,
	} {
		if got := readRobots([]byte("User-agent: *\nCrawl-delay: " + text)).delay; got != want {
			t.Errorf("Crawl-delay: %s is %v, want %v", text, got, want)
		}
	}
}

// What robots.txt closes is not asked for, and what it says later than it can be read neither.
func TestObeysRobots(t *testing.T) {
	t.Parallel()
	closed := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			http.Redirect(w, r, "/the-robots.txt", http.StatusFound)
		case r.URL.Path == "/the-robots.txt":
			w.Write([]byte("User-agent: *\nDisallow: /closed\nCrawl-delay: 0.001\n"))
		case strings.HasPrefix(r.URL.Path, "/closed"):
			t.Errorf("%s was asked for", r.URL)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/closed/too", http.StatusFound)
		case r.URL.Path == "/":
			writePage(w, "home", "/closed", "/closed/in", "/open", "/moved")
		}
		if !strings.HasPrefix(r.UserAgent(), product+"/") {
			t.Errorf("user agent %q", r.UserAgent())
		}
	})
	got, stderr := run(t, exitDone, closed)
	names(t, got, "/ /open /moved")
	if stderr != "robots.txt asks for 1ms between requests\n" {
		t.Errorf("it said %q", stderr)
	}
	if _, stderr := run(t, exitFailed, closed+"/closed"); !strings.Contains(stderr, "robots.txt does not allow "+closed+"/closed") {
		t.Errorf("it said %q", stderr)
	}
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	if _, stderr := run(t, exitFailed, broken); !strings.Contains(stderr, "robots.txt cannot be read, so no page may be: status 500") {
		t.Errorf("it said %q", stderr)
	}
}

// Requests begin one after the other with the pause between them, whoever makes them.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pause{between: time.Second}
		began := time.Now()
		var mu sync.Mutex
		at := make(map[time.Duration]int)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := p.wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				at[time.Since(began)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		for i := range 5 {
			if d := time.Duration(i) * time.Second; at[d] != 1 {
				t.Errorf("%d requests after %v, want 1", at[d], d)
			}
		}
		p.hold(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 64*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// Who waits for the turn already when the server asks for patience has it, too.
func TestPauseHoldsThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pause{between: time.Second}
		began := time.Now()
		must(t, p.wait(t.Context()))
		var mu sync.Mutex
		at := make(map[time.Duration]int)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := p.wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				at[time.Since(began)]++
				mu.Unlock()
			})
		}
		synctest.Wait()
		p.hold(time.Minute)
		wg.Wait()
		for i := range 3 {
			if d := time.Minute + time.Duration(i)*time.Second; at[d] != 1 {
				t.Errorf("%d requests after %v, want 1", at[d], d)
			}
		}
	})
}

// What links can take of the memory is bounded: those that can never be read are not kept.
func TestSeenKeepsLittle(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newSeen(&options{depth: 5, pages: 2}, func(string) bool { asked++; return true })
	s.begin("0")
	if got := s.add("0", []string{"a", "b", "c", "a"}, false); len(got) != 1 || got[0] != "a" {
		t.Errorf("the new pages are %q", got)
	}
	s.add("a", []string{"d", "0", "e"}, false)
	if n := len(s.known["0"].links) + len(s.known["a"].links); n > 3 { // a, a, 0
		t.Errorf("%d links are kept", n)
	}
	if asked > 3 {
		t.Errorf("of %d links it was asked whether they may be read", asked)
	}

	deep := newSeen(&options{depth: 0, pages: 1000}, func(string) bool { return true })
	deep.begin("0")
	long := strings.Repeat("x", 1000)
	for range maxKept / 1000 {
		deep.add("0", []string{long, long}, false)
	}
	if n := len(deep.known["0"].links) * len(long); n > maxKept+len(long) {
		t.Errorf("%d bytes of links are kept", n)
	}
}

// A page that is found on a short way after a long one has the depth of the short one, and
// so have those that it leads to.
func TestDepthIsThatOfTheShortestWay(t *testing.T) {
	t.Parallel()
	s := newSeen(&options{depth: 3, pages: 100}, func(url string) bool { return url != "closed" })
	s.begin("0")
	for _, tt := range []struct {
		url, links, want string
		redirect         bool
	}{
		{"0", "a b", "a b", false},
		{"a", "c closed", "c", false},
		{"c", "d", "d", false}, // d is three links away
		{"d", "e", "", false},  // and so e is too far
		{"b", "r 0", "r", false},
		{"r", "d", "e", true}, // but r, which is two links away, is a redirect to d
	} {
		if got := strings.Join(s.add(tt.url, strings.Fields(tt.links), tt.redirect), " "); got != tt.want {
			t.Errorf("%s leads to %q, want %q", tt.url, got, tt.want)
		}
	}
	if d := s.known["e"].depth; d != 3 {
		t.Errorf("e has depth %d, want 3", d)
	}
}

// The parser takes what it is given, bounds what it gives, and ends with its ctx.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	at := func(body string) page {
		return page{URL: "http://x.example/d/", Type: "text/html", Body: []byte(body)}
	}
	for name, body := range map[string]string{
		"nested":               strings.Repeat("<div>", 200_000) + "<a href=/last>",
		"many links":           strings.Repeat("<a href=?a>", 10) + manyLinks(20_000),
		"a long base":          "<base href='/" + strings.Repeat("long", 10_000) + "/'>" + manyLinks(1000),
		"a long link":          "<a href='" + strings.Repeat("x", 10_000) + "'>",
		"an endless attribute": "<a href='" + strings.Repeat("x", 3<<20),
		"a coloured title":     "<title>\x1b[31m\u009b31m\x7fred",
		"an endless title":     "<title>" + strings.Repeat("x", 1<<19),
		"zeros":                strings.Repeat("\x00", 1000) + "<\x00a href=\x00>",
		"no text":              "\xff\xfe<\x00t\x00i\x00t\x00l\x00e\x00>\x00\xd8\x00",
		"a strange charset":    "<meta charset=x-user-defined><title>\xff</title>",
	} {
		got, err := parseHTML(t.Context(), at(body))
		size := 0
		for _, l := range got.Links {
			size = max(size, len(l))
		}
		if err != nil || len(got.Title) > maxTitle || len(got.Links) > maxLinks || size > maxURL {
			t.Errorf("%s: %v, a title of %d bytes, %d links of up to %d bytes", name, err, len(got.Title), len(got.Links), size)
		}
		if name == "a coloured title" && got.Title != "[31m31mred" {
			t.Errorf("the title is %q", got.Title)
		}
		if name == "an endless attribute" && got.Error == "" {
			t.Errorf("%s: nothing is said of it", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := parseHTML(ctx, at("")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func manyLinks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<a href='?")
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(time.Duration(i).String())
		b.WriteString("'>")
	}
	return b.String()
}

func TestDelayDefault(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]time.Duration{
		"http://localhost:1/": 0, "http://127.0.0.7/": 0, "http://[::1]/": 0, "http://example.org/": polite,
		"-delay 2s http://localhost/": 2 * time.Second, "-delay 0 http://example.org/": 0,
	} {
		o, err := parseFlags(strings.Fields(args), &strings.Builder{})
		must(t, err)
		if o.delay != want || o.depth != noLimit {
			t.Errorf("%s: delay %v, want %v", args, o.delay, want)
		}
	}
}
