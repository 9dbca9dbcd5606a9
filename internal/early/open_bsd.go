//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package early

// eachOpen calls f for every descriptor that may be open, because these systems have no reliable
// list.
func eachOpen(f func(fd int)) { eachNumber(1<<12, f) }
