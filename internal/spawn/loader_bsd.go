//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// loader: the path of the executable is the program's here.
func loader() ([]string, error) { return nil, nil }

var inheritedLoader []string
