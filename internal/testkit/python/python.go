// Package python finds the Pythons that tests of its protocols talk with.
package python

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Interpreters are the Pythons from 3.6 on that this machine has: those of the list
// MP_PYTHONS, which may be environments with numpy, those in PATH, and pyenv's. There is
// one for each version; a version with numpy and without it counts as two.
var Interpreters = sync.OnceValue(func() []string {
	candidates := filepath.SplitList(os.Getenv("MP_PYTHONS"))
	for minor := 20; minor >= 6; minor-- {
		candidates = append(candidates, fmt.Sprintf("python3.%d", minor))
	}
	candidates = append(candidates, "python3")
	if home, err := os.UserHomeDir(); err == nil {
		installed, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/3.*/bin/python3"))
		candidates = append(candidates, installed...)
	}
	about := make([]string, len(candidates))
	var asked sync.WaitGroup
	for i, candidate := range candidates {
		asked.Go(func() {
			// It must run: pyenv has commands for versions that are not active.
			out, err := exec.Command(candidate, "-c",
				"import sys, importlib.util as u; print(sys.version_info[:3], bool(u.find_spec('numpy')))").Output()
			if err == nil {
				about[i] = string(out)
			}
		})
	}
	asked.Wait()
	var found []string
	seen := map[string]bool{"": true}
	for i, candidate := range candidates {
		if !seen[about[i]] {
			seen[about[i]] = true
			found = append(found, candidate)
		}
	}
	return found
})
