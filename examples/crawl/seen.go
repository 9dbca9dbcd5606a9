package main

import (
	"math"
	"strings"
	"sync"
)

// seen is the set of pages that were found. Goroutines that finish pages share it.
type seen struct {
	pages, depth int // limits
	readable     func(url string) bool

	mu    sync.Mutex
	known map[string]*found
}

// found is how a page was found.
type found struct {
	depth int      // links from the first page to it, on the shortest way that is known
	hops  int      // redirects in a row by which it was found
	step  int      // how much deeper its links are
	links []string // with a limit of depth
}

// noLimit is the depth of a crawl that has none.
const noLimit = math.MaxInt32

// maxHops is how many redirects in a row are followed. They do not count as links.
const maxHops = 10

func newSeen(opts *options, readable func(url string) bool) *seen {
	return &seen{pages: opts.pages, depth: opts.depth, readable: readable, known: make(map[string]*found)}
}

// begin is add for the first page.
func (s *seen) begin(url string) { s.known[url] = &found{} }

// add notes where a page that is known leads, and returns the pages to get that are new.
//
// A page may be found on a long way first, and on a short one when its links were followed
// already, or not, for being too deep. Then they move up with it: which pages are read
// with a limit of depth does not depend on which come first.
func (s *seen) add(url string, links []string, redirect bool) (fresh []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.known[url]
	f.step = 1
	if redirect {
		f.step = 0
	}
	for _, l := range links {
		if s.readable(l) {
			f.links = append(f.links, strings.Clone(l)) // l may share the memory of all that its process sent
		}
	}
	for up := []*found{f}; len(up) > 0; {
		f, up = up[len(up)-1], up[:len(up)-1]
		if f.step == 0 && f.hops == maxHops || f.depth+f.step > s.depth {
			continue
		}
		for _, l := range f.links {
			to := s.known[l]
			switch {
			case to == nil && len(s.known) < s.pages:
				s.known[l] = &found{depth: f.depth + f.step, hops: (f.hops + 1) * (1 - f.step)}
				fresh = append(fresh, l)
			case to != nil && f.depth+f.step < to.depth:
				to.depth = f.depth + f.step
				up = append(up, to)
			}
		}
	}
	if s.depth == noLimit {
		f.links = nil // nothing moves up
	}
	return fresh
}
