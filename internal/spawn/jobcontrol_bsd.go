//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// OnStop: only on Linux Ctrl-Z stops children.
func OnStop(began, ended func()) {}

func handleJobStops() {}
