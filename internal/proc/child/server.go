package child

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// server is the child's end of the socket.
type server struct {
	program Program
	self    *spawn.Self
	grace   time.Duration   // at its end
	life    context.Context // of Init; ends when a worker does
	endLife context.CancelFunc
	exit    *exitCall // of a worker; nil: none
	frames  *frame.Reader

	mu sync.Mutex // for writing
}

// Serve is what a child does. It never returns.
func Serve(self *spawn.Self, program Program) {
	s := &server{program: program, self: self, frames: frame.NewReader(fdpass.NewSocket(self.Conn))}
	s.life, s.endLife = context.WithCancel(context.Background())
	s.frames.Trusted = true // it is this program
	kind, payload, err := s.frames.Next(proto.AnySize)
	if err != nil {
		s.lost(err)
	}
	if kind != proto.FrameHello {
		s.lost(fmt.Errorf("mp: the first frame is of kind %d", kind))
	}
	files, lost := s.frames.Files()
	r := codec.NewReader(proto.Keep(payload))
	r.Alias = true
	r.Attached(files)
	what := r.Byte()
	s.join(r.Byte() != 0, r.Uint64())
	if lost != nil {
		s.fail(errtext.Errorf("mp: the input has lost what it holds: %w", lost))
		os.Exit(exitFailed)
	}
	switch what {
	case proto.HelloWorker:
		s.work(r)
	case proto.HelloCall:
		s.call(r)
	default:
		s.lost(fmt.Errorf("mp: not understood: %v", r.Err()))
	}
	panic("unreachable")
}

// join tells the program how this process can share. If it can, the descriptor for that is the
// first one.
func (s *server) join(shares bool, key uint64) {
	if !shares {
		s.program.Join(nil, key, s.ask)
		return
	}
	if len(s.self.Files) == 0 {
		s.lost(fmt.Errorf("mp: a child without the descriptor of the process table"))
	}
	s.program.Join(s.self.Files[0], key, s.ask)
	s.self.Files = s.self.Files[1:]
}

// lost ends this process: its parent is gone, or does not make sense any more.
func (s *server) lost(err error) {
	s.self.ExitOrphaned()
	fmt.Fprintln(os.Stderr, "mp: a child lost its parent:", err)
	os.Exit(1)
}

// write sends a frame.
func (s *server) write(kind byte, b *codec.Buffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := frame.Write(s.self.Conn, kind, b); err != nil {
		s.lost(err)
	}
}

// fail tells the parent an error.
func (s *server) fail(err error) {
	var b codec.Buffer
	s.program.EncodeError(&b, err)
	s.write(proto.FrameFailed, &b)
}

// finish ends this process when all is done. Exit hooks run, so that a binary
// built with -cover writes its counters.
func (s *server) finish() { os.Exit(0) }

// work is what a pool's worker does.
func (s *server) work(r *codec.Reader) {
	init, max, labels := r.String(), int64(r.Uint64()), r.Byte() != 0
	s.grace = time.Duration(r.Uint64())
	input, err := proto.CloseInput(proto.FrameHello, r)
	if err != nil {
		s.lost(err)
	}
	if len(s.self.Files) == 0 {
		s.lost(fmt.Errorf("mp: a worker without shared memory"))
	}
	region, err := shm.Open(s.self.Files[0], proto.PageSize)
	if err != nil {
		s.lost(err)
	}
	region.CloseFile()
	p, err := proto.OpenPage(region)
	if err != nil {
		s.lost(err)
	}
	x := &executor{
		program: s.program, self: s.self, server: s, page: p, max: max, labels: labels, spin: spin.New(),
		queue: make(chan *proto.Batch, 2*proto.Slots), spare: make(chan []byte, spares),
		bell: proto.NewDoorbell(p, func() { s.write(proto.FrameBell, proto.Empty) }),
	}
	s.frames.Spare = func() []byte {
		select {
		case p := <-x.spare:
			return p
		default:
			return nil
		}
	}
	rooms := make(chan struct{}, 1)
	x.ring = proto.NewRingWriter(p, func(has func() bool) { s.waitForRoom(p, rooms, has) })
	inits, signals := make(chan error, 1), make(chan struct{})
	go func() { inits <- s.initialise(init, input) }()
	go s.begin(inits, signals, x)
	go func() {
		outliveSIGTERM()
		close(signals)
	}()
	s.read(x, rooms)
}

// begin tells the parent how Init ended and runs tasks if it ended well.
func (s *server) begin(inits <-chan error, signals <-chan struct{}, x *executor) {
	if err := <-inits; err != nil {
		s.fail(err)
		os.Exit(1)
	}
	<-signals
	s.write(proto.FrameReady, proto.Empty)
	x.loop()
}

// outliveSIGTERM has a worker do nothing upon a SIGTERM that is sent to everybody, a process group or a
// control group: it ends with its pool, whose owner may have tasks to finish. Ignoring the signal would be
// inherited by the commands that tasks run. It starts two threads of os/signal: 0.5 ms, beside which Init runs.
func outliveSIGTERM() { signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM) }

// initialise runs the pool's Init.
func (s *server) initialise(name string, input *codec.Reader) error {
	if name == "" {
		return nil
	}
	_, _, err := s.once(s.life, name, input)
	return err
}

// waitForRoom sleeps until the parent has taken something from the ring.
func (s *server) waitForRoom(p *proto.Page, rooms <-chan struct{}, has func() bool) {
	for {
		p.WorkerSleeps.Store(1)
		if has() {
			p.WorkerSleeps.Store(0)
			return
		}
		if p.ParentSleeps.CompareAndSwap(1, 0) {
			s.write(proto.FrameBell, proto.Empty)
		}
		<-rooms
	}
}

// read takes the parent's frames until there are none any more.
func (s *server) read(x *executor, rooms chan<- struct{}) {
	closed := false
	for {
		kind, payload, err := s.frames.Next(proto.AnySize)
		if err != nil {
			s.lost(err)
		}
		switch kind {
		case proto.FrameBatch:
			files, lost := s.frames.Files()
			a, err := proto.ReadBatch(proto.Keep(payload), files, lost)
			if err != nil {
				s.lost(err)
			}
			x.queue <- a
		case proto.FrameExit:
			s.setExit(proto.Keep(payload))
		case proto.FrameCancel:
			id, item, err := proto.ReadCancel(payload)
			if err != nil {
				s.lost(err)
			}
			x.ctxs.Cancel(id, item)
		case proto.FrameStack:
			request, err := proto.ReadStackRequest(payload)
			if err != nil {
				s.lost(err)
			}
			go s.tellStack(x, request)
		case proto.FrameRoom:
			select {
			case rooms <- struct{}{}:
			default:
			}
		case proto.FrameClose:
			if !closed {
				closed = true
				close(x.queue)
			}
		}
	}
}

func (s *server) tellStack(x *executor, request uint64) {
	var b codec.Buffer
	b.Uvarint(request)
	b.String(x.stack())
	s.write(proto.FrameStack, &b)
}

// ask sends a request to the parent.
func (s *server) ask(q proctable.Request) {
	var b codec.Buffer
	b.Uint64(q.Key)
	b.String(q.Name)
	if q.PIDFD != nil {
		b.Attach(codec.Attachment{File: q.PIDFD})
	}
	s.write(proto.FrameShare, &b)
}
