package doctest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	code    = regexp.MustCompile("(?s)\n```.*?\n```|`[^`\n]*`")
	noSlug  = regexp.MustCompile("[^a-z0-9 _-]")
)

// Links to files of the repository lead there: to a file that exists, to a heading
// that the page has, and to an Example that is in the file.
func TestLinks(t *testing.T) {
	names := append(pages(t), "SECURITY.md", "CONTRIBUTING.md")
	seen := 0
	for _, page := range names {
		path := filepath.Join(root, filepath.FromSlash(page))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			label, target := m[1], m[2]
			if strings.Contains(target, "://") {
				continue
			}
			seen++
			file, anchor, _ := strings.Cut(target, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
			}
			if err := leads(to, label, anchor); err != "" {
				t.Errorf("%s: the link [%s](%s): %s", page, label, target, err)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d links found", seen)
	}
}

// leads says what is wrong with a link to a place of a file.
func leads(to, label, anchor string) string {
	info, err := os.Stat(to)
	if err != nil {
		return "there is no such file"
	}
	if info.IsDir() {
		return ""
	}
	text, err := os.ReadFile(to)
	if err != nil {
		return err.Error()
	}
	if strings.HasPrefix(label, "Example") && !strings.Contains(string(text), "func "+label+"(") {
		return "the file has no such function"
	}
	if anchor == "" {
		return ""
	}
	for _, h := range heading.FindAllStringSubmatch(string(text), -1) {
		slug := strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
		if slug == anchor {
			return ""
		}
	}
	return "the page has no such heading"
}
