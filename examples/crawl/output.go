package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// record is the line of a page.
type record struct {
	URL    string   `json:"url"`
	Status int      `json:"status"` // 0: there was no answer
	Title  string   `json:"title"`
	Links  []string `json:"links"`
	Time   float64  `json:"time"` // in seconds
	Error  string   `json:"error,omitempty"`
}

// output writes lines, each in one piece.
type output struct {
	w io.Writer

	mu    sync.Mutex
	count int
	first *page // as it was told; the first page is the first line
}

// line writes the line of a page.
func (o *output) line(p *page, is parsed) error {
	r := record{URL: p.URL, Status: p.Status, Title: is.Title, Links: is.Links, Time: float64(p.Took.Microseconds()) / 1e6, Error: p.Error}
	if r.Links == nil {
		r.Links = []string{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == nil {
		o.first = &page{URL: p.URL, Status: p.Status, Location: p.Location, Error: p.Error}
	}
	o.count++
	if _, err := o.w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("cannot write the lines: %w", err)
	}
	return nil
}

// first says what is wrong with the first page, without which there are no others.
func (c *crawl) first(stderr io.Writer) error {
	p := c.out.first
	switch {
	case p.Status == 0:
		return fmt.Errorf("the first page cannot be read: %s", p.Error)
	case p.Status >= 400:
		return fmt.Errorf("the first page cannot be read: status %d", p.Status)
	case p.Location != "" && !c.site.has(p.Location):
		return fmt.Errorf("the first page leads to %s, which is another site: begin there", show.Text(p.Location))
	case p.Error != "":
		fmt.Fprintf(stderr, "the first page: %s\n", p.Error)
	}
	return nil
}
