package web

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shown is text from outside as a person may see it. What holds more than pictures of
// letters, such as what a terminal obeys or what breaks a line, is shown in quotes, as
// Go would write it.
func Shown(s string) string {
	unseen := func(r rune) bool { return !strconv.IsGraphic(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unseen) {
		return s
	}
	return strconv.QuoteToGraphic(s)
}
