package hosted

import (
	"context"
	"encoding/binary"
	"math"
	"sync"
)

// Value is a hosted value. It implements carrier.Value. Its words are those of the machine that wrote them: machines
// of another byte order read another value.
type Value struct {
	*remote
	mu     sync.Mutex
	token  uint64 // of a change that is being made here; 0: none
	within []uint64
}

// NewValue makes a value in the server.
func (c *Client) NewValue(ctx context.Context, words []uint64) (*Value, error) {
	return typedAs[*Value](c.create(ctx, Spec{Kind: KindValue, Words: words}, 0))
}

// Words implements carrier.Value.
func (v *Value) Words() int { return int(min(v.number, math.MaxInt32)) }

// Load implements carrier.Value. While a change is being made here nobody else can change the value, so that it
// is known.
func (v *Value) Load(to []uint64) {
	v.mu.Lock()
	if v.token != 0 {
		copy(to, v.within)
		v.mu.Unlock()
		return
	}
	v.mu.Unlock()
	r, err := v.ask(frame{op: opLoad})
	v.note(err)
	for i := range to {
		if to[i] = 0; len(r.data) >= 8*(i+1) {
			to[i] = binary.LittleEndian.Uint64(r.data[8*i:])
		}
	}
}

// Begin implements carrier.Value.
func (v *Value) Begin(ctx context.Context) (token uint64, err error) {
	r, err := v.wait(ctx, frame{op: opBegin})
	if err != nil {
		return 0, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token, v.within = r.n, wordsOf(r.data)
	return r.n, nil
}

// Commit implements carrier.Value.
func (v *Value) Commit(token uint64, from []uint64) error {
	v.end(token)
	return v.tell(frame{op: opCommit, n: token, data: appendWords(make([]byte, 0, 8*len(from)), from)})
}

// Cancel implements carrier.Value.
func (v *Value) Cancel(token uint64) {
	v.end(token)
	v.note(v.tell(frame{op: opRevert, n: token}))
}

// end says that a change is no longer being made here. Another one may have begun.
func (v *Value) end(token uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.token == token {
		v.token, v.within = 0, nil
	}
}
