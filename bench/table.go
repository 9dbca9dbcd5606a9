package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print writes the report as tables of text.
func (rep *report) print(to io.Writer) error {
	fmt.Fprintf(to, "mp on %s, %d CPUs%s\n", rep.Go, rep.CPUs, loaded(rep.Load))
	if py := rep.Python; py != nil {
		fmt.Fprintf(to, "CPython %s at %s, the fastest of %d by a calibration (calls, pickles, a queue, a pipe)\n", py.Version, py.Path, py.Among)
	} else {
		fmt.Fprintln(to, "No CPython 3 was found: mp's own figures only.")
	}
	fmt.Fprintf(to, "Medians of %d rounds. Each round of each side is a process of its own, with a warm-up.\n", rep.Rounds)
	if err := tabulate(to, rep.besidePython()); err != nil {
		return err
	}
	if err := tabulate(to, rep.besideLimits()); err != nil {
		return err
	}
	return rep.err
}

// besidePython are the cells of the first table.
func (rep *report) besidePython() [][]string {
	head := []string{"mp does", "CPython does", "mp", "(min..max)", "CPython", "(min..max)", "faster", "demanded", "holds"}
	if rep.Python == nil {
		head = []string{"mp does", "mp", "(min..max)"}
	}
	cells := [][]string{head}
	for i := range rep.Rows {
		l := &rep.Rows[i]
		switch {
		case rep.Python == nil:
			cells = append(cells, l.Ours.cells(l.unit, l.What))
		case l.Peer != "":
			cells = append(cells, l.cells())
		}
	}
	return cells
}

func (l *line) cells() []string {
	cells := l.Ours.cells(l.unit, l.What, l.Peer)
	switch {
	case l.Never:
		cells = append(cells, "never", "", "")
	default:
		cells = append(l.Theirs.cells(l.unit, cells...), times(*l.Faster))
	}
	demanded := "-"
	switch {
	case l.Within > 0:
		demanded = "in " + quantity(seconds, l.Within)
	case l.Demands > 0:
		demanded = times(l.Demands)
	}
	return append(cells, demanded, yes(l.besidePython()))
}

// besideLimits are the cells of the second table.
func (rep *report) besideLimits() [][]string {
	cells := [][]string{{"mp does", "the limit", "mp", "(min..max)", "limit", "(min..max)", "as long", "at most", "holds"}}
	for i := range rep.Rows {
		l := &rep.Rows[i]
		for j := range l.Limits {
			cells = append(cells, l.Limits[j].cells(l))
		}
	}
	return cells
}

func (l *limitLine) cells(of *line) []string {
	cells := of.Ours.cells(of.unit, of.What, l.What)
	ratio, atMost := "", "-"
	if l.Figure == nil {
		cells = append(cells, l.Missing, "")
	} else {
		cells, ratio = l.Figure.cells(of.unit, cells...), times(*l.Ratio)
	}
	if l.AtMost > 0 {
		atMost = times(l.AtMost)
	}
	return append(cells, ratio, atMost, yes(l.Holds))
}

// cells are those before it, the median, and the spread.
func (f *figure) cells(u unit, before ...string) []string {
	return append(before, quantity(u, f.Median), fmt.Sprintf("(%s..%s)", quantity(u, f.Min), quantity(u, f.Max)))
}

// tabulate writes a table; none that has only a heading.
func tabulate(to io.Writer, cells [][]string) error {
	if len(cells) < 2 {
		return nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range cells {
		fmt.Fprintln(w, strings.Join(row, "\t")) // into memory, as Flush
	}
	w.Flush()
	for s := range strings.Lines("\n" + b.String()) {
		if _, err := fmt.Fprintln(to, strings.TrimRight(s, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func yes(holds *bool) string {
	switch {
	case holds == nil:
		return "-"
	case *holds:
		return "yes"
	}
	return "no"
}
