package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// shown is a name, or what a decoder says, as a person may see it. A name can hold
// what a terminal obeys, what breaks the lines of a table, or no text at all: such
// a one is shown in quotes, as Go would write it.
func shown(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, unseen) < 0 {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

// unseen says whether a rune is more than its picture. The two joiners change only
// their neighbours' shape; names in Persian and Hindi are full of them.
func unseen(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return !strconv.IsGraphic(r) && r != nonJoiner && r != joiner
}

// shownList is several names in one line.
func shownList(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shown(n))
	}
	return b.String()
}
