package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// reason is why there is no thumbnail: Short is the same for the same cause,
// Detail tells about this one.
type reason struct{ Short, Detail string }

// explain says in a user's words what an error means.
func explain(err error, opts *options) reason {
	var died *mp.WorkerDiedError
	var panicked *mp.PanicError
	var big *tooBig
	switch {
	case errors.As(err, &died) && errors.Is(died, mp.ErrMemory):
		return same("needed more memory than the machine has left: " + died.Reason)
	case errors.Is(err, mp.ErrMemory):
		return same("took more memory than " + opts.memory.text() + ", its worker was stopped")
	case errors.Is(err, context.DeadlineExceeded):
		return same(fmt.Sprintf("was not done within %v", opts.timeout))
	case errors.As(err, &died) && died.Reason == "" && died.Signal != nil:
		return same(fmt.Sprintf("its worker was killed (signal: %v)", died.Signal)) // perhaps not for this image
	case errors.As(err, &died):
		return same("crashed its worker: " + cmp.Or(died.Reason, fmt.Sprintf("exit code %d", died.ExitCode)))
	case errors.As(err, &panicked):
		return same("crashed the decoder: " + panicked.Value)
	case errors.As(err, &big):
		return reason{"claims more pixels than fit into " + opts.memory.text(), big.Error()}
	case errors.Is(err, errWrite):
		return same(errWrite.Error() + ": " + plain(err))
	}
	short := plain(err)
	if short == endsEarly && !errors.Is(err, io.ErrUnexpectedEOF) {
		return reason{short, short + " (" + cause(err).Error() + ")"}
	}
	return same(short)
}

func same(s string) reason { return reason{s, s} }

// plain is what an error says less what is known anyway: the path, the task.
func plain(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, image.ErrFormat):
		return "not an image in a known format"
	case errors.As(err, &errno):
		return errno.Error()
	}
	text := cause(err).Error()
	for _, words := range truncated {
		if strings.Contains(text, words) {
			return endsEarly
		}
	}
	return text
}

const endsEarly = "the file ends too early"

// truncated are the decoders' words for it; most have no error value for it.
var truncated = []string{"EOF", "not enough image data", "not enough pixel data", "short Huffman data"}

// cause is the error of the task itself.
func cause(err error) error {
	var te *mp.TaskError
	if errors.As(err, &te) {
		return te.Err
	}
	return err
}

// report is what is told at the end.
type report struct {
	opts     *options
	search   *search
	run      *run
	began    time.Time
	wall     time.Duration
	total    int
	done     int
	undone   int // cut off by an interrupt
	reasons  []group
	replaced int
	sheet    string
}

// group is all that failed for one reason.
type group struct {
	Reason string
	Paths  []string
}

func newReport(opts *options, s *search, r *run, began time.Time) *report {
	rep := &report{
		opts: opts, search: s, run: r, began: began, wall: r.timeline.length,
		total: len(s.pictures), replaced: r.timeline.replaced(),
	}
	at := make(map[string]int)
	add := func(path, reason string) {
		i, ok := at[reason]
		if !ok {
			i = len(rep.reasons)
			at[reason] = i
			rep.reasons = append(rep.reasons, group{Reason: reason})
		}
		rep.reasons[i].Paths = append(rep.reasons[i].Paths, path)
	}
	for _, p := range s.pictures {
		switch p.state {
		case done:
			rep.done++
		case failed:
			add(p.Path, p.reason.Short)
		case waiting:
			rep.undone++
		}
	}
	for _, p := range s.problems {
		add(p.Path, p.Reason)
	}
	slices.SortStableFunc(rep.reasons, func(a, b group) int { return len(b.Paths) - len(a.Paths) })
	return rep
}

// failures counts the images that failed and the folders that could not be searched.
func (r *report) failures() int {
	return r.total - r.done - r.undone + len(r.search.problems)
}

func (r *report) rate() float64 {
	return float64(r.total-r.undone) / max(r.wall.Seconds(), 1e-3)
}

// print writes the table. That nobody reads on, as behind | head, is no error.
func (r *report) print(w io.Writer) error {
	var table bytes.Buffer
	tw := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "done\t%d of %d images\n", r.done, r.total)
	fmt.Fprintf(tw, "failed\t%d\n", r.failures())
	for _, g := range r.reasons {
		fmt.Fprintf(tw, "  %s\t%s\n", show.Text(g.Reason), g.names())
	}
	if r.undone > 0 {
		fmt.Fprintf(tw, "not done\t%d\n", r.undone)
	}
	fmt.Fprintf(tw, "workers\t%d, %d replaced\n", r.opts.workers, r.replaced)
	fmt.Fprintf(tw, "time\t%s, %.1f images/s\n", inWords(r.wall), r.rate())
	if r.sheet != "" {
		fmt.Fprintf(tw, "contact sheet\t%s\n", show.Text(r.sheet))
	}
	tw.Flush() // into memory
	if _, err := w.Write(table.Bytes()); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

// names are the paths when they are few, else their number and the first.
func (g *group) names() string {
	const few = 3
	if len(g.Paths) <= few {
		return show.List(g.Paths)
	}
	return fmt.Sprintf("%d: %s and %d more", len(g.Paths), show.List(g.Paths[:few-1]), len(g.Paths)-few+1)
}
