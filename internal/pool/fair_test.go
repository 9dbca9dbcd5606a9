package pool_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// demand is a call, or several callers that make one call after the other. It would use all
// workers if it could.
type demand struct {
	kind   string        // all: as Map; window: as Outcomes; calls: one call of one task after the other
	takes  time.Duration // each task
	number int           // of tasks in the window, or of callers
	chunk  int
	after  time.Duration // delay before it begins
}

func (d demand) String() string {
	return fmt.Sprintf("%s of %v, %d wide, chunk %d, after %v", d.kind, d.takes, d.number, d.chunk, d.after)
}

// rival is a demand that is being served.
type rival struct {
	demand
	l    *lab
	over atomic.Bool
	done atomic.Int64 // tasks
}

// used returns the worker time that the rival has had.
func (r *rival) used() time.Duration { return time.Duration(r.done.Load()) * r.takes }

func (r *rival) begin(name string) {
	time.Sleep(r.after)
	switch r.kind {
	case "all":
		k := r.track(name, 1<<30)
		r.submit(k)
	case "window":
		k := r.track(name, 0)
		k.job.Lazy = true
		k.supply = func(n int) {
			r.done.Add(int64(n))
			r.l.s.Extend(&k.job, n)
		}
		r.submit(k)
		r.l.s.Extend(&k.job, r.number)
	case "calls":
		for range r.number {
			r.call(name)
		}
	}
}

func (r *rival) track(name string, items int) *track {
	k := r.l.track(items, lasting(r.takes))
	k.job.Func, k.job.Chunk, k.light = name, r.chunk, true
	k.supply = func(n int) { r.done.Add(int64(n)) }
	return k
}

func (r *rival) submit(k *track) {
	if err := r.l.s.SubmitNow(&k.job); err != nil && !r.over.Load() {
		r.l.t.Errorf("Submit: %v", err)
	}
}

// call makes one call after the other.
func (r *rival) call(name string) {
	k := r.track(name, 1)
	k.after = func() {
		if !r.over.Load() {
			r.call(name)
		}
	}
	r.submit(k)
}

// compete serves demands for a while and returns the worker time that each had after all had begun.
func compete(l *lab, demands []demand, while time.Duration) []time.Duration {
	rivals := make([]*rival, len(demands))
	late := time.Duration(0)
	for i, d := range demands {
		rivals[i] = &rival{demand: d, l: l}
		late = max(late, d.after)
		go rivals[i].begin(fmt.Sprint("f", i))
	}
	time.Sleep(late + 100*time.Millisecond)
	synctest.Wait()
	had := make([]time.Duration, len(rivals))
	for i, r := range rivals {
		had[i] = -r.used()
	}
	time.Sleep(while)
	synctest.Wait()
	for i, r := range rivals {
		had[i] += r.used()
		r.over.Store(true)
	}
	l.s.Terminate()
	return had
}

// uneven describes the demands whose shares differ from an equal one by more than a tolerance. It
// returns "" if there are none.
func uneven(demands []demand, had []time.Duration, share, tolerance time.Duration) string {
	var b strings.Builder
	for i, h := range had {
		if h < share-tolerance || h > share+tolerance {
			fmt.Fprintf(&b, "%v: had %v of its share of %v\n", demands[i], h, share)
		}
	}
	return b.String()
}

// An old call with a wide window leaves half of the worker time to a new one with a narrow window.
func TestTwoCallsShareTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(4), func(l *lab) { l.quiet = true })
		demands := []demand{
			{kind: "window", takes: 20 * time.Millisecond, number: 64},
			{kind: "window", takes: 20 * time.Millisecond, number: 16, after: 100 * time.Millisecond},
		}
		had := compete(l, demands, 7*time.Second)
		if bad := uneven(demands, had, 14*time.Second, 500*time.Millisecond); bad != "" {
			t.Error(bad)
		}
	})
}

// Calls of every kind, with tasks from a few microseconds to 70 milliseconds, get equal shares.
func TestManyCallsShareTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const workers, while = 4, 8 * time.Second
		l := newLab(t, config(workers), func(l *lab) { l.quiet = true })
		var demands []demand
		takes := []time.Duration{50 * time.Microsecond, 300 * time.Microsecond, 2 * time.Millisecond, 70 * time.Millisecond}
		for i := range 24 {
			d := demand{takes: takes[i/3%4], after: time.Duration(i*i) * time.Millisecond}
			switch i % 3 {
			case 0:
				d.kind, d.chunk = "all", []int{0, 1, 1000}[i/12*2]
			case 1:
				d.kind, d.number = "window", 200+i
			case 2:
				d.kind, d.number, d.chunk = "window", 16, 4
			}
			demands = append(demands, d)
		}
		had := compete(l, demands, while)
		share := workers * while / time.Duration(len(demands))
		if bad := uneven(demands, had, share, share/5); bad != "" {
			t.Error(bad)
		}
	})
}

// A stream of calls of one task each and a call of very many tasks share the workers: each caller
// gets as much worker time as the one call.
func TestStreamOfCallsAndOneLongCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const while = 10 * time.Second
		for _, firstLong := range []bool{true, false} {
			l := newLab(t, config(2), func(l *lab) { l.quiet = true })
			demands := []demand{
				{kind: "all", takes: time.Millisecond},
				{kind: "calls", takes: time.Millisecond, number: 9},
			}
			demands[1].after = 50 * time.Millisecond
			if !firstLong {
				demands[0].after, demands[1].after = 50*time.Millisecond, 0
			}
			had := compete(l, demands, while)
			share := 2 * while / 10
			if had[0] < share*7/10 || had[0] > share*15/10 {
				t.Errorf("the long call is first: %v: it had %v, and each of 9 callers %v", firstLong, had[0], had[1]/9)
			}
		}
	})
}

// Whatever calls compete, none falls behind its share by more than one batch's worth of time.
func TestRandomCallsShareTheWorkers(t *testing.T) {
	one := rapid.Custom(func(rt *rapid.T) demand {
		d := demand{
			kind:  rapid.SampledFrom([]string{"all", "window"}).Draw(rt, "kind"),
			takes: rapid.SampledFrom([]time.Duration{time.Millisecond, 2 * time.Millisecond, 6 * time.Millisecond, 30 * time.Millisecond}).Draw(rt, "takes"),
			chunk: rapid.SampledFrom([]int{0, 0, 1, 7, 5000}).Draw(rt, "chunk"),
			after: time.Duration(rapid.IntRange(0, 100).Draw(rt, "after")) * time.Millisecond,
		}
		d.number = 120 + rapid.IntRange(0, 500).Draw(rt, "width")
		return d
	})
	const while = 2 * time.Second
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		demands := rapid.SliceOfN(one, 2, 8).Draw(rt, "calls")
		var c complaints
		var had []time.Duration
		synctest.Test(t, func(*testing.T) {
			l := newLab(&c, config(workers), func(l *lab) { l.quiet = true })
			had = compete(l, demands, while)
		})
		share := time.Duration(workers) * while / time.Duration(len(demands))
		if bad := uneven(demands, had, share, share/5); bad != "" || len(c.all) > 0 {
			rt.Fatalf("%d workers: %s%v", workers, bad, c.all)
		}
	})
}

// A call of one task is served as soon as the batches of the others end, however many tasks they
// have.
func TestNoCallWaitsLongerThanItsShare(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const workers, rivals, takes = 4, 20, time.Millisecond
		l := newLab(t, config(workers), func(l *lab) { l.quiet = true })
		all := make([]*rival, rivals)
		for i := range all {
			d := demand{kind: "all", takes: takes}
			switch i % 4 {
			case 1:
				d.kind, d.number = "window", 500
			case 2:
				d.chunk = 10_000
			case 3:
				d.kind, d.number = "calls", 3
			}
			all[i] = &rival{demand: d, l: l}
			go all[i].begin(fmt.Sprint("f", i))
		}
		time.Sleep(time.Second)
		// Each of the others, and there are twice as many callers, gets two milliseconds and a task
		// at a time. A worker may also have such a batch already.
		const atMost = (2*rivals/workers + 2) * (2*time.Millisecond + takes)
		r := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			time.Sleep(time.Duration(r.IntN(30_000)) * time.Microsecond)
			before := time.Now()
			l.submit(1, lasting(takes), func(j *pool.Job) { j.Func = "late" }).succeeded()
			if d := time.Since(before); d > atMost {
				t.Errorf("it waited for %v, at most %v was its share", d, time.Duration(atMost))
			}
		}
		for _, r := range all {
			r.over.Store(true)
		}
		l.s.Terminate()
	})
}

// Calls of one task are served in the order in which they arrived, whatever runs beside them.
func TestEqualCallsOfOneTaskAreInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		beside := l.submit(2000, lasting(100*time.Microsecond))
		var ks []*track
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 3000 {
			ks = append(ks, l.submit(1, lasting(time.Duration(1+i%7)*10*time.Microsecond), func(j *pool.Job) { j.Func = "single" }))
			if i%50 == 0 {
				time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
			}
		}
		for _, k := range append(ks, beside) {
			k.succeeded()
		}
		at := 0
		for _, b := range l.seen() {
			if b.job == &beside.job {
				continue
			}
			if b.job != &ks[at].job {
				t.Fatalf("call %d was overtaken", at)
			}
			at++
		}
		l.end()
	})
}

// A call of higher priority gets all workers, however little the others have had.
func TestPriorityComesBeforeFairness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		low := l.submit(100, lasting(10*time.Millisecond))
		time.Sleep(55 * time.Millisecond)
		high := l.submit(100, lasting(10*time.Millisecond), func(j *pool.Job) { j.Priority = 1 })
		high.succeeded()
		done := l.beginsOf(high)
		for _, b := range l.beginsOf(low) {
			if b.at.After(done[0].at) && b.at.Before(done[len(done)-1].at) {
				t.Error("a task of lower priority was begun meanwhile")
			}
		}
		low.succeeded()
		l.end()
	})
}

// Tasks that time out, and whose workers are killed, also count as use of the workers.
func TestTasksThatTimeOutPayForTheirTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const while = 20 * time.Second
		cfg := config(2)
		cfg.Grace = time.Millisecond
		l := newLab(t, cfg, func(l *lab) { l.quiet = true })
		hanging := l.track(1<<30, lasting(time.Hour))
		hanging.light = true
		hanging.job.Timeout, hanging.job.Func = 100*time.Millisecond, "hangs"
		if err := l.s.SubmitNow(&hanging.job); err != nil {
			t.Fatal(err)
		}
		r := &rival{demand: demand{kind: "all", takes: 5 * time.Millisecond}, l: l}
		r.begin("good")
		time.Sleep(while)
		if had := r.used(); had < while*8/10 {
			t.Errorf("beside tasks that hang, a call had %v of 2 workers in %v", had, while)
		}
		l.s.Terminate()
	})
}
