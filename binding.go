package mp

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/proc/host"
)

// Binding is a call that is ready to be made: a Func and its input. The zero Binding calls nothing.
type Binding struct {
	name   string
	known  error // why no other process can make the call
	encode func() (*codec.Buffer, error)
	call   func(ctx context.Context) error // makes it here
}

// Bind makes a Binding. The input is encoded when the Binding is used.
func Bind[In, Out any](f *Func[In, Out], in In) Binding {
	if f == nil || f.fn == nil {
		return Binding{name: "nil", encode: func() (*codec.Buffer, error) { return nil, errNilFunc }}
	}
	return Binding{
		name: f.name, known: f.known(),
		encode: func() (*codec.Buffer, error) { return f.encode(in) },
		call: func(ctx context.Context) error {
			_, err := f.fn(ctx, in)
			return err
		},
	}
}

// forWorkers is a Binding that is called in each worker of a pool; what names it.
func (b Binding) forWorkers(what string) (host.Call, error) {
	if b.encode == nil {
		return host.Call{}, nil
	}
	if err := b.known; err != nil {
		return host.Call{}, errtext.Errorf("mp: NewPool: %s: %w", what, err)
	}
	input, err := b.encode()
	if err != nil {
		return host.Call{}, errtext.Errorf("mp: NewPool: the input of %s: %w", what, err)
	}
	if input.Moves() {
		input.Settle(false)
		return host.Call{}, errors.New("mp: NewPool: the input of " + what + " holds something that belongs to one process, such as a pipe's end, and would go to every worker")
	}
	if err := input.DuplicateFiles(); err != nil { // workers are started as long as the pool lives
		input.Settle(false)
		return host.Call{}, errtext.Errorf("mp: NewPool: the input of %s: %w", what, err)
	}
	return host.Call{Func: b.name, Input: input}, nil
}

// grace is how long the scheduler waits for an Exit; 0 without an Exit.
func (b Binding) grace(d time.Duration) time.Duration {
	if b.encode == nil {
		return 0
	}
	return d
}

func init() {
	codec.Refuse(reflect.TypeFor[Binding](), "a Binding holds a function of its process: send the input, and bind it in the other process")
}
