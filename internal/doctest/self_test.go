package doctest_test

import "testing"

// check is what the test says about a fragment that prints got.
func check(t *testing.T, fragment, got string) error {
	t.Helper()
	blocks, err := parsePage("docs/page.md", "text\n\n<!-- go: wrap=ctx -->\n"+fragment)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 1 || blocks[0].line != 5 {
		t.Fatalf("the page has the blocks %v", blocks)
	}
	s, err := completed(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	return s.keeps([]byte(got))
}

func TestPromiseBehindPrint(t *testing.T) {
	const all = "```go\nfmt.Println(1) // 1\nfmt.Printf(\"%d\\n\", 2) // 2\n```\n"
	const some = "```go\nfmt.Println(1) // 1\nfmt.Println(f())\nfmt.Println(2) // 2\n```\n"
	for _, c := range []struct {
		fragment, got string
		kept          bool
	}{
		{all, "1\n2\n", true},
		{all, "1\n3\n", false},
		{all, "1\n2\n3\n", false},
		{some, "1\nx\n2\n", true},
		{some, "2\nx\n1\n", false},
		{some, "1\n", false},
	} {
		if err := check(t, c.fragment, c.got); (err == nil) != c.kept {
			t.Errorf("of\n%swhich printed\n%sit is said: %v", c.fragment, c.got, err)
		}
	}
}

func TestPromiseBelow(t *testing.T) {
	const fragment = "```go\nfmt.Println(1)\n```\n\n<!-- output -->\n```text\n1\n```\n"
	if err := check(t, fragment, "1\n"); err != nil {
		t.Error(err)
	}
	if err := check(t, fragment, "2\n"); err == nil {
		t.Error("a program that printed something else has kept its promise")
	}
}

// A page with a mistake in it is refused, not passed over.
func TestBadPage(t *testing.T) {
	for _, page := range []string{
		"```go\nx := 1\n```\n",                                  // a fragment without a wrap
		"<!-- go: wrap=ctx -->\n```go\npackage main\n```\n",     // a file with one
		"<!-- go: wrap=ctx compiel -->\n```go\nx := 1\n```\n",   // no such word
		"<!-- output -->\n```text\n1\n```\n",                    // of what?
		"```go\npackage main\n",                                 // no end
		"<!-- something else -->\n```go\npackage main\n```\n\n", // not for the test
	} {
		if _, err := parsePage("docs/page.md", page); err == nil {
			t.Errorf("the page was taken:\n%s", page)
		}
	}
}
