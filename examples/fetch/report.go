package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// report writes the lines, and on a terminal shows how far the work is.
type report struct {
	opts           *options
	stdout, stderr io.Writer
	shared         bool                     // lines and bar are on the same terminal
	bar            *progressbar.ProgressBar // nil: not on a terminal
	done, failed   int
}

func newReport(opts *options, stdout, stderr io.Writer) *report {
	return &report{opts: opts, stdout: stdout, stderr: stderr}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// begin shows the bar; total -1 is not known.
func (r *report) begin(total int) {
	if !isTerminal(r.stderr) {
		return
	}
	r.shared = isTerminal(r.stdout)
	r.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(r.stderr),
		progressbar.OptionSetDescription("fetch"),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
		progressbar.OptionSetItsString("URLs"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionFullWidth(),
		progressbar.OptionSetSpinnerChangeInterval(0), // it would draw between the lines
		progressbar.OptionClearOnFinish(),
	)
	r.bar.RenderBlank() // what the terminal does not take it does not show
}

// line tells what became of a URL, in one write. The error is that of the output.
func (r *report) line(res *result) error {
	r.done++
	if res.err != nil || res.answer.Status >= 400 {
		r.failed++
	}
	if r.shared {
		r.bar.Clear() // as above
	}
	_, err := io.WriteString(r.stdout, res.text())
	if r.bar != nil {
		r.bar.Add(1) // as above
	}
	if err != nil {
		return fmt.Errorf("cannot write the lines: %w", err)
	}
	return nil
}

func (r *report) end() {
	if r.bar != nil {
		r.bar.Clear() // as above
	}
}

// text is the line: final URL, status, bytes, seconds, and the file or the reason.
func (res *result) text() string {
	a := &res.answer
	if res.err != nil {
		reason := web.Reason(res.err)
		if res.tries > 1 {
			reason += fmt.Sprintf(" (%d attempts)", res.tries)
		}
		return fmt.Sprintf("%v error %d %.3f %s\n", res.job, a.Bytes, a.Took.Seconds(), reason)
	}
	line := fmt.Sprintf("%s %d %d %.3f", a.URL, a.Status, a.Bytes, a.Took.Seconds())
	if a.File != "" {
		line += " " + a.File
	}
	return line + "\n"
}
