package main

import "unicode/utf8"

// key is a rune that was typed, or one of these.
type key rune

const (
	keyNone key = -1 - iota // nothing that this program knows
	keyEnter
	keyInterrupt // Ctrl-C
	keyEnd       // Ctrl-D: the end, or as the next one
	keyDelete
	keyBackspace
	keyLeft
	keyRight
	keyHome
	keyLast // behind the last rune
	keyUp
	keyDown
	keyCutBefore
	keyCutBehind
	keyCutWord
	keyClear
)

var controls = map[byte]key{
	1: keyHome, 2: keyLeft, 3: keyInterrupt, 4: keyEnd, 5: keyLast, 6: keyRight, 8: keyBackspace, '\t': '\t', '\n': keyEnter,
	11: keyCutBehind, 12: keyClear, '\r': keyEnter, 14: keyDown, 16: keyUp, 21: keyCutBefore, 23: keyCutWord, 127: keyBackspace,
}

var sequences = map[string]key{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyHome, "F": keyLast,
	"1~": keyHome, "7~": keyHome, "4~": keyLast, "8~": keyLast, "3~": keyDelete,
}

// nextKey takes the first key from what a terminal has sent, and says how many bytes it
// is; 0 when more must come first.
func nextKey(b []byte) (key, int) {
	switch {
	case len(b) == 0:
		return keyNone, 0
	case b[0] == 0x1b:
		return nextSequence(b)
	case b[0] < ' ' || b[0] == 0x7f:
		if k, ok := controls[b[0]]; ok {
			return k, 1
		}
		return keyNone, 1
	case !utf8.FullRune(b):
		return keyNone, 0
	}
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 || r < 0xa0 && r >= 0x80 {
		return keyNone, n
	}
	return key(r), n
}

// nextSequence takes a key that begins with an escape: ESC [ 3 ~, ESC O A, or a letter
// with Alt.
func nextSequence(b []byte) (key, int) {
	const longest = 32
	if len(b) < 2 {
		return keyNone, 0
	}
	if b[1] != '[' && b[1] != 'O' {
		if b[1] < ' ' || b[1] >= utf8.RuneSelf {
			return keyNone, 1 // the escape key, and then another one
		}
		return keyNone, 2
	}
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] >= '@' && b[i] <= '~':
			if k, ok := sequences[string(b[2:i+1])]; ok {
				return k, i + 1
			}
			return keyNone, i + 1
		case b[i] < ' ' || b[i] > '~' || i == longest:
			return keyNone, i // it is none
		}
	}
	return keyNone, 0
}
