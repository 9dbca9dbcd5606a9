package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"time"
)

// report is what came out.
type report struct {
	Go     string  `json:"go"`
	CPUs   int     `json:"cpus"`
	Load   string  `json:"load,omitempty"` // of the machine, before the first round
	Rounds int     `json:"rounds"`
	Python *python `json:"python"`
	Rows   []line  `json:"rows"`
	err    error
}

// line is one row with its figures.
type line struct {
	Key     string      `json:"row"`
	What    string      `json:"mp_does"`
	Peer    string      `json:"python_does,omitempty"`
	Unit    string      `json:"unit"`
	Ours    *figure     `json:"mp"`
	Theirs  *figure     `json:"cpython"`
	Never   bool        `json:"cpython_never,omitempty"` // it would wait for ever
	Faster  *float64    `json:"times_faster"`            // the ratio of the medians
	Demands float64     `json:"demanded,omitempty"`
	Within  float64     `json:"within,omitempty"` // seconds, whatever others need
	Limits  []limitLine `json:"limits,omitempty"`
	Holds   *bool       `json:"holds"` // all that was demanded and measured; null: that was nothing
	unit    unit
}

// limitLine is a row beside a limit.
type limitLine struct {
	What    string   `json:"limit"`
	Missing string   `json:"missing,omitempty"` // why there is no figure
	Figure  *figure  `json:"figure"`
	Ratio   *float64 `json:"times_as_long"` // mp's median needs so many times the limit's
	AtMost  float64  `json:"at_most,omitempty"`
	Holds   *bool    `json:"holds"`
}

func newReport(py *python, load string, rounds int, chosen []row, found *results) *report {
	rep := &report{Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: load, Rounds: rounds, Python: py}
	for _, r := range chosen {
		l, err := newLine(r, found)
		if err != nil {
			rep.err = fmt.Errorf("%s: %w", r.key, err)
			continue
		}
		rep.Rows = append(rep.Rows, *l)
	}
	return rep
}

func newLine(r row, found *results) (*line, error) {
	s := found.of[r.from]
	l := &line{
		Key: r.key, What: r.what, Peer: r.peer, Unit: r.unit.String(), unit: r.unit,
		Never: r.never, Demands: r.demands, Within: r.within,
	}
	var err error
	if l.Ours, err = over(s.ours, r.figure); err != nil {
		return nil, err
	}
	if l.Theirs, err = over(s.peer, r.figure); err != nil {
		return nil, err
	}
	if l.Theirs != nil {
		times := faster(r.unit, l.Ours.Median, l.Theirs.Median)
		l.Faster = &times
	}
	for _, b := range r.beside {
		ll, err := newLimitLine(r, b, l.Ours, found)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.limit, err)
		}
		l.Limits = append(l.Limits, *ll)
	}
	l.Holds = l.holds()
	return l, nil
}

func newLimitLine(r row, b beside, ours *figure, found *results) (*limitLine, error) {
	lim, err := findLimit(b.limit)
	if err != nil {
		return nil, err
	}
	l := &limitLine{What: lim.what, Missing: found.missing[b.limit], AtMost: b.atMost}
	if l.Figure, err = over(found.of[r.from].limits[b.limit], r.figure); err != nil || l.Figure == nil {
		return l, err
	}
	ratio := faster(r.unit, l.Figure.Median, ours.Median)
	l.Ratio = &ratio
	if b.atMost > 0 {
		holds := ratio <= b.atMost
		l.Holds = &holds
	}
	return l, nil
}

// besidePython is whether what is demanded holds that the table beside Python shows.
func (l *line) besidePython() *bool {
	var holds bool
	switch {
	case l.Within > 0:
		holds = l.Ours.Median <= l.Within
	case l.Faster != nil && l.Demands > 0:
		holds = *l.Faster >= l.Demands
	default:
		return nil
	}
	return &holds
}

func (l *line) holds() *bool {
	all := l.besidePython()
	for i := range l.Limits {
		if h := l.Limits[i].Holds; h != nil && (all == nil || *all) {
			all = h
		}
	}
	return all
}

func (u unit) String() string {
	if u == seconds {
		return "seconds"
	}
	return "per second"
}

// quantity is a figure for people, with three digits.
func quantity(u unit, v float64) string {
	if u == seconds {
		d := time.Duration(v * float64(time.Second))
		switch {
		case d < time.Microsecond:
			return digits(v*1e9) + " ns"
		case d < time.Millisecond:
			return digits(v*1e6) + " us"
		case d < time.Second:
			return digits(v*1e3) + " ms"
		}
		return digits(v) + " s"
	}
	switch {
	case v >= 1e6:
		return digits(v/1e6) + " M/s"
	case v >= 1e3:
		return digits(v/1e3) + " k/s"
	}
	return digits(v) + " /s"
}

func times(v float64) string { return digits(v) + "x" }

// digits prints three digits, and those before the point.
func digits(v float64) string {
	places := 2 - int(math.Floor(math.Log10(v)))
	return fmt.Sprintf("%.*f", min(max(places, 0), 2), v)
}

func loaded(load string) string {
	if load == "" {
		return ""
	}
	return ", load average before it began " + load
}

// load is how busy the machine is, for those who read the table.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b))
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}
