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
	all := map[string]*samples{
		"apply": {
			ours: []figures{{"p50": 10e-6, "p99": 50e-6}, {"p50": 12e-6, "p99": 60e-6}, {"p50": 11e-6, "p99": 40e-6}},
			peer: []figures{{"p50": 44e-6, "p99": 400e-6}, {"p50": 40e-6, "p99": 300e-6}, {"p50": 90e-6, "p99": 600e-6}},
		},
		"async": {ours: []figures{{"rate": 900_000}}, peer: []figures{{"rate": 30_000}}},
	}
	if py == nil {
		for _, s := range all {
			s.peer = nil
		}
	}
	return newReport(py, "0.10", 3, chooseRows(rows, regexp.MustCompile("^a")), all)
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := fake(&python{Path: "/usr/bin/python3.11", Version: "3.11.2", Among: 9}).print(&b); err != nil {
		t.Fatal(err)
	}
	head, table, _ := strings.Cut(b.String(), "\n\n")
	for _, want := range []string{"load average before it began 0.10", "CPython 3.11.2 at /usr/bin/python3.11, the fastest of 9", "Medians of 3 rounds"} {
		if !strings.Contains(head, want) {
			t.Errorf("the heading has no %q:\n%s", want, head)
		}
	}
	want := `
mp does                      CPython does               mp       (min..max)          CPython   (min..max)           faster  demanded  holds
Apply, median                Pool(2).apply              11.0 us  (10.0 us..12.0 us)  44.0 us   (40.0 us..90.0 us)   4.00x   2.00x     yes
Apply, 99th percentile       Pool(2).apply              50.0 us  (40.0 us..60.0 us)  400 us    (300 us..600 us)     8.00x   10.0x     no
ApplyAsync, then Get of all  Pool(2).apply_async, get   900 k/s  (900 k/s..900 k/s)  30.0 k/s  (30.0 k/s..30.0 k/s)  30.0x   30.0x     yes
`
	if squeeze(table) != squeeze(want[1:]) {
		t.Errorf("got\n%s\nwant\n%s", table, want)
	}
}

// squeeze makes runs of spaces one: how wide the columns are is the tabwriter's.
func squeeze(s string) string { return regexp.MustCompile(` +`).ReplaceAllString(s, " ") }

func TestTableWithoutPython(t *testing.T) {
	var b bytes.Buffer
	if err := fake(nil).print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No CPython 3 was found", "11.0 us", "900 k/s"} {
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
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 3 || got.Rows[1].Row != "apply-p99" || got.Rows[1].Holds || got.Rows[1].Faster < 7.9 {
		t.Errorf("got %+v", got)
	}
}

// Each row's measurement exists, and mp's side of it runs.
func TestOursRun(t *testing.T) {
	for _, r := range rows {
		m, err := findMeasurement(r.from)
		if err != nil {
			t.Fatalf("%s: %v", r.key, err)
		}
		n := 100
		if m.name == "start" {
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
