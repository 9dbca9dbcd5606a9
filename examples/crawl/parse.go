package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// parsed is what a page says.
type parsed struct {
	Title string
	Links []string // each once, in normal form, of other sites too
	Error string   // why it was not read to its end
}

// parsePage runs in the worker processes.
var parsePage = mp.Register("parse", func(ctx context.Context, p page) (parsed, error) { return parse(ctx, p) })

// parse is what parsePage does; the tests have pages that kill their parser.
var parse = parseHTML

// What a page can bring into the memory of the main process is bounded.
const (
	maxLinks = 10_000
	maxURL   = 4096 // bytes; servers take some 8,000
	maxTitle = 1000 // bytes
)

// errNoBase is a page of a URL that is none; it was one when it was asked for.
var errNoBase = errors.New("the page's own URL cannot be read")

// parseHTML reads title and links of a page, from its beginning to its end and without
// making a tree: it needs little more memory than the page.
func parseHTML(ctx context.Context, p page) (parsed, error) {
	base, err := url.Parse(p.URL)
	if err != nil {
		return parsed{}, mp.Permanent(errNoBase)
	}
	text, err := charset.NewReader(bytes.NewReader(p.Body), p.Type)
	if err != nil {
		text = bytes.NewReader(p.Body) // an empty page, for one
	}
	r := &reader{base: base, refs: make(map[string]bool), seen: make(map[string]bool), tokens: html.NewTokenizer(text)}
	r.tokens.SetMaxBuf(1 << 20)
	for ctx.Err() == nil {
		switch r.tokens.Next() {
		case html.ErrorToken:
			if err := r.tokens.Err(); err != io.EOF {
				r.out.Error = fmt.Sprintf("was not read to its end: %v", err)
			}
			return r.out, nil
		case html.StartTagToken, html.SelfClosingTagToken:
			r.tag()
		}
	}
	return parsed{}, ctx.Err()
}

// reader is at some place of a page.
type reader struct {
	tokens *html.Tokenizer
	base   *url.URL
	based  bool            // by a base element: the first one counts
	titled bool            // likewise
	refs   map[string]bool // as they are written
	seen   map[string]bool // as they are given out
	out    parsed
}

func (r *reader) tag() {
	name, more := r.tokens.TagName()
	tag := atom.Lookup(name)
	if tag == atom.Title && !r.titled {
		r.titled = true
		r.title()
		return
	}
	link := ""
	for more {
		var key, value []byte
		key, value, more = r.tokens.TagAttr()
		if string(key) == "href" || string(key) == "src" && (tag == atom.Frame || tag == atom.Iframe) {
			link = string(value)
		}
	}
	if link == "" {
		return
	}
	switch tag {
	case atom.Base:
		if u, err := r.base.Parse(strings.TrimSpace(link)); err == nil && !r.based && len(link) <= maxURL {
			r.base, r.based = u, true
		}
	case atom.A, atom.Area, atom.Frame, atom.Iframe:
		r.link(link)
	}
}

// title takes the text up to the end of the element, with its white space as it is shown.
func (r *reader) title() {
	if r.tokens.Next() != html.TextToken {
		return
	}
	title := strings.Join(strings.Fields(string(r.tokens.Text())), " ")
	if len(title) > maxTitle {
		title = title[:maxTitle]
	}
	r.out.Title = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) { // JSON escapes only some
			return -1
		}
		return c
	}, strings.ToValidUTF8(title, ""))
}

func (r *reader) link(ref string) {
	ref = strings.TrimSpace(ref)
	if len(r.out.Links) >= maxLinks || len(ref) > maxURL || r.refs[ref] { // menus come again and again
		return
	}
	u, err := r.base.Parse(ref)
	if err != nil || web.Check(u) != nil {
		return
	}
	link := normal(u).String()
	r.refs[ref] = true
	if len(link) > maxURL || r.seen[link] {
		return
	}
	r.seen[link] = true
	r.out.Links = append(r.out.Links, link)
}
