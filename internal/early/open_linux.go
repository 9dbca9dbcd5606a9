package early

import "syscall"

// eachOpen calls f for every open descriptor.
func eachOpen(f func(fd int)) {
	dir, err := syscall.Open("/proc/self/fd", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		each(1<<16, f)
		return
	}
	defer syscall.Close(dir)
	var found []int // first: to close is to change what is read
	buf := make([]byte, 4096)
	for {
		n, err := syscall.ReadDirent(dir, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			break
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, ok := number(name); ok && fd != dir {
				found = append(found, fd)
			}
		}
	}
	for _, fd := range found {
		f(fd)
	}
}

func number(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}
