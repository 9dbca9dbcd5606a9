package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gomultiprocessing/mp"
)

// run is how the work went as a whole. What became of each picture is in there.
type run struct {
	timeline    *timeline
	interrupted bool
	err         error // the pool could not go on
}

// makeAll makes the thumbnails. The error says that nothing could be started.
func makeAll(ctx context.Context, opts *options, pictures []*picture, p *progress) (*run, error) {
	r := &run{timeline: newTimeline(opts.workers)}
	pool, err := mp.NewPool(mp.PoolConfig{
		Name:      "thumbnails",
		Workers:   opts.workers,
		MaxMemory: int64(opts.memory),
		Events:    r.timeline.event,
	})
	if err != nil {
		return nil, err
	}
	r.timeline.begin()
	p.begin()
	jobs := func(yield func(job) bool) {
		for _, pic := range pictures {
			if !yield(pic.job(opts)) {
				return
			}
		}
	}
	// Chunk(1): images take much longer than handing them over, and so the images
	// of a worker that dies are each begun once. Capture: what a library prints
	// would go through the progress bar.
	for o := range mp.Outcomes(ctx, pool, makeThumbnail, jobs, mp.Timeout(opts.timeout), mp.Chunk(1), mp.Capture(0)) {
		var te *mp.TaskError
		switch {
		case ctx.Err() != nil && o.Err != nil:
			r.interrupted = true
		case o.Err != nil && !errors.As(o.Err, &te):
			r.err = o.Err // about the call; the rest has no outcome of its own
			continue
		}
		if o.Index < 0 {
			continue
		}
		if o.Err != nil {
			os.Remove(o.In.Temp) // a worker that was killed may have left it, mostly not
		}
		if !r.interrupted || o.Err == nil {
			pictures[o.Index].settle(o, opts)
			p.settled(pictures[o.Index])
		}
	}
	p.end()
	r.timeline.end(r.interrupted || r.err != nil)
	r.err = cmp.Or(r.err, r.stop(pool))
	return r, nil
}

// stop ends the workers: at once after an interrupt.
func (r *run) stop(pool *mp.Pool) error {
	if r.interrupted || r.err != nil {
		pool.Terminate()
		return pool.Join(context.Background())
	}
	return pool.Shutdown(context.Background())
}

func (p *picture) source() string { return filepath.Join(p.root, p.rel) }

func (p *picture) job(opts *options) job {
	target := filepath.Join(opts.out, p.target)
	return job{
		Source: p.source(),
		Target: target,
		Temp:   tempName(target),
		Size:   opts.size,
		Memory: int64(opts.memory),
	}
}

// settle notes what became of a picture.
func (p *picture) settle(o mp.Outcome[job, thumb], opts *options) {
	p.pid, p.wall = o.PID, o.Wall
	if o.Err == nil {
		p.state, p.thumb = done, o.Out
		return
	}
	p.state, p.reason = failed, explain(o.Err, opts)
}

// inWords is a time for people.
func inWords(d time.Duration) string {
	switch {
	case d > 0 && d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
