package early

import (
	"go/build"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bootstrap string
		files     int
		nonce     string
		ok        bool
	}{
		{`0 "abc" 12 `, 0, "abc", true},
		{`12 "" "x" `, 12, "", true},
		{"", 0, "", false},
		{`"abc" 1`, 0, "", false},
		{`1`, 0, "", false},
		{`1 `, 0, "", false},
		{`1 "abc`, 0, "", false},
		{`1234567890 "abc" `, 0, "", false},
	} {
		if files, nonce, ok := parseChildVar(c.bootstrap); files != c.files || nonce != c.nonce || ok != c.ok {
			t.Errorf("%q: %d %q %t", c.bootstrap, files, nonce, ok)
		}
	}
}

// With any other import this package would be initialised later.
func TestImports(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		if path != "syscall" {
			t.Errorf("it imports %s", path)
		}
	}
}
