//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package early

import "syscall"

// A child closes descriptors that it inherited without being passed them: those that code of its
// parent, such as a C library, opened without close-on-exec. Otherwise each child would keep
// connections, files and pipes of the parent open for as long as it lives. Go opens everything
// close-on-exec, which distinguishes the two.
func init() {
	bootstrap, ok := syscall.Getenv(ChildVar)
	if !ok {
		return
	}
	files, nonce, ok := parseChildVar(bootstrap)
	if !ok || !hasGreeting(nonce) {
		return // a bootstrap for another process
	}
	eachOpen(func(fd int) {
		if fd >= FilesFD+files && !closedOnExec(fd) {
			syscall.Close(fd)
		}
	})
}

// hasGreeting reports whether the greeting waits in the socket.
func hasGreeting(nonce string) bool {
	want := Greeting(nonce)
	got := make([]byte, len(want))
	n, _, err := syscall.Recvfrom(ConnFD, got, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == nil && n == len(want) && string(got) == want
}

// closedOnExec reports whether fd is close-on-exec or not open.
func closedOnExec(fd int) bool {
	flags, open := flagsOf(fd)
	return !open || flags&syscall.FD_CLOEXEC != 0
}

func flagsOf(fd int) (flags uintptr, open bool) {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return flags, errno == 0
}

// eachNumber calls f for every possible descriptor below bound and the limit on open files.
func eachNumber(bound uint64, f func(fd int)) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil && uint64(limit.Cur) < bound {
		bound = uint64(limit.Cur)
	}
	for fd := range int(bound) {
		f(fd)
	}
}
