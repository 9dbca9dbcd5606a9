package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// progress shows how far the work is: a bar on a terminal, elsewhere a line now
// and then.
type progress struct {
	w           io.Writer
	total       int
	done, bad   int
	began, told time.Time
	bar         *progressbar.ProgressBar // nil: not on a terminal
}

const (
	linesEvery = 2 * time.Second
	mostLines  = 20 // failures told at once; the table has all of them
)

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, total: total}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription("thumbnails"),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
			progressbar.OptionSetItsString("images"),
			progressbar.OptionShowIts(),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(50*time.Millisecond),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

func (p *progress) begin() {
	p.began = time.Now()
	if p.bar == nil {
		fmt.Fprintf(p.w, "%d images found\n", p.total)
		return
	}
	p.bar.Reset()       // its clock too: the workers' start is no part of the rate
	p.bar.RenderBlank() // what the terminal does not take it does not show
}

// settled tells that there is one picture less to do.
func (p *progress) settled(pic *picture) {
	p.done++
	if pic.state == failed {
		p.bad++
		p.failure(pic)
	}
	if p.bar != nil {
		p.bar.Add(1) // as above
		return
	}
	if time.Since(p.told) >= linesEvery || p.done == p.total {
		p.told = time.Now()
		p.line()
	}
}

func (p *progress) failure(pic *picture) {
	switch {
	case p.bad > mostLines+1:
		return
	case p.bar != nil:
		p.bar.Clear() // as above
	}
	if p.bad > mostLines {
		fmt.Fprintln(p.w, "more failed: see the table at the end")
		return
	}
	fmt.Fprintf(p.w, "%s: %s\n", show.Text(pic.Path), show.Text(pic.reason.Detail))
}

func (p *progress) line() {
	took := time.Since(p.began)
	rate := float64(p.done) / took.Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
	fmt.Fprintf(p.w, "%d of %d done, %d failed, %.0f images/s", p.done-p.bad, p.total, p.bad, rate)
	if left = left.Round(time.Second); left > 0 {
		fmt.Fprintf(p.w, ", %v left", left)
	}
	fmt.Fprintln(p.w)
}

func (p *progress) end() {
	if p.bar != nil {
		p.bar.Clear() // as above
	}
}
