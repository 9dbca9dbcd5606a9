package task

import "sync"

// Place is where tasks run one after the other, as a pool's worker. What a package keeps for it
// goes when it goes.
type Place struct {
	mu   sync.Mutex
	kept Kept
	gone bool
}

// Kept is what is kept for a place.
type Kept interface{ End() }

// Keep returns what is kept for the place, which the first call makes by begin. What is made for
// a place that has gone ends at once. begin must not block.
func (p *Place) Keep(begin func() Kept) Kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = begin()
		if p.gone {
			p.kept.End()
		}
	}
	return p.kept
}

// Leave says that the place has gone.
func (p *Place) Leave() {
	p.mu.Lock()
	p.gone = true
	kept := p.kept
	p.mu.Unlock()
	if kept != nil {
		kept.End()
	}
}
