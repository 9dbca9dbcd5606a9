package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape makes one line of plain text of whatever came. A message may hold line breaks,
// which would forge lines of the history, what a terminal obeys, what turns the reading
// order around, or no text at all. Such runes become \n, \r, \t, \x1b, \u202e or
// \U000e0001, and bytes that are no UTF-8 become \xff, as in Go; a C1 rune is \u009b, so
// that it is not taken for a byte. A backslash is doubled, else a message that says \n
// would look like one that has a line break. Everything else stays as it is.
func escape(s string) string {
	if strings.IndexByte(s, '\\') < 0 && plain(s) {
		return s
	}
	return rewrite(s, `\\`)
}

// visible is for lines of the history file, which were escaped when they were written:
// it leaves backslashes alone, and escapes what someone else may have put there.
func visible(s string) string {
	if plain(s) {
		return s
	}
	return rewrite(s, `\`)
}

func plain(s string) bool { return utf8.ValidString(s) && strings.IndexFunc(s, unseen) < 0 }

// unseen says whether a rune is more than its picture. The two joiners change only their
// neighbours' shape; Persian, Hindi and pictures of families are full of them. Emoji and
// Chinese characters that are newer than this program come where Unicode has room for them.
func unseen(r rune) bool {
	if ' ' <= r && r <= '~' {
		return false // most are, and what follows is slow
	}
	const nonJoiner, joiner = '\u200c', '\u200d'
	emoji := 0x1f000 <= r && r <= 0x1faff
	chinese := 0x20000 <= r && r <= 0x3ffff && r&0xffff < 0xfffe // these two are no characters
	return !strconv.IsGraphic(r) && r != nonJoiner && r != joiner && !emoji && !chinese
}

func rewrite(s, backslash string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\\':
			b.WriteString(backslash)
		case !unseen(r):
			b.WriteString(s[:n])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[n:]
	}
	return b.String()
}
