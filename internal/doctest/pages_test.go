package doctest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block is a fenced Go block of a page.
type block struct {
	page    string // from the root, with slashes
	line    int    // of its first line, from 1
	text    string
	wrap    string // "": the block is a whole file
	pkg     string // "": a package of its own
	compile bool   // and not run
	alone   bool   // in a program of its own
	want    string // what it prints, when prints is true
	prints  bool
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages are the files with blocks, from the root.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"README.md"}
	for _, path := range docs {
		names = append(names, "docs/"+filepath.Base(path))
	}
	if len(names) < 3 {
		t.Fatalf("only %d pages found under %s", len(names), root)
	}
	return names
}

func readBlocks(t *testing.T, page string) []*block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := parsePage(page, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// parsePage finds the Go blocks of a page, and what their comments say of them.
func parsePage(page, text string) ([]*block, error) {
	var blocks []*block
	comment := "" // directly above
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "<!--") {
			comment = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(line, "<!--"), "-->"))
			continue
		}
		if !strings.HasPrefix(line, "```") {
			if strings.TrimSpace(line) != "" {
				comment = ""
			}
			continue
		}
		first := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		if i == len(lines) {
			return nil, fmt.Errorf("%s:%d: the block has no end", page, first)
		}
		body := strings.Join(lines[first:i], "\n") + "\n"
		switch {
		case line == "```go":
			b := &block{page: page, line: first + 1, text: body}
			if err := b.mark(comment); err != nil {
				return nil, err
			}
			blocks = append(blocks, b)
		case comment == "output":
			if len(blocks) == 0 {
				return nil, fmt.Errorf("%s:%d: there is no block that could have this output", page, first)
			}
			last := blocks[len(blocks)-1]
			last.want, last.prints = body, true
		}
		comment = ""
	}
	return blocks, nil
}

// mark takes over what the comment above a block says.
func (b *block) mark(comment string) error {
	words, ok := strings.CutPrefix(comment, "go:")
	if !ok && comment != "" {
		return fmt.Errorf("%v: the comment above it is %q", b, comment)
	}
	for _, word := range strings.Fields(words) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "wrap":
			b.wrap = value
		case "package":
			b.pkg = value
		case "compile":
			b.compile = true
		case "alone":
			b.alone = true
		default:
			return fmt.Errorf("%v: the comment above it has the word %q", b, word)
		}
	}
	whole := strings.HasPrefix(b.text, "package ") || strings.Contains(b.text, "\npackage ")
	if whole == (b.wrap != "") {
		return fmt.Errorf("%v: a whole file has no wrap, and a fragment has one", b)
	}
	return nil
}
