package testkit

import (
	"strings"
	"testing"
)

// Says checks that an error has all of these parts in its text, and the prefix mp: once at most.
func Says(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Count(err.Error(), "mp: ") > 1 {
		t.Errorf("%q has more than one prefix", err)
	}
}
