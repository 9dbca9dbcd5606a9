//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// OnStop does nothing here: only on Linux does Ctrl-Z stop children.
func OnStop(began, ended func()) {}

func handleJobStops() {}
