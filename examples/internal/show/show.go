// Package show is how the examples show what came from outside.
package show

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is text from outside, such as a name or an error, as a person may see it. It can hold
// what a terminal obeys, what breaks lines, or no text at all: such a one is shown in quotes,
// as Go would write it.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unseen) {
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

// List is several texts in one line.
func List(texts []string) string {
	var b strings.Builder
	for i, s := range texts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Text(s))
	}
	return b.String()
}
