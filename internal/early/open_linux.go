package early

import "syscall"

// eachOpen calls f for every open descriptor.
func eachOpen(f func(fd int)) {
	if !eachCounted(f) {
		eachListed(f)
	}
}

// eachCounted tries one number after the other until it has met as many descriptors as are open.
// That takes a tenth of the time of reading the list, for which the kernel makes an inode per
// entry. It returns false if the kernel does not report the count, as before Linux 6.2, or if the
// descriptors have high numbers.
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

// eachListed reads the list of open descriptors.
func eachListed(f func(fd int)) {
	dir, err := syscall.Open("/proc/self/fd", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		eachNumber(1<<16, f)
		return
	}
	defer syscall.Close(dir)
	var found []int // collected first, because closing one changes the list
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
