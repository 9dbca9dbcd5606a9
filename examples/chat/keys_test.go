package main

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// typeAll does what keys say, and gives the text with a bar where the cursor is.
func typeAll(t *typing, b string) string {
	for len(b) > 0 {
		k, n := nextKey([]byte(b))
		if n == 0 {
			break
		}
		t.press(k)
		b = b[n:]
	}
	return t.before + "|" + t.behind
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"abc":                            "abc|",
		"你好":                             "你好|",
		"abc\x7f\b":                      "a|",
		"ab\x1b[Dc":                      "ac|b",
		"ab\x02c\x06d":                   "acbd|",
		"abc\x01d\x05e":                  "dabce|",
		"abc\x1b[Hd\x1b[Fe":              "dabce|",
		"abc\x1bOHd\x1b[4~e\x1b[1~f":     "f|dabce",
		"abc\x01\x1b[3~\x04":             "|c",
		"abc def\x17":                    "abc |",
		"abc def  \x17":                  "abc |",
		"abc\x02\x0b":                    "ab|",
		"abc\x02\x15":                    "|c",
		"e\u0301\x7f":                    "|",
		"a👨\u200d👩\u200d👧\x7f":           "a|",
		"a👨\u200d👩\u200d👧\x1b[Db":        "ab|👨\u200d👩\u200d👧",
		"\x1b[15~\x1b[1;5C\x1ba\x00\x7f": "|",
		"\x1b\x1b[Da":                    "a|",
		"a\tb":                           "a\tb|",
		"\xffa\xc3(":                     "a(|",
		"\u009b31ma":                     "31ma|",
	} {
		if got := typeAll(&typing{}, keys); got != want {
			t.Errorf("%q makes %q, want %q", keys, got, want)
		}
	}
}

func TestEarlierLines(t *testing.T) {
	t.Parallel()
	var l typing
	for _, text := range []string{"one", "two", "two", ""} {
		typeAll(&l, text)
		l.take()
	}
	const up, down = "\x1b[A", "\x1b[B"
	for _, step := range []struct{ keys, want string }{
		{"draft", "draft|"}, {up, "two|"}, {up, "one|"}, {up, "one|"}, {down, "two|"}, {down, "draft|"}, {down, "draft|"},
	} {
		if got := typeAll(&l, step.keys); got != step.want {
			t.Errorf("after %q there is %q, want %q", step.keys, got, step.want)
		}
	}
	for range 2 * mostEarlier {
		typeAll(&l, "x")
		l.take()
		typeAll(&l, "y")
		l.take()
	}
	if len(l.earlier) != mostEarlier {
		t.Errorf("%d lines are kept", len(l.earlier))
	}
}

// Whatever is typed, the row is plain text that fits, and the program goes on.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{"abc", "\x1b[D\x1b[3~", "你好\x7f", "e\u0301\x02", "\x1b[", "\x1b\x1b", "\xff", "\u202ea", "\t\t", strings.Repeat("长", 100) + "\x01\x06"} {
		f.Add([]byte(s), uint8(40))
	}
	f.Fuzz(func(t *testing.T, b []byte, columns uint8) {
		if len(b) > 1000 {
			return // each key costs as much as the line is long
		}
		var l typing
		for len(b) > 0 {
			k, n := nextKey(b)
			if n == 0 {
				if len(b) > 40 {
					t.Fatalf("%q is no key, however much comes", b)
				}
				break
			}
			l.press(k)
			b = b[n:]
		}
		if !utf8.ValidString(l.before) || !utf8.ValidString(l.behind) {
			t.Errorf("the line is %q|%q", l.before, l.behind)
		}
		width := max(int(columns), 4)
		row := l.row("to: ", width)
		text, back, moved := strings.Cut(row, "\x1b[")
		if !plain(text) || moved && (len(back) > 4 || back[len(back)-1] != 'D') {
			t.Errorf("the row is %q", row)
		}
		if n := total(cells(text)); n >= width {
			t.Errorf("the row %q has %d columns of %d", row, n, width)
		}
	})
}

// A line that is longer than any message takes no more memory than one.
func TestReadLine(t *testing.T) {
	t.Parallel()
	const room = 100
	long := strings.Repeat("x", 1000)
	in := bufio.NewReaderSize(strings.NewReader("a\nb\r\n\n"+long+"\n"+long[:room-1]+"\nlast"), room)
	var got []line
	for {
		l, err := readLine(in)
		if l.bytes > 0 || err == nil {
			got = append(got, l)
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	want := []line{{"a", 1}, {"b", 1}, {"", 0}, {long[:64], 1000}, {long[:room-1], room - 1}, {"last", 4}}
	if !slices.Equal(got, want) {
		t.Errorf("the lines are %v, want %v", got, want)
	}
}
