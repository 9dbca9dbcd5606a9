package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A line tells the last URL of the redirects, its status, the bytes and the time.
func TestLines(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			io.WriteString(w, "hello")
		case "/moved":
			http.Redirect(w, r, "/here?from=moved", http.StatusFound)
		default:
			http.Error(w, "not here", http.StatusNotFound)
		}
	})
	run(t, "-k", base+"/moved", base+"/gone", base+"/here#part").wants(t, exitFailed,
		base+`/here\?from=moved 200 5 `+seconds,
		base+`/gone 404 9 `+seconds,
		base+`/here#part 200 5 `+seconds)
	run(t, base+"/here").wants(t, exitDone, base+"/here 200 5 "+seconds)
}

// The first URL is answered after all others: its line is the last one, or with -k the first.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		var others sync.WaitGroup // to have their lines, or with -k their answers
		others.Add(3)
		base := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/first" {
				others.Wait()
			} else if keep {
				others.Done()
			}
		})
		args := []string{"-j", "2", base + "/first", base + "/a", base + "/b", base + "/c"}
		want := []string{base + "/a .*", base + "/b .*", base + "/c .*", base + "/first .*"}
		if keep {
			args = append([]string{"-k"}, args...)
			want = append(want[3:], want[:3]...)
			run(t, args...).wants(t, exitDone, want...)
			continue
		}
		out := &toldLines{told: func(n int) {
			if n <= 3 {
				others.Done()
			}
		}}
		code := program(args, strings.NewReader(""), out, io.Discard)
		ran{code: code, stdout: out.text.String()}.wants(t, exitDone, want...)
	}
}

// toldLines is an output that tells of each line.
type toldLines struct {
	text strings.Builder // not embedded: it would be written to past Write
	n    int
	told func(n int)
}

func (o *toldLines) Write(p []byte) (int, error) {
	o.n++
	o.told(o.n)
	return o.text.Write(p)
}

// The server sees four requests at once, as -j says, and never more.
func TestAtMostSoManyAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 4
	var now, most atomic.Int64
	full := make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == atOnce {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		<-full
		now.Add(-1)
		if !strings.HasSuffix(r.URL.Path, "/") {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusFound)
		}
	})
	args := []string{"-j", "4", "-k"}
	var want []string
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		args = append(args, base+"/"+name)
		want = append(want, base+"/"+name+"/ 200 0 "+seconds)
	}
	run(t, args...).wants(t, exitDone, want...)
	if most.Load() != atOnce {
		t.Errorf("%d requests at once, want %d", most.Load(), atOnce)
	}
}

// What may pass by itself is tried again, as often as is said, and nothing else is.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		fails    int // so many times
		how      func(w http.ResponseWriter)
		want     string
		requests int64
		code     int
	}{
		{"unavailable", 2, status(503, "0"), "200 2", 3, exitDone},
		{"too many", 1, status(429, "1"), "200 2", 2, exitDone},
		{"gateway", 2, status(502, ""), "200 2", 3, exitDone},
		{"still too many", 9, status(429, "0"), "429 7", 3, exitFailed},
		{"far off", 9, status(503, "86400"), "503 7", 1, exitFailed},
		{"a date far off", 9, status(503, "Fri, 31 Dec 2199 23:59:59 GMT"), "503 7", 1, exitFailed},
		{"error of the server", 9, status(500, ""), "500 7", 1, exitFailed},
		{"not allowed", 9, status(403, ""), "403 7", 1, exitFailed},
		{"hangs up", 2, hangUp, "200 2", 3, exitDone},
		{"cuts the body", 1, cut, "200 2", 2, exitDone},
		{"always cuts the body", 9, cut, "error 0", 3, exitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) <= int64(tt.fails) {
					tt.how(w)
					return
				}
				io.WriteString(w, "ok")
			})
			end := ""
			if tt.want == "error 0" {
				end = ` unexpected EOF \(3 attempts\)`
			}
			run(t, "-retries", "2", base).wants(t, tt.code, base+" "+tt.want+" "+seconds+end)
			if requests.Load() != tt.requests {
				t.Errorf("%d requests, want %d", requests.Load(), tt.requests)
			}
		})
	}
}

func status(code int, after string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(code)
		io.WriteString(w, "not now")
	}
}

func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, "half")
}

// A server that is silent, or that sends a byte now and then for ever, is given up.
func TestTimeout(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.URL.Path == "/drips" {
			if _, err := io.WriteString(w, "."); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
		}
		<-r.Context().Done()
	})
	run(t, "-k", "-timeout", "100ms", "-retries", "1", base+"/silent", base+"/drips").wants(t, exitFailed,
		base+`/silent error 0 `+seconds+` no answer in time: not done after 100ms \(2 attempts\)`,
		base+`/drips error [0-9]+ `+seconds+` no answer in time: not done after 100ms \(2 attempts\)`)
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := serveAndClose(t)
	run(t, "-retries", "1", s).wants(t, exitFailed, s+` error 0 `+seconds+` .*connection refused.* \(2 attempts\)`)
}

// serveAndClose is a URL at which no server is any more.
func serveAndClose(t *testing.T) string {
	var url string
	t.Run("server", func(t *testing.T) { url = serve(t, http.NotFound) })
	return url
}

// Redirects end, and lead to the web only.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case "/bad":
			w.Header().Set("Location", "http://[::1/")
			w.WriteHeader(http.StatusFound)
		}
	})
	run(t, "-k", "-retries", "1", base+"/loop", base+"/file", base+"/bad").wants(t, exitFailed,
		base+`/loop error 0 `+seconds+` more than 10 redirects`,
		base+`/file error 0 `+seconds+` redirected to file:///etc/passwd: scheme file: only http and https can be read`,
		base+`/bad error 0 `+seconds+` failed to parse Location header .*`)
	if n := requests.Load(); n > 13 {
		t.Errorf("%d requests: what stays as it is was tried again", n)
	}
}

// Nothing in a URL, wherever it comes from, can make a line look like another.
func TestFields(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			w.Header().Set("Location", "/there?a 200 7 0.001 \u3000")
			w.WriteHeader(http.StatusFound)
		}
	})
	run(t, "-k", base+"/away", base+"/a b?c d", "http://a b/ 200 7 0.001").wants(t, exitFailed,
		base+`/there\?a%20200%207%200.001%20%E3%80%80 200 0 `+seconds,
		base+`/a%20b\?c%20d 200 0 `+seconds,
		`http://a%20b/%20200%207%200.001 error 0 [0-9.]+ not a URL: .*`)
}

// A server that switches to another protocol does not hold the program up.
func TestSwitchedProtocol(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		io.Copy(io.Discard, c) // until the client goes
	})
	run(t, base).wants(t, exitFailed, base+` error 0 `+seconds+` status 101 is no answer`)
}

// What is no URL of the web has a line that says so, in its place.
func TestBadURLs(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	run(t, "-k", "go.dev", "ftp://go.dev/", "http://", "http://go.dev:99999/", "http://go.dev/\x1b[31m", "http://[::1", base, "http://u:secret@127.0.0.1:0/").
		wants(t, exitFailed,
			`go.dev error 0 [0-9.]+ not a whole URL: it must begin with http:// or https://`,
			`ftp://go.dev/ error 0 [0-9.]+ scheme ftp: only http and https can be read`,
			`http: error 0 [0-9.]+ not a whole URL: there is no host in it`,
			`http://go.dev:99999/ error 0 [0-9.]+ port 99999: must be 1 to 65535`,
			`"http://go.dev/\\x1b\[31m" error 0 [0-9.]+ not a URL: .*invalid control character in URL`,
			`http://\[::1 error 0 [0-9.]+ not a URL: missing '\]' in host`,
			base+" 200 0 "+seconds,
			`http://u:xxxxx@127.0.0.1:0/ error 0 [0-9.]+ port 0: must be 1 to 65535`)
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	runWith(t, "\n# mine\r\n"+base+"/a\r\n\n  "+base+"/b", "-k").wants(t, exitDone, base+"/a 200 0 .*", base+"/b 200 0 .*")
	runWith(t, "").wants(t, exitDone)
	long := runWith(t, base+"/a\nhttp://"+strings.Repeat("x", maxLine)+"\n"+base+"/b\n", "-k")
	long.wants(t, exitFailed, base+"/a 200 0 .*")
	if !strings.Contains(long.stderr, "a line of more than 65536 bytes") {
		t.Errorf("it said %q", long.stderr)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, says string
		code       int
	}{
		{"-h", "Usage: fetch", exitDone},
		{"-j 0 http://x/", "-j 0: must be 1 to 1024", exitUsage},
		{"-timeout 0s http://x/", "-timeout 0s: must be more than 0", exitUsage},
		{"-retries -1 http://x/", "-retries -1: must be 0 to 100", exitUsage},
		{"-max-bytes 0 http://x/", "-max-bytes 0: must be 1 or more", exitUsage},
		{"-o= http://x/", "-o is empty", exitUsage},
		{"http://x/ -k", "-k: flags come before URLs", exitUsage},
		{"-o main.go/x http://x/", "cannot make the output folder", exitFailed},
	} {
		r := run(t, strings.Fields(tt.args)...)
		r.wants(t, tt.code)
		if !strings.Contains(r.stderr, tt.says) {
			t.Errorf("%s: it said %q, want %q", tt.args, r.stderr, tt.says)
		}
	}
}

// When the lines can not be written the work ends, and says why.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	var stderr strings.Builder
	if code := program([]string{base + "/a", base + "/b"}, strings.NewReader(""), full, &stderr); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(stderr.String(), "cannot write the lines") {
		t.Errorf("it said %q", stderr.String())
	}
}
