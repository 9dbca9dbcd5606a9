package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(c.of); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.of, got, c.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
	v := []float64{2, 1}
	if median(v); v[0] != 2 {
		t.Error("median has sorted its argument")
	}
}

func TestOver(t *testing.T) {
	f, err := over([]figures{{"p50": 3}, {"p50": 1}, {"p50": 8}}, "p50")
	if err != nil || f.Median != 3 || f.Min != 1 || f.Max != 8 || len(f.Rounds) != 3 {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := over(nil, "p50"); f != nil || err != nil {
		t.Errorf("no rounds: %v, %v", f, err)
	}
	for _, bad := range []figures{{}, {"p50": 0}, {"p50": -1}, {"p50": math.Inf(1)}, {"p50": math.NaN()}} {
		if _, err := over([]figures{bad}, "p50"); err == nil {
			t.Errorf("%v is a figure", bad)
		}
	}
}

func TestQuantity(t *testing.T) {
	for _, c := range []struct {
		u    unit
		v    float64
		want string
	}{
		{seconds, 13.34e-9, "13.3 ns"},
		{seconds, 0.25e-9, "0.25 ns"},
		{seconds, 999e-9, "999 ns"},
		{seconds, 13.3e-6, "13.3 us"},
		{seconds, 999e-6, "999 us"},
		{seconds, 4.25e-3, "4.25 ms"},
		{seconds, 0.1, "100 ms"},
		{seconds, 2.5, "2.50 s"},
		{perSecond, 31_208, "31.2 k/s"},
		{perSecond, 14_600_000, "14.6 M/s"},
		{perSecond, 12, "12.0 /s"},
	} {
		if got := quantity(c.u, c.v); got != c.want {
			t.Errorf("quantity(%v, %v) = %q, want %q", c.u, c.v, got, c.want)
		}
	}
}

// fake is a report with figures of our own making.
func fake(py *python) *report {
	found := &results{
		of: map[string]*samples{
			"apply": {
				ours: []figures{{"p50": 10e-6, "p99": 50e-6}, {"p50": 12e-6, "p99": 60e-6}, {"p50": 11e-6, "p99": 40e-6}},
				peer: []figures{{"p50": 44e-6, "p99": 400e-6}, {"p50": 40e-6, "p99": 300e-6}, {"p50": 90e-6, "p99": 600e-6}},
			},
			"async": {ours: []figures{{"rate": 900_000}}, peer: []figures{{"rate": 30_000}}},
			"lock": {
				ours:   []figures{{"time": 25e-9}},
				peer:   []figures{{"time": 100e-9}},
				limits: map[string][]figures{"mutex": {{"time": 10e-9}}},
			},
			"counter": {ours: []figures{{"time": 12e-9}}, limits: map[string][]figures{"atomic": {{"time": 5e-9}}}},
			"death":   {ours: []figures{{"p50": 1e-3}}},
		},
		missing: map[string]string{"robust": "no C compiler"},
	}
	if py == nil {
		for _, s := range found.of {
			s.peer = nil
		}
	}
	return newReport(py, "0.10", 3, chooseRows(rows, regexp.MustCompile("^(a|lock|counter|dead)")), found)
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := fake(&python{Path: "/usr/bin/python3.11", Version: "3.11.2", Among: 9}).print(&b); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(b.String(), "\n\n")
	if len(parts) != 3 {
		t.Fatalf("not a heading and two tables:\n%s", &b)
	}
	for _, want := range []string{"load average before it began 0.10", "CPython 3.11.2 at /usr/bin/python3.11, the fastest of 9", "Medians of 3 rounds"} {
		if !strings.Contains(parts[0], want) {
			t.Errorf("the heading has no %q:\n%s", want, parts[0])
		}
	}
	for i, want := range []string{`
mp does CPython does mp (min..max) CPython (min..max) faster demanded holds
Apply, median Pool(2).apply 11.0 us (10.0 us..12.0 us) 44.0 us (40.0 us..90.0 us) 4.00x 2.00x yes
Apply, 99th percentile Pool(2).apply 50.0 us (40.0 us..60.0 us) 400 us (300 us..600 us) 8.00x 10.0x no
ApplyAsync, then Get of all Pool(2).apply_async, get 900 k/s (900 k/s..900 k/s) 30.0 k/s (30.0 k/s..30.0 k/s) 30.0x 30.0x yes
Lock.Acquire, Release, nobody else there Lock.acquire, release 25.0 ns (25.0 ns..25.0 ns) 100 ns (100 ns..100 ns) 4.00x 3.00x yes
a Lock's owner is killed, to a waiter's hold Lock.acquire 1.00 ms (1.00 ms..1.00 ms) never in 5.00 ms yes
`, `
mp does the limit mp (min..max) limit (min..max) as long at most holds
Lock.Acquire, Release, nobody else there C, robust mutex in shared memory 25.0 ns (25.0 ns..25.0 ns) no C compiler 4.00x -
Lock.Acquire, Release, nobody else there sync.Mutex 25.0 ns (25.0 ns..25.0 ns) 10.0 ns (10.0 ns..10.0 ns) 2.50x - -
Counter.Add atomic.Int64.Add 12.0 ns (12.0 ns..12.0 ns) 5.00 ns (5.00 ns..5.00 ns) 2.40x 2.00x no
`} {
		if got := strings.TrimSpace(squeeze(parts[i+1])); got != strings.TrimSpace(want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// squeeze makes runs of spaces one: how wide the columns are is the tabwriter's.
func squeeze(s string) string { return regexp.MustCompile(` +`).ReplaceAllString(s, " ") }

func TestTableWithoutPython(t *testing.T) {
	var b bytes.Buffer
	if err := fake(nil).print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No CPython 3 was found", "11.0 us", "900 k/s", "12.0 ns", "1.00 ms", "no C compiler"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(fake(&python{Path: "p", Version: "3"}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows []struct {
			Row    string
			Holds  bool
			Faster float64 `json:"times_faster"`
			Never  bool    `json:"cpython_never"`
			Within float64
			Limits []struct {
				Limit, Missing string
				Ratio          float64 `json:"times_as_long"`
				AtMost         float64 `json:"at_most"`
				Holds          *bool
			}
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 6 || got.Rows[1].Row != "apply-p99" || got.Rows[1].Holds || got.Rows[1].Faster < 7.9 {
		t.Fatalf("got %+v", got)
	}
	lock, counter, dead := got.Rows[3], got.Rows[4], got.Rows[5]
	if ls := lock.Limits; !lock.Holds || len(ls) != 2 || ls[0].Missing == "" || ls[0].Holds != nil || ls[1].Ratio < 2.4 || ls[1].Holds != nil {
		t.Errorf("got %+v", lock)
	}
	if ls := counter.Limits; counter.Holds || len(ls) != 1 || ls[0].AtMost != 2 || ls[0].Holds == nil || *ls[0].Holds {
		t.Errorf("got %+v", counter)
	}
	if !dead.Holds || !dead.Never || dead.Within != 5e-3 {
		t.Errorf("got %+v", dead)
	}
}

// A row holds when all does that is demanded of it and was measured.
func TestHolds(t *testing.T) {
	py := []figures{{"rate": 10}}
	lim := map[string][]figures{"atomic": {{"rate": 300}}}
	demanding := row{from: "it", figure: "rate", unit: perSecond, demands: 20}
	limited := row{from: "it", figure: "rate", unit: perSecond, beside: []beside{{"atomic", 2}}}
	both := row{from: "it", figure: "rate", unit: perSecond, demands: 10, beside: []beside{{"atomic", 2}}}
	shown := row{from: "it", figure: "rate", unit: perSecond, beside: []beside{{"atomic", 0}}}
	bound := row{from: "it", figure: "rate", unit: seconds, within: 100}
	for _, c := range []struct {
		name string
		r    row
		ours float64
		peer []figures
		lims map[string][]figures
		want string
	}{
		{"fast enough", demanding, 200, py, nil, "yes"},
		{"too slow", demanding, 199, py, nil, "no"},
		{"no Python", demanding, 199, nil, nil, "-"},
		{"close to the limit", limited, 150, nil, lim, "yes"},
		{"far from it", limited, 149, nil, lim, "no"},
		{"no limit", limited, 149, nil, nil, "-"},
		{"Python and limit", both, 150, py, lim, "yes"},
		{"Python only", both, 149, py, lim, "no"},
		{"limit only", both, 150, []figures{{"rate": 16}}, lim, "no"},
		{"only shown", shown, 1, py, lim, "-"},
		{"in time", bound, 100, nil, nil, "yes"},
		{"too late", bound, 101, nil, nil, "no"},
	} {
		found := &results{of: map[string]*samples{"it": {ours: []figures{{"rate": c.ours}}, peer: c.peer, limits: c.lims}}}
		l, err := newLine(c.r, found)
		if err != nil || yes(l.Holds) != c.want {
			t.Errorf("%s: %v, %v", c.name, l, err)
		}
	}
}

// Each row's measurement exists, and mp's side of it runs.
func TestOursRun(t *testing.T) {
	for _, r := range rows {
		m, err := findMeasurement(r.from)
		if err != nil {
			t.Fatalf("%s: %v", r.key, err)
		}
		if m.ours == nil {
			continue // bench/echo has a test of its own
		}
		n := 100
		if m.name == "start" || m.name == "death" {
			n = 1
		}
		f, err := m.ours(context.Background(), n)
		if err != nil {
			t.Errorf("%s: %v", r.key, err)
		} else if _, err := over([]figures{f}, r.figure); err != nil {
			t.Errorf("%s: %v", r.key, err)
		}
	}
}

// Python's side of each row runs, where there is a Python.
func TestTheirsRun(t *testing.T) {
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	py := identify(t.Context(), path)
	if py == nil {
		t.Skip("python3 is no CPython")
	}
	if s, err := calibrate(t.Context(), py); err != nil || s <= 0 {
		t.Errorf("calibration: %v, %v", s, err)
	}
	l, err := newLab(py)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for _, r := range rows {
		m, err := findMeasurement(r.from)
		if err != nil {
			t.Fatal(err)
		}
		if m.peer == 0 {
			continue
		}
		n := "100"
		if r.from == "start" {
			n = "1"
		}
		f, err := figuresOf(t.Context(), py.Path, l.script(), r.from, n)
		if err != nil {
			t.Errorf("%s: %v", r.key, err)
		} else if _, err := over([]figures{f}, r.figure); err != nil {
			t.Errorf("%s: %v", r.key, err)
		}
	}
}

// Each limit that a row stands beside exists, and runs.
func TestLimitsRun(t *testing.T) {
	l, err := newLab(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for _, r := range rows {
		for _, b := range r.beside {
			lim, err := findLimit(b.limit)
			if err != nil {
				t.Fatalf("%s: %v", r.key, err)
			}
			var f figures
			if lim.run != nil {
				f, err = lim.run(t.Context(), 100)
			} else if f, err = l.limit(t.Context(), lim.name); f == nil && err == nil && l.missing[lim.name] != "" {
				t.Logf("%s: %s", lim.name, l.missing[lim.name])
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", lim.name, err)
			} else if _, err := over([]figures{f}, r.figure); err != nil {
				t.Errorf("%s: %v", lim.name, err)
			}
		}
	}
}

func TestWithoutCompiler(t *testing.T) {
	for _, cc := range []string{"", "false"} {
		l, err := newLab(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		l.cc = cc
		if f, err := l.limit(t.Context(), "robust"); f != nil || err != nil || l.missing["robust"] == "" {
			t.Errorf("compiler %q: %v, %v, %v", cc, f, err, l.missing)
		}
	}
	if _, err := findLimit("nonsense"); err == nil {
		t.Error("there is a limit nonsense")
	}
}

func TestMeasureHere(t *testing.T) {
	if err := measureHere(t.Context(), "nonsense", 1); err == nil {
		t.Error("nonsense was measured")
	}
	if err := measureHere(t.Context(), "robust", 1); err == nil {
		t.Error("a program in C was measured here")
	}
}

func TestNeeded(t *testing.T) {
	ms := needed(chooseRows(rows, regexp.MustCompile("apply|floats")))
	if len(ms) != 2 || ms[0].name != "apply" || ms[1].name != "floats" {
		t.Errorf("got %v", ms)
	}
	if _, err := findMeasurement("nonsense"); err == nil {
		t.Error("there is a measurement of nonsense")
	}
}

func TestFailuresTell(t *testing.T) {
	_, err := figuresOf(t.Context(), "sh", "-c", "echo reason >&2; exit 3")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "reason") {
		t.Errorf("got %v", err)
	}
	if _, err := figuresOf(t.Context(), "sh", "-c", "echo nothing"); err == nil {
		t.Error("nonsense is figures")
	}
}
