//go:build linux

package spawn_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Lines that only a child runs count in the coverage of a test that starts it.
func TestCoverageOfChildren(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range coveredModule(root, string(mod), string(sum)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	test := exec.Command("go", "test", "-count=1", "-coverprofile=cover.out", ".")
	test.Dir = dir
	out, err := test.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "coverage: 66.7% of statements") || strings.Contains(string(out), "warning") {
		t.Errorf("%v\n%s", err, out)
	}
	profile, err := os.ReadFile(filepath.Join(dir, "cover.out"))
	if err != nil || !strings.Contains(string(profile), "covered.go:7.20,9.2 1 1") {
		t.Errorf("%v\n%s", err, profile)
	}
}

func coveredModule(root, mod, sum string) map[string]string {
	sys := regexp.MustCompile(`(?m)^\s+golang\.org/x/sys v\S+`).FindString(mod)
	version := regexp.MustCompile(`(?m)^go \S+`).FindString(mod)
	return map[string]string{
		"go.sum": sum,
		// The module's name is inside this one, so that it can import the package.
		"go.mod": `module github.com/gomultiprocessing/mp/covered

` + version + `

require github.com/gomultiprocessing/mp v0.0.0

require ` + sys + ` // indirect

replace github.com/gomultiprocessing/mp => ` + root + "\n",
		"covered.go": `package covered

func InParent() int {
	return 1
}

func InChild() int {
	return 2
}

func Nowhere() int {
	return 3
}
`,
		"covered_test.go": `package covered

import (
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func TestMain(m *testing.M) {
	if spawn.Child() != nil {
		os.Exit(InChild())
	}
	os.Exit(m.Run())
}

func TestBoth(t *testing.T) {
	InParent()
	p, err := spawn.Start(spawn.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if e := p.Exit(); e.Code != 2 || e.Stderr != "" {
		t.Errorf("%+v", e)
	}
}
`,
	}
}
