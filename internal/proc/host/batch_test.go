package host

import (
	"errors"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// text is a job's inputs; the one that is "bad" cannot be encoded.
type text struct {
	pool.Tasks // nil: for the methods that are not called
	in         []string
	own        bool // encoded beforehand
}

func (c text) Deliver(*pool.Outcome) {}
func (c text) Finished(error)        {}
func (c text) OutputSize() int       { return 0 }

func (c text) Encode(b *codec.Buffer, first, n int) (*codec.Buffer, error) {
	if c.own {
		b = new(codec.Buffer)
	}
	for _, s := range c.in[first : first+n] {
		if s == "bad" {
			return nil, errors.New("bad")
		}
		b.String(s)
	}
	return b, nil
}

func job(own bool, in ...string) *pool.Job {
	return &pool.Job{Func: "f", Items: len(in), Client: text{in: in, own: own}, Options: pool.NoOptions()}
}

// sent is a batch as the worker has it, an input a line.
func sent(t *testing.T, spans ...pool.Span) (groups []string, voids map[int]error) {
	t.Helper()
	var b, scratch codec.Buffer
	voids, _ = encodeBatch(&b, &scratch, &sentBatch{slot: 3, id: 9}, &pool.Batch{Spans: spans})
	a, err := proto.ReadBatch(append([]byte(nil), b.Bytes()...), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Slot != 3 || a.ID != 9 || a.Func != "f" {
		t.Errorf("the batch arrived as %+v", a)
	}
	for _, task := range a.Spans {
		var in []string
		if task.Inputs != nil {
			for _, p := range task.Inputs {
				if p == nil {
					in = append(in, "void")
				} else {
					in = append(in, codec.NewReader(p).String())
				}
			}
		} else {
			r := codec.NewReader(task.Body)
			for range task.N {
				in = append(in, r.String())
			}
			if err := r.Done(); err != nil {
				t.Error(err)
			}
		}
		group := strings.Join(in, " ")
		if len(group) > 20 {
			group = "large"
		}
		if task.Singles {
			group = "singles " + group
		}
		groups = append(groups, group)
	}
	return groups, voids
}

func TestBatchArrivesAsItWasSent(t *testing.T) {
	large := strings.Repeat("x", 2*smallSingle)
	one := func(j *pool.Job) pool.Span { return pool.Span{Job: j, N: 1, Attempt: 1} }
	for name, c := range map[string]struct {
		spans []pool.Span
		want  string
		voids int
	}{
		"a part of a map":    {[]pool.Span{{Job: job(false, "a", "b", "c", "d"), First: 1, N: 2, Attempt: 1}}, "b c", 0},
		"one":                {[]pool.Span{one(job(true, "a"))}, "a", 0},
		"singles":            {[]pool.Span{one(job(true, "a")), one(job(false, "b")), one(job(true, "c"))}, "singles a b c", 0},
		"a large one":        {[]pool.Span{one(job(true, "a")), one(job(true, "b")), one(job(false, large)), one(job(true, "c"))}, "singles a b|large|c", 0},
		"a large one, owned": {[]pool.Span{one(job(true, "a")), one(job(true, "b")), one(job(true, large)), one(job(true, "c")), one(job(true, "d"))}, "singles a b|large|singles c d", 0},
		"a bad single":       {[]pool.Span{one(job(true, "a")), one(job(true, "b")), one(job(true, "bad")), one(job(true, "c"))}, "singles a b|void|c", 1},
		"a bad one in a map": {[]pool.Span{{Job: job(false, "a", "bad", "c"), N: 3, Attempt: 1}}, "a void c", 1},
		"a retry is no single": {[]pool.Span{one(job(true, "a")), {Job: job(true, "b"), N: 1, Attempt: 2}, one(job(true, "c"))},
			"a|b|c", 0},
	} {
		t.Run(name, func(t *testing.T) {
			groups, voids := sent(t, c.spans...)
			if got := strings.Join(groups, "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(voids) != c.voids {
				t.Errorf("voids are %v, want %d", voids, c.voids)
			}
		})
	}
}
