//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package early

// eachOpen calls f for every descriptor that may be open: there is no list of them for certain.
func eachOpen(f func(fd int)) { eachNumber(1<<12, f) }
