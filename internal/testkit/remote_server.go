package testkit

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"io/fs"
	"sync"

	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// remoteRequest is what a client asks for, or with Cancel that a request is to be given up.
type remoteRequest struct {
	ID     uint64
	Cancel bool
	Ended  bool // its ctx has ended before
	Object uint64
	Method string
	Number uint64
	Data   []byte
	Words  []uint64
}

// remoteReply answers one request, or with Notify says that a watched object may have changed.
type remoteReply struct {
	ID     uint64
	Notify bool
	OK     bool
	Number uint64
	Data   []byte
	Words  []uint64
	Error  string
	Is     int // the place in remoteErrors plus 1, or remoteEnded
	Exact  bool
}

var remoteErrors = []error{
	contract.ErrFull, contract.ErrEmpty, contract.ErrQueueClosed, contract.ErrNotGot, contract.ErrNotOwner,
	contract.ErrTooManyPermits, fs.ErrInvalid,
}

const remoteEnded = -1

// remoteServer hosts the objects.
type remoteServer struct {
	mu      sync.Mutex
	objects map[uint64]any
	running map[uint64]context.CancelFunc
	stops   map[uint64]func() // of watches
	out     *gob.Encoder
	outMu   sync.Mutex
}

// serve answers until the pipe is closed.
func (s *remoteServer) serve(pipe io.ReadWriteCloser) {
	s.out = gob.NewEncoder(pipe)
	in := gob.NewDecoder(pipe)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer pipe.Close()
	all, end := context.WithCancel(context.Background())
	defer end()
	for {
		var q remoteRequest
		if in.Decode(&q) != nil {
			return
		}
		s.mu.Lock()
		if q.Cancel {
			if cancel := s.running[q.ID]; cancel != nil {
				cancel()
			}
			s.mu.Unlock()
			continue
		}
		ctx, cancel := context.WithCancel(all)
		if q.Ended {
			cancel()
		}
		s.running[q.ID] = cancel
		s.mu.Unlock()
		wait.Go(func() {
			defer cancel()
			reply := s.answer(ctx, &q)
			s.mu.Lock()
			delete(s.running, q.ID)
			s.mu.Unlock()
			reply.ID = q.ID
			s.send(&reply)
		})
	}
}

func (s *remoteServer) send(r *remoteReply) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	s.out.Encode(r)
}

func (s *remoteServer) answer(ctx context.Context, q *remoteRequest) (r remoteReply) {
	s.mu.Lock()
	object := s.objects[q.Object]
	s.mu.Unlock()
	var err error
	switch o := object.(type) {
	case *inproc.Lock:
		err = s.lock(ctx, o, q, &r)
	case *inproc.Semaphore:
		err = s.semaphore(ctx, o, q, &r)
	case *inproc.Event:
		err = s.event(ctx, o, q, &r)
	case *inproc.Value:
		err = s.value(ctx, o, q, &r)
	case *inproc.Queue[[]byte]:
		err = s.queue(ctx, o, q, &r)
	}
	if err == nil {
		return r
	}
	r.Error = err.Error()
	if errors.Is(err, context.Canceled) {
		r.Is = remoteEnded
	}
	for i, known := range remoteErrors {
		if errors.Is(err, known) {
			r.Is, r.Exact = i+1, err == known
		}
	}
	return r
}

func (s *remoteServer) lock(ctx context.Context, l *inproc.Lock, q *remoteRequest, r *remoteReply) (err error) {
	var g contract.Grant
	switch q.Method {
	case "acquire":
		g, err = l.Acquire(ctx)
		r.Number = g.Token
	case "try":
		g, r.OK = l.TryAcquire()
		r.Number = g.Token
	case "release":
		err = l.Release(q.Number)
	case "holds":
		r.OK = l.Holds(q.Number)
	case "held":
		pid, held := l.Held()
		r.Number, r.OK = uint64(pid), held
	}
	return err
}

func (s *remoteServer) semaphore(ctx context.Context, o *inproc.Semaphore, q *remoteRequest, r *remoteReply) (err error) {
	var g contract.Grant
	switch q.Method {
	case "acquire":
		g, err = o.Acquire(ctx)
		r.Number = g.Token
	case "try":
		g, r.OK = o.TryAcquire()
		r.Number = g.Token
	case "return":
		err = o.Return(q.Number)
	case "release":
		err = o.Release(int(q.Number))
	case "available":
		r.Number = uint64(o.Available())
	}
	return err
}

func (s *remoteServer) event(ctx context.Context, e *inproc.Event, q *remoteRequest, r *remoteReply) error {
	switch q.Method {
	case "set":
		return e.Set()
	case "clear":
		return e.Clear()
	case "isset":
		r.OK = e.IsSet()
	case "wait":
		return e.Wait(ctx)
	case "watch", "unwatch":
		s.watch(q, e.Watch)
	}
	return nil
}

func (s *remoteServer) value(ctx context.Context, v *inproc.Value, q *remoteRequest, r *remoteReply) (err error) {
	switch q.Method {
	case "load":
		r.Words = make([]uint64, v.Words())
		v.Load(r.Words)
	case "begin":
		r.Number, err = v.Begin(ctx)
	case "commit":
		err = v.Commit(q.Number, q.Words)
	case "cancel":
		v.Cancel(q.Number)
	}
	return err
}

func (s *remoteServer) queue(ctx context.Context, o *inproc.Queue[[]byte], q *remoteRequest, r *remoteReply) (err error) {
	n := 0
	switch q.Method {
	case "put":
		return o.Put(ctx, q.Data)
	case "tryput":
		return o.TryPut(q.Data)
	case "get":
		r.Data, err = o.Get(ctx)
	case "tryget":
		r.Data, err = o.TryGet()
	case "len":
		n = o.Len()
	case "cap":
		n = o.Cap()
	case "full":
		r.OK = o.Full()
	case "closed":
		r.OK = o.Closed()
	case "unfinished":
		n = o.Unfinished()
	case "done":
		return o.TaskDone()
	case "join":
		return o.Join(ctx)
	case "shutdown":
		return o.Shutdown()
	case "closenow":
		n, err = o.CloseNow()
	case "readable":
		r.OK = o.Readable()
	case "watch", "unwatch":
		s.watch(q, o.Watch)
	}
	if n > 0 {
		r.Number = uint64(n)
	}
	return err
}

// watch begins a watch, or ends that with the request's number.
func (s *remoteServer) watch(q *remoteRequest, watch func(notify func()) (stop func())) {
	if q.Method == "unwatch" {
		s.mu.Lock()
		stop := s.stops[q.Number]
		delete(s.stops, q.Number)
		s.mu.Unlock()
		stop()
		return
	}
	changed, over := make(chan struct{}, 1), make(chan struct{})
	go func() {
		for {
			select {
			case <-changed:
				s.send(&remoteReply{ID: q.ID, Notify: true})
			case <-over:
				return
			}
		}
	}()
	stop := watch(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops[q.ID] = func() {
		stop()
		close(over)
	}
}
