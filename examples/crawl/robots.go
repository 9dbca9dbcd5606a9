package main

import (
	"bufio"
	"bytes"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// robots is what a site's robots.txt says to this program, as RFC 9309 has it. Libraries
// for it exist, but the one that has a name was last released in 2021, before the RFC.
type robots struct {
	rules []rule
	delay time.Duration // 0: it does not say
}

// rule is a line that allows or disallows paths. A * in its pattern is any text, and a $
// at its end the end of the path.
type rule struct {
	pattern string
	allow   bool
}

// product is the name by which robots.txt may speak to this program.
const product = "mp-crawl"

// maxRobots is how many bytes of robots.txt are read, which the RFC allows to be the limit.
const maxRobots = 500 << 10

// readRobots reads a robots.txt. What it does not understand it skips, as it should.
func readRobots(text []byte) *robots {
	if len(text) >= maxRobots { // half a line would close more than the whole
		text = text[:1+bytes.LastIndexAny(text, "\r\n")]
	}
	var own, all robots
	named := false               // some group is ours
	var mine, everyones, in bool // the group at hand is for us, for all; its rules have begun
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	lines.Buffer(nil, maxRobots+1)
	lines.Split(splitLines)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if key == "user-agent" {
			if in {
				mine, everyones, in = false, false, false
			}
			mine = mine || isProduct(value)
			everyones = everyones || value == "*"
			named = named || mine
			continue
		}
		known := false
		if mine {
			known = own.take(key, value)
		}
		if everyones {
			known = all.take(key, value) || known
		}
		in = in || known || key == "allow" || key == "disallow" || key == "crawl-delay"
	}
	if named {
		return &own
	}
	return &all
}

// splitLines is a bufio.SplitFunc: a line may end by a return, a line feed or both.
func splitLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// isProduct says whether a User-agent line is about this program: what follows its name,
// such as a version, does not count.
func isProduct(value string) bool {
	end := strings.IndexFunc(value, func(r rune) bool {
		return r != '-' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end >= 0 {
		value = value[:end]
	}
	return strings.EqualFold(value, product)
}

// take takes a line of a group.
func (r *robots) take(key, value string) bool {
	switch key {
	case "allow", "disallow":
		if value != "" { // "Disallow:" disallows nothing
			r.rules = append(r.rules, rule{normalEscapes(value), key == "allow"})
		}
	case "crawl-delay":
		s, err := strconv.ParseFloat(value, 64)
		const most = 24 * time.Hour
		if err == nil && s > 0 && !math.IsInf(s, 0) {
			r.delay = time.Duration(min(s, most.Seconds()) * float64(time.Second))
		}
	default:
		return false
	}
	return true
}

// allow says whether a page may be asked for: what the longest rule that fits says, and of
// equally long ones the one that allows.
func (r *robots) allow(u *url.URL) bool {
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if path == "/robots.txt" {
		return true
	}
	longest, allow := -1, true
	for _, rule := range r.rules {
		n := len(rule.pattern)
		if n < longest || n == longest && (allow || !rule.allow) {
			continue
		}
		if rule.fits(path) {
			longest, allow = n, rule.allow
		}
	}
	return allow
}

// fits says whether a path begins as the pattern says. It takes the first place for each
// piece between two stars, so it takes no longer than the two are long, multiplied.
func (r rule) fits(path string) bool {
	pattern, toEnd := strings.CutSuffix(r.pattern, "$")
	pieces := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(path, pieces[0])
	if !ok {
		return false
	}
	if len(pieces) == 1 {
		return !toEnd || rest == ""
	}
	last := len(pieces) - 1
	for _, piece := range pieces[1:last] {
		i := strings.Index(rest, piece)
		if i < 0 {
			return false
		}
		rest = rest[i+len(piece):]
	}
	if toEnd {
		return strings.HasSuffix(rest, pieces[last])
	}
	return strings.Contains(rest, pieces[last])
}
