package early

import "syscall"

// eachOpen calls f for every open descriptor.
func eachOpen(f func(fd int)) {
	if !eachCounted(f) {
		eachListed(f)
	}
}

// counted asks for one number after the other until it has met as many descriptors as are open. That is
// a tenth of the price of the list, for which the kernel makes an inode for each. It gives up, and
// false is its answer, where the kernel does not tell how many there are, as before Linux 6.2, and
// where their numbers are high.
func eachCounted(f func(fd int)) bool {
	var list syscall.Stat_t
	if syscall.Stat("/proc/self/fd", &list) != nil || list.Size == 0 {
		return false
	}
	left := list.Size
	for fd := 0; fd < 1024 && left > 0; fd++ {
		if _, open := flagsOf(fd); open {
			left--
			f(fd)
		}
	}
	return left == 0
}

// listed reads the list of them.
func eachListed(f func(fd int)) {
	dir, err := syscall.Open("/proc/self/fd", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		eachNumber(1<<16, f)
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
