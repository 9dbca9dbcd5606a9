package show_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

func TestText(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"http://x/ä":         "http://x/ä",
		"a b.png":            "a b.png",
		"ä中　文.png":           "ä中　文.png", // with a space of full width
		"می\u200cخواهم.png":  "می\u200cخواهم.png",
		"\x1b[31mred.png":    `"\x1b[31mred.png"`,
		"new\nline\ttab.png": `"new\nline\ttab.png"`,
		"\xff\xfe.png":       `"\xff\xfe.png"`,
		"\u202egnp.exe":      `"\u202egnp.exe"`, // written from right to left: exe.png
		"\u009b31m.png":      `"\u009b31m.png"`, // what some terminals obey too
	} {
		if got := show.Text(s); got != want {
			t.Errorf("%q is shown as %s, want %s", s, got, want)
		}
	}
	if got := show.List([]string{"a", "\n", "b c"}); got != `a, "\n", b c` {
		t.Errorf("a list is shown as %s", got)
	}
}
