package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"path/filepath"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// sheetName is the file of the contact sheet in the output folder.
const sheetName = "index.html"

//go:embed sheet.html.tmpl
var sheetText string

var sheetTemplate = template.Must(template.New(sheetName).Parse(sheetText))

// sheet is what the template shows; its texts are as people may see them.
type sheet struct {
	Title                       string
	When                        string
	Done, Total, Failed, Undone int
	Wall, Rate                  string
	Workers, Replaced           int
	Size                        int
	Limits                      string
	Folders                     []folder
	Failures                    []failure
	Chart                       *chart
}

// folder is the images of one folder.
type folder struct {
	Path  string
	Cards []card
}

type card struct {
	Index         int
	Thumb, Source string // addresses, relative to the sheet
	Name, Path    string
	Format        string
	Width, Height int
	SmallW        int
	SmallH        int
	Took          string
}

type failure struct {
	Index        int
	Path, Reason string
	Took         string
}

// writeSheet writes the contact sheet.
func (r *report) writeSheet() error {
	var buf bytes.Buffer
	if err := sheetTemplate.Execute(&buf, r.sheetData()); err != nil {
		return err
	}
	name := filepath.Join(r.opts.out, sheetName)
	if err := writeFile(name, tempName(name), buf.Bytes()); err != nil {
		return err
	}
	r.sheet = name
	return nil
}

func (r *report) sheetData() *sheet {
	s := &sheet{
		Title: "Contact sheet", When: r.began.Format("2 January 2006, 15:04"),
		Done: r.done, Total: r.total, Failed: r.failures(), Undone: r.undone,
		Wall: inWords(r.wall), Rate: fmt.Sprintf("%.1f", r.rate()),
		Workers: r.opts.workers, Replaced: r.replaced, Size: r.opts.size,
		Limits: fmt.Sprintf("%v and %s for each image", r.opts.timeout, r.opts.memory.text()),
		Chart:  newChart(r),
	}
	for i, p := range r.search.pictures {
		switch p.state {
		case done:
			s.add(r.card(i, p), show.Text(filepath.Dir(p.Path)))
		case failed:
			s.Failures = append(s.Failures, failure{i, show.Text(p.Path), show.Text(p.reason.Detail), inWords(p.wall)})
		}
	}
	for _, p := range r.search.problems {
		s.Failures = append(s.Failures, failure{-1, show.Text(p.Path), show.Text(p.Reason), ""})
	}
	return s
}

func (s *sheet) add(c card, dir string) {
	if n := len(s.Folders); n == 0 || s.Folders[n-1].Path != dir {
		s.Folders = append(s.Folders, folder{Path: dir})
	}
	last := &s.Folders[len(s.Folders)-1]
	last.Cards = append(last.Cards, c)
}

func (r *report) card(i int, p *picture) card {
	t := &p.thumb
	c := card{
		Index: i, Thumb: address(p.target + t.Ext), Name: show.Text(filepath.Base(p.Path)), Path: show.Text(p.Path),
		Format: t.Format, Width: t.Width, Height: t.Height, SmallW: t.Small.X, SmallH: t.Small.Y,
		Took: inWords(p.wall),
	}
	if out, err := resolve(r.opts.out); err == nil {
		if rel, err := filepath.Rel(out, p.source()); err == nil {
			c.Source = address(rel)
		}
	}
	return c
}

// address makes a path a relative URL: names may contain what means something in
// an address, such as # and ?.
func address(path string) string {
	return (&url.URL{Path: filepath.ToSlash(path)}).String()
}

// chart is the timeline as a drawing.
type chart struct {
	Width, Height int
	Lanes         []lane
	Lives         []bar
	Deaths        []mark
	Bars          []bar
	Ticks         []tick
	Bottom        int
	Cut           bool // some bar was interrupted
}

type lane struct {
	Y    int
	Name string
}

type bar struct {
	X, W   float64
	Y, H   int
	Class  string
	Index  int // of the image
	Title  string
	Label  string
	LabelY int
}

type mark struct {
	X float64
	Y int
}

type tick struct {
	X    float64
	Text string
}

const (
	chartLeft  = 78 // room for the names of the lanes
	chartRight = 1000
	laneHeight = 40
	barHeight  = 20
	labelWidth = 52 // of a pid
)

func newChart(r *report) *chart {
	t := r.run.timeline
	spans, lives := t.finished()
	lanes := t.workers
	for _, l := range lives {
		lanes = max(lanes, l.worker)
	}
	c := &chart{Width: chartRight + 20, Bottom: 6 + lanes*laneHeight}
	c.Height = c.Bottom + 24
	length := max(t.length, time.Millisecond)
	x := func(d time.Duration) float64 {
		return chartLeft + float64(min(d, length))/float64(length)*(chartRight-chartLeft)
	}
	for i := range lanes {
		c.Lanes = append(c.Lanes, lane{Y: 6 + i*laneHeight, Name: fmt.Sprintf("worker %d", i+1)})
	}
	for _, l := range lives {
		c.life(&l, x(l.begin), x(l.end))
	}
	for _, s := range spans {
		c.span(&s, r.search.pictures[s.index], x(s.begin), x(s.end))
	}
	step := tickStep(length)
	for at := time.Duration(0); at <= length; at += step {
		c.Ticks = append(c.Ticks, tick{x(at), tickText(at, step)})
	}
	return c
}

func (c *chart) life(l *life, from, to float64) {
	b := bar{X: from, W: max(1, to-from), Y: 6 + (l.worker-1)*laneHeight, H: laneHeight - 6}
	b.Title = fmt.Sprintf("pid %d", l.pid)
	if b.W >= labelWidth {
		b.Label, b.LabelY = b.Title, b.Y+barHeight+11
	}
	c.Lives = append(c.Lives, b)
	if l.died {
		c.Deaths = append(c.Deaths, mark{to, b.Y + barHeight/2})
	}
}

// span draws one image. Of many thousands most are too thin to be seen: they widen
// the bar before them instead, which keeps the page small.
func (c *chart) span(s *span, p *picture, from, to float64) {
	b := bar{X: from, W: max(0.8, to-from-0.4), Y: 6 + (s.worker-1)*laneHeight, H: barHeight, Index: s.index}
	b.Class = [...]string{waiting: "cut", done: "done", failed: "bad"}[s.state]
	c.Cut = c.Cut || s.state == waiting
	b.Title = fmt.Sprintf("%s, %s, pid %d", show.Text(p.Path), inWords(s.end-s.begin), s.pid)
	const many, thin = 2000, 1.0
	if n := len(c.Bars); n > many && to-from < thin {
		for i := n - 1; i >= max(0, n-64); i-- {
			before := &c.Bars[i]
			if before.Y == b.Y {
				if before.Class == b.Class && b.X-before.X < 4*thin {
					before.W = b.X + b.W - before.X
					return
				}
				break
			}
		}
	}
	c.Bars = append(c.Bars, b)
}

// tickStep is a round time of which some 4 to 10 make the whole.
func tickStep(length time.Duration) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if step := n * unit; length/step <= 9 {
				return step
			}
		}
	}
}

// tickText is a time in the unit of the step.
func tickText(at, step time.Duration) string {
	if step < time.Second {
		return fmt.Sprintf("%d ms", at.Milliseconds())
	}
	return fmt.Sprintf("%d s", int(at.Seconds()))
}
