package main

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// normal is the form of a URL in which two that name one page are the same text: scheme
// and host in small letters, no port where it is the scheme's own, no dots in the path, only
// such escapes as are needed, and neither a fragment nor a user.
func normal(u *url.URL) *url.URL {
	escaped := normalEscapes(u.EscapedPath())
	path, err := url.PathUnescape(escaped)
	if err != nil { // it cannot be: u has been parsed
		path, escaped = u.Path, ""
	}
	n := u.ResolveReference(&url.URL{Path: "/" + strings.TrimPrefix(path, "/"), RawPath: "/" + strings.TrimPrefix(escaped, "/"), RawQuery: u.RawQuery})
	n.Scheme = strings.ToLower(n.Scheme)
	n.User, n.Fragment, n.RawFragment, n.ForceQuery = nil, "", "", false
	n.Host = normalHost(n.Scheme, n.Hostname(), n.Port())
	n.RawQuery = normalEscapes(n.RawQuery)
	return n
}

func normalHost(scheme, host, port string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	host = strings.ToLower(host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return host
	}
	return host + ":" + port
}

// normalEscapes takes back escapes of what needs none, writes the others in large letters,
// and escapes what is no ASCII, as RFC 3986 has it.
func normalEscapes(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		escaped := c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0
		if escaped {
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		}
		if escaped && !unreserved(c) || c >= 0x80 || c <= ' ' {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			c = hex[c&15]
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unhex(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }

func unreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
