//go:build linux

package spawn

import "testing"

// top must show different names for different workers.
func TestShorten(t *testing.T) {
	for title, want := range map[string]string{
		"p: q 1":                      "p: q 1",
		"thumbnails: images 3":        "thumbnai:imag 3",
		"thumbnails: images 1234":     "thumbn:ima 1234",
		"a: averylongpoolname 7":      "a:averylongpo 7",
		"averylongprogram: Process-2": "averylon:Proc-2",
		"averylongprogramnoname":      "averylongprogra",
	} {
		if got := shorten(title, maxComm); got != want || len(got) > maxComm {
			t.Errorf("shorten(%q) = %q, want %q", title, got, want)
		}
	}
}
