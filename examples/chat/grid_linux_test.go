package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// grid is what a terminal shows: rows of cells, of which a wide character takes two. It
// knows the little that the program uses and fails on the rest.
type grid struct {
	columns  int
	rows     [][]rune
	row, col int
	rest     []byte // of a sequence that is not whole
	strange  string
}

func (g *grid) write(b []byte) {
	b = append(g.rest, b...)
	for len(b) > 0 {
		n := g.one(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	g.rest = append([]byte(nil), b...)
}

func (g *grid) one(b []byte) int {
	for g.row >= len(g.rows) {
		g.rows = append(g.rows, make([]rune, g.columns))
	}
	switch {
	case b[0] == '\r':
		g.col = 0
	case b[0] == '\n':
		g.row++
	case b[0] == 0x1b:
		return g.sequence(b)
	case !utf8.FullRune(b):
		return 0
	default:
		r, n := utf8.DecodeRune(b)
		if !unicode.IsPrint(r) {
			g.strange += fmt.Sprintf("%q ", r)
		}
		g.put(r)
		return n
	}
	return 1
}

func (g *grid) put(r rune) {
	if unicode.Is(unicode.Mn, r) {
		return // it is put onto the one before
	}
	width := 1
	if unicode.Is(unicode.Han, r) || r >= 0x3000 && r < 0x3040 || r >= 0xff00 && r < 0xff60 {
		width = 2
	}
	if g.col+width > g.columns { // a terminal goes on in the next row
		g.row, g.col = g.row+1, 0
		for g.row >= len(g.rows) {
			g.rows = append(g.rows, make([]rune, g.columns))
		}
	}
	g.rows[g.row][g.col] = r
	if width == 2 {
		g.rows[g.row][g.col+1] = -1
	}
	g.col += width
}

func (g *grid) sequence(b []byte) int {
	end := strings.IndexFunc(string(b), unicode.IsLetter)
	if end < 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(b[2:end]))
	switch b[end] {
	case 'K':
		clear(g.rows[g.row][min(g.col, g.columns):])
	case 'D':
		g.col = max(0, g.col-n)
	default:
		g.strange += fmt.Sprintf("%q ", b[:end+1])
	}
	return end + 1
}

// text is the rows as they are seen.
func (g *grid) text() []string {
	var rows []string
	for _, cells := range g.rows {
		var b strings.Builder
		for _, r := range cells {
			switch r {
			case 0:
				b.WriteByte(' ')
			case -1:
			default:
				b.WriteRune(r)
			}
		}
		rows = append(rows, strings.TrimRight(b.String(), " "))
	}
	return rows
}
