package child

import (
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// openSingly decodes the item's input, with its descriptors.
func (x *executor) openSingly(in []byte) (Calls, error) {
	r := codec.NewReader(in)
	if t := x.span; x.offset < len(t.Files) {
		files := t.Files[x.offset]
		t.Files[x.offset] = nil
		if files != nil && x.batch.Lost != nil {
			return nil, errtext.Errorf("mp: the input of the task has lost what it holds: %w", x.batch.Lost)
		}
		r.Attached(files)
		defer r.CloseAttached()
	}
	return x.handle.Open(r, 1)
}
