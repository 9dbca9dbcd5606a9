package mp

import (
	"os"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// encode is one input in the form that handler.Open reads. The caller settles it.
func (f *Func[In, Out]) encode(in In) (*codec.Buffer, error) {
	b := &codec.Buffer{Copy: true}
	if err := f.encodeInputs(b, []In{in}); err != nil {
		return nil, err
	}
	return b, nil
}

// ownInput is encode for a process that is started: Start returns before the input is sent, so it keeps
// descriptors of its own, which its caller may close. wanted says that the output is to come back.
func (f *Func[In, Out]) ownInput(in In, wanted bool) (*codec.Buffer, error) {
	body, err := f.encode(in)
	if err != nil {
		return nil, errtext.Errorf("mp: the input of %s cannot be sent: %w", f.name, err)
	}
	if wanted {
		if err := f.hopeless(); err != nil {
			body.Settle(false)
			return nil, err
		}
	}
	if err := body.DuplicateFiles(); err != nil {
		body.Settle(false)
		return nil, errtext.Errorf("mp: the input of %s cannot be sent: %w", f.name, err)
	}
	return body, nil
}

// decode reads one output, which may share the memory of body from then on, and
// takes the descriptors that came with it.
func (f *Func[In, Out]) decode(body []byte, files []*os.File, out *Out) error {
	r := codec.NewReader(body)
	r.Alias = true
	r.Attached(files)
	defer r.CloseAttached()
	if err := f.out.Decode(r, out); err != nil {
		return err
	}
	return r.Done()
}

// pathless turns in[0].X into in.X: there is one input, not a list.
func (f *Func[In, Out]) pathless(in In, err error) error {
	var b codec.Buffer
	defer b.Settle(false)
	if one := f.in.Encode(&b, "in", &in); one != nil {
		return one
	}
	return err
}

// encodeInputs appends inputs in the form that handler.Open reads, or nothing.
func (f *Func[In, Out]) encodeInputs(b *codec.Buffer, vs []In) error {
	before, returned := b.Mark(), false
	defer func() {
		if !returned { // a method of a value has ended the goroutine
			b.Rewind(before)
		}
	}()
	err := f.in.EncodeSlice(b, "in", vs)
	if returned = true; err != nil {
		b.Rewind(before)
	}
	if err != nil && len(vs) == 1 {
		err = f.pathless(vs[0], err)
	}
	return err
}

// hopeless says that the input or output can never travel, whatever its value.
func (f *Func[In, Out]) hopeless() error {
	f.checked.Do(func() {
		if f.checkErr = codec.Check(reflect.TypeFor[In](), "in"); f.checkErr == nil {
			f.checkErr = codec.Check(reflect.TypeFor[Out](), "out")
		}
		if f.checkErr != nil {
			f.checkErr = errtext.Errorf("mp: %s: %w", f.name, f.checkErr)
		}
	})
	return f.checkErr
}
