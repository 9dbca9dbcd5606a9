//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// loader returns nothing: here the path of the executable is that of the program.
func loader() ([]string, error) { return nil, nil }

var inheritedLoader []string
