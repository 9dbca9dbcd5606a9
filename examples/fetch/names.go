package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// names gives out the names of files, each once. It is asked in the order of the
// URLs, so that the names do not depend on which is done first.
type names struct {
	given map[string]bool // in lower case: to many file systems A and a are one name
	next  map[string]int  // number to try by name
}

func newNames() *names {
	return &names{given: make(map[string]bool), next: make(map[string]int)}
}

// of is the name for the body of a URL: the last part of its path, or its host where
// there is none.
func (n *names) of(u *url.URL) string {
	name, ext := fileName(u)
	key := strings.ToLower(name)
	if !n.given[key] {
		n.given[key] = true
		return name
	}
	for i := max(2, n.next[key]); ; i++ {
		numbered := strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(i) + ext
		if other := strings.ToLower(numbered); !n.given[other] {
			n.next[key] = i + 1
			n.given[other] = true
			return numbered
		}
	}
}

// devices are names that Windows gives to devices, whatever their extension.
var devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)`)

// fileName makes the name of a file of a URL, which may be anything, and says what of it
// is the extension. It is one that no system takes for more than the name of a plain
// file, and no shell for an option.
func fileName(u *url.URL) (name, ext string) {
	parts := strings.Split(strings.TrimRight(u.EscapedPath(), "/"), "/")
	name = parts[len(parts)-1] // before it is unescaped: what was %2F is no slash
	if text, err := url.PathUnescape(name); err == nil {
		name = text
	}
	if name == "" {
		return shorten(plain(u.Host)), ""
	}
	name = shorten(plain(name))
	return name, path.Ext(name)
}

// plain makes something the name of a plain file.
func plain(s string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("-._+=,@", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") { // hidden, or an option
		name = "_" + name[1:]
	}
	if strings.HasSuffix(name, ".") { // Windows drops it
		name = name[:len(name)-1] + "_"
	}
	if devices.MatchString(name) {
		name = "_" + name
	}
	return name
}

// shorten leaves room for a number where a name is about as long as a file system takes.
func shorten(name string) string {
	const most, longestExt = 200, 20
	if len(name) <= most {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > longestExt {
		ext = ""
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:most-40], "") + "-" + hex.EncodeToString(sum[:4]) + ext
}
