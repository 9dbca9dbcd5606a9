package spawn

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// ownVars are meaningful only to the process that has them, so no child inherits them: the
// bootstrap, and the descriptors that systemd passed.
var ownVars = []string{childVar, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}

// childEnv returns the environment of a child: base, or this process's environment if base is
// nil, with the last of equal keys, and with the bootstrap m.
func childEnv(base []string, dir string, m *bootstrap) []string {
	if base == nil {
		base = os.Environ()
		if dir != "" && runtime.GOOS != "plan9" {
			if abs, err := filepath.Abs(dir); err == nil {
				base = append(base, "PWD="+abs) // like os/exec
			}
		}
	}
	last := make(map[string]int, len(base))
	for i, kv := range base {
		if key, _, ok := strings.Cut(kv, "="); ok {
			last[key] = i
		}
	}
	env := make([]string, 0, len(base)+2)
	for i, kv := range base {
		key, _, ok := strings.Cut(kv, "=")
		if slices.Contains(ownVars, key) || ok && last[key] != i {
			continue
		}
		env = append(env, kv)
	}
	if _, set := last["GORACE"]; raceBuild && !set {
		// The race detector would make every child sleep for a second when it exits.
		env = append(env, "GORACE=atexit_sleep_ms=0")
	}
	if _, set := last["GOCOVERDIR"]; !set {
		if dir := coverDir(mainArgs); dir != "" {
			env = append(env, "GOCOVERDIR="+dir)
		}
	}
	return append(env, childVar+"="+m.String())
}

// coverDir returns the directory in which "go test -cover" collects counters, if this is such a
// test binary. The test binary learns it from a flag. A child never parses flags; its runtime
// writes the counters to GOCOVERDIR.
func coverDir(args []string) string {
	if len(args) == 0 {
		return ""
	}
	for i, arg := range args[1:] {
		name, dir, inline := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if name != "-test.gocoverdir" && name != "test.gocoverdir" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if !inline && i+2 < len(args) {
			dir = args[i+2]
		}
		if abs, err := filepath.Abs(dir); err == nil && dir != "" {
			return abs
		}
	}
	return ""
}
