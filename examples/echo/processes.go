package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/echo/serve"
)

// post is what a worker process gets to do. It is one task, which lasts until the program ends;
// when its worker dies, another one begins it again.
type post struct {
	Slot     int
	Listener *os.File                 // the same open socket in all of them
	Numbers  *mp.Array[serve.Numbers] // one for each slot
	Room     *mp.Semaphore            // a dead worker's permits come back
	Stop     *mp.Event
	Limits   limits
	Log      logging
}

var work = mp.Register("echo", func(ctx context.Context, p post) (mp.None, error) {
	l, err := net.FileListener(p.Listener)
	p.Listener.Close() // l has a descriptor of its own
	if err != nil {
		return mp.None{}, mp.Permanent(err)
	}
	log := p.Log.logger(os.Stderr).With("process", p.Slot)
	server := p.Limits.server(&p.Numbers.Slice()[p.Slot], p.Room, log)
	drained := make(chan struct{})
	serving, cancel := context.WithCancel(ctx)
	go func() {
		defer close(drained)
		p.Stop.Wait(serving) // or it is over
		p.Limits.drain(server, log)
	}()
	err = server.Serve(l)
	cancel()
	<-drained
	return mp.None{}, err
})

// again is how often a post may lose its worker: always. The pauses protect the machine from
// workers that die at once.
var again = mp.Retries(math.MaxInt32, mp.Backoff{Min: 10 * time.Millisecond, Max: 500 * time.Millisecond})

// slack is how long workers may take beyond their time to drain.
const slack = 5 * time.Second

// inProcesses has the connections of l handled by a pool of worker processes.
func inProcesses(o *options, l *net.TCPListener, log *slog.Logger) (_ *service, err error) {
	file, err := l.File()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	p := post{Listener: file, Limits: o.limits, Log: o.Log}
	if p.Numbers, err = mp.NewArray[serve.Numbers](o.processes); err != nil {
		return nil, err
	}
	if p.Room, err = mp.NewSemaphore(o.max); err != nil {
		return nil, err
	}
	if p.Stop, err = mp.NewEvent(); err != nil {
		return nil, err
	}
	pool, err := mp.NewPool(mp.PoolConfig{Name: "echo", Workers: o.processes, Events: tellFailures(log)})
	if err != nil {
		return nil, err
	}
	s := &service{numbers: p.Numbers.Slice(), failed: make(chan error, o.processes)}
	var posts []*mp.Result[mp.None]
	for p.Slot = range o.processes {
		r := mp.ApplyAsync(context.Background(), pool, work, p, again)
		r.OnDone(func(_ mp.None, err error) {
			if err != nil && !p.Stop.IsSet() {
				s.failed <- err
			}
		})
		posts = append(posts, r)
	}
	s.close = func(log *slog.Logger) {
		p.Stop.Set()
		l.Close() // with the workers' it is closed for clients, too
		file.Close()
		finish(pool, posts, o.limits.Drain, log)
	}
	return s, nil
}

// finish waits until the workers have drained, and ends them.
func finish(pool *mp.Pool, posts []*mp.Result[mp.None], drain time.Duration, log *slog.Logger) {
	within := max(drain, drain+slack) // the longest drain there is has no room for more
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	mp.Wait(ctx, mp.AllDone, posts...)
	for i, r := range posts {
		switch {
		case !r.Ready():
			log.Warn("a process does not end, so it is killed", "process", i)
		case errors.Is(r.Err(), os.ErrClosed): // it had not begun, and has no connections
		case r.Err() != nil:
			log.Warn("a process did not end well", "process", i, "error", r.Err())
		}
	}
	pool.Shutdown(ctx) // an error: those that do not end were killed
}

// tellFailures has a line written whenever a post is begun again.
func tellFailures(log *slog.Logger) func(mp.PoolEvent) {
	return func(e mp.PoolEvent) {
		if e.Kind != mp.TaskRetried {
			return
		}
		said := "a process begins again"
		if _, died := errors.AsType[*mp.WorkerDiedError](e.Err); died {
			said = "a process died, another one takes its place"
		}
		log.Error(said, "pid", e.PID, "error", e.Err)
	}
}

// logging is how log lines are written; worker processes do it alike.
type logging struct {
	Level slog.Level
	JSON  bool
}

func (g logging) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: g.Level}
	if g.JSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
