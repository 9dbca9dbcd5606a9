package main

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":             "",
		"hello, world": "hello, world",
		"你好，小明　👨\u200d👩\u200d👧 naïve می\u200cخواهم": "你好，小明　👨\u200d👩\u200d👧 naïve می\u200cخواهم",
		`"quoted" 'single'`:         `"quoted" 'single'`,
		"a\nb\r\nc\td":              `a\nb\r\nc\td`,
		`a\nb`:                      `a\\nb`,
		"\x1b[2J\x1b]0;title\a":     `\x1b[2J\x1b]0;title\x07`,
		"\u009b31m":                 `\u009b31m`,
		"\x9b31m":                   `\x9b31m`,
		"\x00\x7f":                  `\x00\x7f`,
		"a\u2028b\u2029c\u0085d":    `a\u2028b\u2029c\u0085d`,
		"\u202egnp.exe\u2066\u200e": `\u202egnp.exe\u2066\u200e`,
		"\u200b\ufeff\u00ad":        `\u200b\ufeff\u00ad`,
		"\U000e0041":                `\U000e0041`,
		"\xff\xfe\xc3(":             `\xff\xfe\xc3(`,
		"\xed\xa0\x80":              `\xed\xa0\x80`,
		"real \ufffd":               "real \ufffd",
		"\U0001fae9 \U0002ee00":     "\U0001fae9 \U0002ee00", // an emoji and an ideograph of 2024 and 2023
		"\U0001faff \U000323b0":     "\U0001faff \U000323b0", // the next ones
		"\U0002ffff \ue000":         `\U0002ffff \ue000`,
	} {
		if got := escape(text); got != want {
			t.Errorf("%q is escaped as %s, want %s", text, got, want)
		}
		if got := visible(escape(text)); got != want {
			t.Errorf("%q is shown from the history as %s, want %s", text, got, want)
		}
	}
	if got := visible("\x1b[2J\\n\\\\\u202e"); got != `\x1b[2J\n\\\u202e` {
		t.Errorf("a line that someone else put into the file is shown as %s", got)
	}
}

// Whatever came is one line of plain text, from which it can be had again.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{
		"hello", "a\nb", `a\nb`, "\\\n", `\`, "\x1b]52;c;aGk=\a", "\u009b0c", "\x9b0c", "\xff\xfe", "你好\u2028", "\u202e\u2066",
		"hi\n>>>('10.0.0.1', 7890):forged", "\U0001f468\u200d\U0001f469", "\ufffd", "\U000e0041",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := escape(s)
		if !utf8.ValidString(e) || strings.ContainsFunc(e, unseen) {
			t.Errorf("%q became %q", s, e)
		}
		if back := unescape(t, e); back != s {
			t.Errorf("%q became %s, and that %q", s, e, back)
		}
		if plain(s) && !strings.Contains(s, `\`) && e != s {
			t.Errorf("%q has nothing special and became %s", s, e)
		}
		if v := visible(e); v != e {
			t.Errorf("%s is shown from the history as %s", e, v)
		}
		if v := visible(s); !plain(v) {
			t.Errorf("%q is shown from the history as %q", s, v)
		}
	})
}

// unescape is the other direction, as a reader of the history would do it.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for s != "" {
		if strings.HasPrefix(s, `\x`) { // as a byte, if it is one
			n, err := strconv.ParseUint(s[2:4], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteByte(byte(n))
			s = s[4:]
			continue
		}
		r, _, rest, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		b.WriteRune(r)
		s = rest
	}
	return b.String()
}
