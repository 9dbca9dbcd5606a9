package mp_test

import (
	"strings"
	"testing"
)

// says checks that an error has all of these parts in its text, and one prefix at most.
func says(t *testing.T, err error, parts ...string) {
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
