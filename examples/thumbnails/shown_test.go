package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Names that are no plain text come out as plain text, everywhere: in the lines
// while the work goes on, in the table, on the contact sheet.
func TestNamesAreShownSafely(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not every system takes such names")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	good, err := makeImage(".png", 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	bad := "\x1b[31m\xff<script>\n\t"
	for name, data := range map[string][]byte{bad + "/good.png": good, bad + "bad.png": nil, bad + "good\u202e.png": good} {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	empty := filepath.Join(dir, bad)
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := program([]string{"-out", out, in, empty, filepath.Join(dir, bad, bad)}, &stdout, &stderr)
	if code != exitDone {
		t.Errorf("exit code %d:\n%s%s", code, &stdout, &stderr)
	}
	sheet, err := os.ReadFile(filepath.Join(out, sheetName))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String(), "the sheet": string(sheet)} {
		if !utf8.ValidString(text) {
			t.Errorf("%s is not UTF-8: %q", what, text)
		}
		for line := range strings.Lines(text) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %q", what, line)
			}
		}
		if what == "the sheet" && strings.Contains(text, "<script>") {
			t.Errorf("%s is not escaped", what)
		}
	}
	const tells = `\x1b[31m\xff<script>\n\t`
	for what, text := range map[string]string{
		"the table": stdout.String(), "a failure": stderr.String(), "the sheet": strings.ReplaceAll(string(sheet), "&lt;", "<"),
	} {
		if !strings.Contains(strings.ReplaceAll(text, "&gt;", ">"), tells+"bad.png") {
			t.Errorf("%s does not tell the name: %s", what, text)
		}
	}
}
