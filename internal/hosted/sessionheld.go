package hosted

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// holdings is what a session holds of one object. The session's mutex guards it; abandon takes it.
type holdings interface {
	any() bool    // there is something to be released
	undone() bool // there is something to be said to be done
	abandon()     // the session has ended
}

// bind makes the carrier of an object through which the session acquires. The mutex is held.
func (s *Session) bind(h *Handle) (typed any, held holdings) {
	switch o := h.object.hosted.(type) {
	case *hostedLock:
		l := &sessionLock{hostedLock: o, tokens: newTokens(h)}
		return l, l
	case *inproc.Semaphore:
		l := &sessionSemaphore{Semaphore: o, tokens: newTokens(h)}
		return l, l
	case *inproc.Value:
		l := &sessionValue{Value: o, tokens: newTokens(h)}
		return l, l
	case *inproc.Condition:
		return &sessionCondition{Condition: o, lock: h.lock.typed.(*sessionLock)}, nil
	case *hostedQueue:
		q := &SessionQueue{hostedQueue: o, handle: h}
		return q, q
	case carrier.Object:
		return o, nil
	}
	return nil, nil
}

// tokens are the acquisitions of a session that go on.
type tokens struct {
	handle *Handle
	live   map[uint64]struct{}
}

func newTokens(h *Handle) tokens { return tokens{h, map[uint64]struct{}{}} }

func (t tokens) any() bool    { return len(t.live) > 0 }
func (t tokens) undone() bool { return false }

// keep notes an acquisition; false if the session has ended.
func (t tokens) keep(token uint64) bool {
	s := t.handle.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	t.live[token] = struct{}{}
	return true
}

// has says whether the session has that acquisition.
func (t tokens) has(token uint64) bool {
	t.handle.session.mu.Lock()
	defer t.handle.session.mu.Unlock()
	_, has := t.live[token]
	return has
}

// take ends an acquisition of the session; false if it has no such. The caller calls handle.settle.
func (t tokens) take(token uint64) bool {
	t.handle.session.mu.Lock()
	defer t.handle.session.mu.Unlock()
	_, has := t.live[token]
	delete(t.live, token)
	return has
}

func (t tokens) takeAll(release func(token uint64)) {
	t.handle.session.mu.Lock()
	var all []uint64
	for token := range t.live {
		all = append(all, token)
	}
	clear(t.live)
	t.handle.session.mu.Unlock()
	for _, token := range all {
		release(token)
	}
}

// sessionValue is a value as a session has it.
type sessionValue struct {
	*inproc.Value
	tokens
}

func (v *sessionValue) Begin(ctx context.Context) (token uint64, err error) {
	if token, err = v.Value.Begin(ctx); err != nil {
		return 0, ctx.Err()
	}
	if !v.tokens.keep(token) {
		v.Value.Cancel(token)
		return 0, errOver
	}
	return token, nil
}

func (v *sessionValue) Commit(token uint64, from []uint64) error {
	if len(from) != v.Words() || !v.take(token) {
		return carrier.ErrNotOwner
	}
	defer v.handle.settle()
	return v.Value.Commit(token, from)
}

func (v *sessionValue) Cancel(token uint64) {
	if v.take(token) {
		v.Value.Cancel(token)
		v.handle.settle()
	}
}

func (v *sessionValue) abandon() { v.takeAll(v.Value.Cancel) }
