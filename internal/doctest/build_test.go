package doctest_test

import (
	"encoding/json"
	"fmt"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder as seen from this package's.
const root = "../.."

// top is that folder's path.
func top() string {
	path, err := filepath.Abs(root)
	if err != nil {
		panic(err)
	}
	return path
}

// blocks is the folder that the compiler sees the blocks in. There is no such folder:
// go build is told by its overlay where the files are.
const blocks = "internal/doctest/blocks"

// pagePath is the import path of the folder with a page's blocks.
func pagePath(page string) string {
	name := strings.TrimSuffix(filepath.Base(filepath.FromSlash(page)), ".md")
	return module + "/" + blocks + "/" + strings.ToLower(strings.ReplaceAll(name, "-", "_"))
}

// unit is a package made of blocks.
type unit struct {
	path    string // of its import
	sources []*source
}

func (u *unit) test() bool {
	return slices.ContainsFunc(u.sources, func(s *source) bool { return slices.Contains(s.imports, "testing") })
}
func (u *unit) main() bool { return u.sources[0].pkg == "main" }

// joins says whether it can be in one program with others.
func (u *unit) joins() bool {
	s := u.sources[0]
	return len(u.sources) == 1 && u.main() && !u.test() && !s.alone && s.mainFunc() != nil
}
func (u *unit) compile() bool {
	return slices.ContainsFunc(u.sources, func(s *source) bool { return s.compile })
}
func (u *unit) names() (names []string) {
	for _, s := range u.sources {
		names = append(names, s.names...)
	}
	return names
}

// id names a unit's program.
func (u *unit) id() string {
	return strings.ReplaceAll(strings.TrimPrefix(u.path, module+"/"+blocks+"/"), "/", "_")
}

// units gathers sources into packages, in the order of the pages.
func units(sources []*source) (all []*unit) {
	for _, s := range sources {
		name := s.block.pkg
		if name == "" {
			name = fmt.Sprintf("%s%d", path.Base(pagePath(s.page)), s.line) // no other program has this name
		}
		dir := pagePath(s.page) + "/" + name
		i := slices.IndexFunc(all, func(u *unit) bool { return u.path == dir })
		if i < 0 {
			all = append(all, &unit{path: dir})
			i = len(all) - 1
		}
		all[i].sources = append(all[i].sources, s)
	}
	return all
}

// overlay is what go is told about files that do not exist.
type overlay struct {
	dir     string // where they really are
	Replace map[string]string
}

func (o *overlay) add(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(o.dir, fmt.Sprintf("%d.go", len(o.Replace)))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Replace[filepath.Join(top(), filepath.FromSlash(strings.TrimPrefix(name, module+"/")))] = file
}

// run runs the go command with the overlay.
func (o *overlay) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{args[0], "-overlay", file}, args[1:]...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// add writes a unit's files. In a shared program its main function is another
// package's Main.
func (u *unit) add(t *testing.T, o *overlay) {
	t.Helper()
	for i, s := range u.sources {
		name := fmt.Sprintf("%s/file%d.go", u.path, i)
		if slices.Contains(s.imports, "testing") {
			name = fmt.Sprintf("%s/file%d_test.go", u.path, i)
		}
		text := s.text
		if u.joins() {
			text = s.renamed()
		}
		o.add(t, name, text)
	}
}

// renamed is the text with another package name, and Main in the place of main.
func (s *source) renamed() string {
	text := s.text
	replace := func(at token.Pos, old, with string) {
		i := offset(s.file, at)
		text = text[:i] + with + text[i+len(old):]
	}
	if obj := s.mainFunc(); obj != nil { // it is behind the package clause, whose place does not move by this
		replace(obj.Name.Pos(), "main", "Main")
	}
	replace(s.file.Name.Pos(), "main", "page")
	return text
}

// program is a program of one unit, or of several, which is linked once.
type program struct {
	path  string // of its import
	units []*unit
}

// group joins units to programs: what one registers, no other of the same program
// does.
func group(all []*unit) (programs []*program) {
	var taken []map[string]bool // by the programs
	for _, u := range all {
		i := slices.IndexFunc(taken, func(names map[string]bool) bool {
			return !slices.ContainsFunc(u.names(), func(n string) bool { return names[n] })
		})
		if i < 0 {
			i = len(programs)
			programs = append(programs, &program{path: fmt.Sprintf("%s/%s/program%d", module, blocks, i)})
			taken = append(taken, map[string]bool{})
		}
		programs[i].units = append(programs[i].units, u)
		for _, n := range u.names() {
			taken[i][n] = true
		}
	}
	return programs
}

// text is the main package of a program of several units: the name that it is run
// by says which.
func (p *program) text() string {
	var imports, cases strings.Builder
	for _, u := range p.units {
		fmt.Fprintf(&imports, "import %s %q\n", u.id(), u.path)
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s.Main()\n", u.id(), u.id())
	}
	return "package main\n\nimport \"os\"\n" + imports.String() +
		"\nfunc main() {\n\tswitch os.Args[0] {\n" + cases.String() + "\tdefault:\n\t\tpanic(os.Args[0])\n\t}\n}\n"
}
