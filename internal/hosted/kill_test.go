//go:build linux

package hosted_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// victimJob says what a process does over and over until it is killed.
type victimJob struct {
	Path   string
	Acts   string
	Victim int
}

var victim = mp.Register("hosted/victim", func(ctx context.Context, job victimJob) (mp.None, error) {
	if job.Acts == "half a frame" {
		return mp.None{}, sendHalf(ctx, job.Path)
	}
	c, err := testkit.DialHosted(ctx, job.Path)
	if err != nil {
		return mp.None{}, err
	}
	return mp.None{}, acts[job.Acts](ctx, c, job)
})

// acts are what a victim is killed in.
var acts = map[string]func(ctx context.Context, c *hosted.Client, job victimJob) error{
	"Put": func(ctx context.Context, c *hosted.Client, job victimJob) error {
		q, err := named[*hosted.Queue](ctx, c, "put")
		for i := uint64(0); err == nil; i++ {
			b := binary.LittleEndian.AppendUint64(nil, uint64(job.Victim))
			err = q.PutMessage(ctx, hosted.Message{Data: binary.LittleEndian.AppendUint64(b, i)})
		}
		return err
	},
	"Get": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		q, err := named[*hosted.Queue](ctx, c, "get")
		for err == nil {
			if _, _, err = q.Get(ctx, nil); err == nil {
				err = q.TaskDone()
			}
		}
		return err
	},
	"Acquire": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		l, err := named[*hosted.Lock](ctx, c, "lock")
		for err == nil {
			var g carrier.Grant
			if g, err = l.Acquire(ctx); err == nil {
				err = l.Release(g.Token)
			}
		}
		return err
	},
	"permits": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		s, err := named[*hosted.Semaphore](ctx, c, "semaphore")
		for err == nil {
			var g carrier.Grant
			if g, err = s.Acquire(ctx); err == nil {
				err = s.Return(g.Token)
			}
		}
		return err
	},
	"Wait": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		cond, err := named[*hosted.Condition](ctx, c, "condition")
		for err == nil {
			var g carrier.Grant
			if g, err = cond.Mutex().Acquire(ctx); err == nil {
				if g, err = cond.Wait(ctx, g.Token); err == nil {
					err = cond.Mutex().Release(g.Token)
				}
			}
		}
		return err
	},
	"barrier": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		b, err := named[*hosted.Barrier](ctx, c, "barrier")
		for err == nil || errors.Is(err, carrier.ErrBroken) {
			_, err = b.Wait(ctx, func() error { return nil })
		}
		return err
	},
	"Update": func(ctx context.Context, c *hosted.Client, _ victimJob) error {
		v, err := named[*hosted.Value](ctx, c, "value")
		for err == nil {
			var token uint64
			if token, err = v.Begin(ctx); err == nil {
				var words [2]uint64
				v.Load(words[:])
				words[0]++
				words[1]++
				err = v.Commit(token, words[:])
			}
		}
		return err
	},
}

func named[C any](ctx context.Context, c *hosted.Client, name string) (o C, err error) {
	found, err := c.Lookup(ctx, name, hosted.Message{})
	if err != nil {
		return o, err
	}
	return found.(C), nil
}

// sendHalf greets the server, and begins a frame that it does not end.
func sendHalf(ctx context.Context, path string) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	hello := append([]byte("mp-hosted\x01"), 1, 0)
	conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(hello))), hello...))
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		return err
	}
	conn.Write(append(binary.BigEndian.AppendUint32(nil, 100_000), make([]byte, 50_000)...))
	<-ctx.Done()
	return nil
}

// survivor uses what the victims use, and checks that nothing is held any more.
type survivor struct {
	lock      *hosted.Lock
	semaphore *hosted.Semaphore
	condition *hosted.Condition
	barrier   *hosted.Barrier
	value     *hosted.Value
	put, get  *hosted.Queue
	last      uint64            // token of the lock
	next      map[uint64]uint64 // of each victim, the item that is next
}

func newSurvivor(t *testing.T, s *hosted.Server, path string) *survivor {
	ctx := testkit.Ctx(t)
	session := testkit.Must(s.NewSession("a test", 0))(t)
	share := func(name string, spec hosted.Spec) *hosted.Handle {
		h := testkit.Must(session.Create(spec))(t)
		if err := s.Name(name, h); err != nil {
			t.Fatal(err)
		}
		return h
	}
	lock := share("lock", hosted.Spec{Kind: hosted.KindLock})
	share("semaphore", hosted.Spec{Kind: hosted.KindSemaphore, Size: 2, Bound: true})
	share("condition", hosted.Spec{Kind: hosted.KindCondition, Lock: lock})
	share("barrier", hosted.Spec{Kind: hosted.KindBarrier, Size: 2})
	share("value", hosted.Spec{Kind: hosted.KindValue, Words: []uint64{0, 0}})
	share("put", hosted.Spec{Kind: hosted.KindQueue, Size: 3})
	share("get", hosted.Spec{Kind: hosted.KindQueue})
	c := connect(t, path, hosted.ClientConfig{})
	return &survivor{
		lock: testkit.Must(named[*hosted.Lock](ctx, c, "lock"))(t), semaphore: testkit.Must(named[*hosted.Semaphore](ctx, c, "semaphore"))(t),
		condition: testkit.Must(named[*hosted.Condition](ctx, c, "condition"))(t), barrier: testkit.Must(named[*hosted.Barrier](ctx, c, "barrier"))(t),
		value: testkit.Must(named[*hosted.Value](ctx, c, "value"))(t), put: testkit.Must(named[*hosted.Queue](ctx, c, "put"))(t),
		get: testkit.Must(named[*hosted.Queue](ctx, c, "get"))(t), next: map[uint64]uint64{},
	}
}

// churn does its part of what takes two, until ctx ends.
func (v *survivor) churn(ctx context.Context, act string) {
	for ctx.Err() == nil {
		switch act {
		case "Put":
			v.drain(ctx)
		case "Get":
			v.get.PutMessage(ctx, hosted.Message{Data: []byte("item")})
		case "Acquire", "Wait":
			if g, err := v.lock.Acquire(ctx); err == nil {
				v.condition.Notify(g.Token, 1)
				v.last = max(v.last, g.Token)
				v.lock.Release(g.Token)
			}
		case "barrier":
			v.barrier.Wait(ctx, nil)
		default:
			return
		}
	}
}

// drain takes what victims have put: of each, the items one after the other.
func (v *survivor) drain(ctx context.Context) error {
	for {
		b, _, err := v.put.TryGet(nil)
		if err != nil {
			return err
		}
		from, i := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if i != v.next[from] {
			panic(fmt.Sprintf("item %d of victim %d, want %d", i, from, v.next[from]))
		}
		v.next[from]++
		v.put.TaskDone()
	}
}

// check fails if the death of a victim has left anything behind.
func (v *survivor) check(t *testing.T, act string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	g, err := v.lock.Acquire(ctx)
	if err != nil || g.Token <= v.last {
		t.Fatalf("%s: the lock: %v, %v after %d", act, err, g, v.last)
	}
	v.last = g.Token
	woken := make(chan error, 1)
	go func() {
		g, err := v.condition.Wait(ctx, g.Token)
		if err == nil {
			err = v.lock.Release(g.Token)
		}
		woken <- err
	}()
	g, err = v.lock.Acquire(ctx)
	if err := errors.Join(err, v.condition.Notify(g.Token, 1), v.lock.Release(g.Token), <-woken); err != nil {
		t.Fatalf("%s: the condition: %v", act, err)
	}
	if n := v.semaphore.Available(); n != 2 {
		t.Fatalf("%s: %d permits", act, n)
	}
	token, err := v.value.Begin(ctx)
	var words [2]uint64
	v.value.Load(words[:])
	if v.value.Cancel(token); err != nil || words[0] != words[1] {
		t.Fatalf("%s: the value: %v, %v", act, words, err)
	}
	if err := v.drain(ctx); !errors.Is(err, carrier.ErrEmpty) || v.put.Join(ctx) != nil {
		t.Fatalf("%s: the queue: %v", act, err)
	}
	v.get.PutMessage(ctx, hosted.Message{})
	for err = nil; err == nil; _, _, err = v.get.TryGet(nil) {
		v.get.TaskDone()
	}
	if err := v.get.Join(ctx); err != nil && !errors.Is(err, carrier.ErrAbandoned) {
		t.Fatalf("%s: the queue: %v, %d", act, err, v.get.Unfinished())
	}
	if n := v.barrier.Waiting(); n != 0 {
		t.Fatalf("%s: %d wait at the barrier", act, n)
	}
	v.barrier.Reset()
}

// Clients are killed in whatever they do: what they held goes on, and nothing is torn or seen twice.
func TestClientsAreKilled(t *testing.T) {
	t.Parallel()
	kills := 20
	if os.Getenv("MP_LONG") != "" {
		kills = 500
	}
	s, path := serve(t, hosted.Config{})
	v := newSurvivor(t, s, path)
	names := []string{"half a frame", "Put", "Get", "Acquire", "permits", "Wait", "barrier", "Update"}
	sessions := s.Sessions()
	for i := range kills {
		act := names[i%len(names)]
		p, err := mp.Start(testkit.Ctx(t), victim, victimJob{path, act, i}, mp.ProcessConfig{Daemon: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		churned := make(chan struct{})
		go func() {
			v.churn(ctx, act)
			close(churned)
		}()
		eventually(t, "a client", func() bool { return s.Sessions() > sessions })
		time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
		if code, exited := p.ExitCode(); exited {
			t.Fatal("it ended before it was killed: ", act, code)
		}
		p.Kill()
		<-p.Done()
		stop()
		<-churned
		eventually(t, "the end of a session", func() bool { return s.Sessions() == sessions })
		v.check(t, act)
	}
}
