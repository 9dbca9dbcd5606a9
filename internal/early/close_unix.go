//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package early

import "syscall"

// A child closes what it has inherited without having been passed it: what some code of its
// parent opened without close-on-exec, as C libraries do. Else each child would keep
// connections, files and pipes of the parent open for as long as it lives. All that Go opens itself is
// closed on exec, so that is how the two are told apart.
func init() {
	mark, ok := syscall.Getenv(ChildVar)
	if !ok {
		return
	}
	files, nonce, ok := parseChildVar(mark)
	if !ok || !hasGreeting(nonce) {
		return // the mark of somebody else
	}
	eachOpen(func(fd int) {
		if fd >= FilesFD+files && !closedOnExec(fd) {
			syscall.Close(fd)
		}
	})
}

// greeted says whether the socket has the greeting.
func hasGreeting(nonce string) bool {
	want := Greeting(nonce)
	got := make([]byte, len(want))
	n, _, err := syscall.Recvfrom(ConnFD, got, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == nil && n == len(want) && string(got) == want
}

// closedOnExec says so also of what is not open.
func closedOnExec(fd int) bool {
	flags, open := flagsOf(fd)
	return !open || flags&syscall.FD_CLOEXEC != 0
}

func flagsOf(fd int) (flags uintptr, open bool) {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return flags, errno == 0
}

// each calls f for every number that a descriptor may have, up to a bound.
func eachNumber(bound uint64, f func(fd int)) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil && uint64(limit.Cur) < bound {
		bound = uint64(limit.Cur)
	}
	for fd := range int(bound) {
		f(fd)
	}
}
