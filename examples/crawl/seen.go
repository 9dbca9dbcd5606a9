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
	kept  int // bytes of links in known
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

// maxKept is how many bytes of links are kept for pages that may move up; a site whose pages
// have more is out to fill the memory.
const maxKept = 64 << 20

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
	var up []*found
	reach := func(from *found, l string) {
		depth := from.depth + from.step
		switch to := s.known[l]; {
		case from.step == 0 && from.hops == maxHops || depth > s.depth:
		case to == nil && len(s.known) < s.pages:
			s.known[l] = &found{depth: depth, hops: (from.hops + 1) * (1 - from.step)}
			fresh = append(fresh, l)
		case to != nil && depth < to.depth:
			to.depth = depth
			up = append(up, to)
		}
	}
	for _, l := range links {
		if s.known[l] == nil && (len(s.known) >= s.pages || !s.readable(l)) {
			continue // it will never be read
		}
		l = strings.Clone(l) // it may share the memory of all that its process sent
		if s.depth != noLimit && s.kept < maxKept {
			f.links = append(f.links, l)
			s.kept += len(l)
		}
		reach(f, l)
	}
	for len(up) > 0 {
		from := up[len(up)-1]
		up = up[:len(up)-1]
		for _, l := range from.links {
			reach(from, l)
		}
	}
	return fresh
}
