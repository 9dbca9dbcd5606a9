package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
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
	Key     string   `json:"row"`
	What    string   `json:"mp_does"`
	Peer    string   `json:"python_does"`
	Unit    string   `json:"unit"`
	Ours    *figure  `json:"mp"`
	Theirs  *figure  `json:"cpython"`
	Faster  *float64 `json:"times_faster"` // the ratio of the medians
	Demands float64  `json:"demanded"`
	Holds   *bool    `json:"holds"`
	unit    unit
}

func newReport(py *python, load string, rounds int, chosen []row, all map[string]*samples) *report {
	rep := &report{Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: load, Rounds: rounds, Python: py}
	for _, r := range chosen {
		s := all[r.from]
		ours, err := over(s.ours, r.figure)
		theirs, errPeer := over(s.peer, r.figure)
		if err == nil {
			err = errPeer
		}
		if err != nil {
			rep.err = fmt.Errorf("%s: %w", r.key, err)
			continue
		}
		l := line{
			Key: r.key, What: r.what, Peer: r.peer, Unit: r.unit.String(), unit: r.unit,
			Ours: ours, Theirs: theirs, Demands: r.demands,
		}
		if theirs != nil {
			times := faster(r.unit, ours.Median, theirs.Median)
			holds := times >= r.demands
			l.Faster, l.Holds = &times, &holds
		}
		rep.Rows = append(rep.Rows, l)
	}
	return rep
}

func (u unit) String() string {
	if u == seconds {
		return "seconds"
	}
	return "tasks per second"
}

// print writes the report as a table of text.
func (rep *report) print(to io.Writer) error {
	fmt.Fprintf(to, "mp on %s, %d CPUs%s\n", rep.Go, rep.CPUs, loaded(rep.Load))
	if py := rep.Python; py != nil {
		fmt.Fprintf(to, "CPython %s at %s, the fastest of %d by a calibration (calls, pickles, a queue, a pipe)\n", py.Version, py.Path, py.Among)
	} else {
		fmt.Fprintln(to, "No CPython 3 was found: mp's own figures only.")
	}
	fmt.Fprintf(to, "Medians of %d rounds. Each round of each side is a process of its own, with a warm-up.\n\n", rep.Rounds)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if rep.Python != nil {
		fmt.Fprintln(w, "mp does\tCPython does\tmp\t(min..max)\tCPython\t(min..max)\tfaster\tdemanded\tholds")
	} else {
		fmt.Fprintln(w, "mp does\tmp\t(min..max)")
	}
	for _, l := range rep.Rows {
		l.print(w)
	}
	w.Flush() // into memory
	for _, s := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if _, err := fmt.Fprintln(to, strings.TrimRight(s, " ")); err != nil {
			return err
		}
	}
	return rep.err
}

func (l *line) print(w io.Writer) {
	if l.Theirs == nil {
		fmt.Fprintf(w, "%s\t%s\n", l.What, l.Ours.format(l.unit))
		return
	}
	holds := "no"
	if *l.Holds {
		holds = "yes"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.What, l.Peer,
		l.Ours.format(l.unit), l.Theirs.format(l.unit), times(*l.Faster), times(l.Demands), holds)
}

// format is the median and, in a cell of its own, the spread.
func (f *figure) format(u unit) string {
	return fmt.Sprintf("%s\t(%s..%s)", quantity(u, f.Median), quantity(u, f.Min), quantity(u, f.Max))
}

// quantity is a figure for people, with three digits.
func quantity(u unit, v float64) string {
	if u == seconds {
		d := time.Duration(v * float64(time.Second))
		switch {
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
