package spawn

import (
	"strings"

	"golang.org/x/sys/unix"
)

// setComm sets the name that top and killall show, of which the kernel keeps 15 bytes. Otherwise
// it would be "exe", after the link that was executed. Package initialisation runs on the main
// thread, whose name is that of the process; later threads inherit it.
func setComm(title string) {
	fd, err := unix.Open("/proc/self/comm", unix.O_WRONLY|unix.O_CLOEXEC, 0) // os.Open would also register it with the poller
	if err != nil {
		return
	}
	unix.Write(fd, []byte(shorten(title, maxComm)))
	unix.Close(fd)
}

const maxComm = 15 // bytes

// shorten cuts a title such as "thumbnails: images 3" to limit bytes so that it still differs
// from its neighbours': "thumbnai:imag 3".
func shorten(title string, limit int) string {
	if len(title) <= limit {
		return title
	}
	program, name, ok := strings.Cut(title, ": ")
	if !ok {
		return title[:limit]
	}
	number := ""
	if i := strings.LastIndexAny(name, " -"); i >= 0 && len(name)-i <= limit/2 {
		name, number = name[:i], name[i:]
	}
	room := limit - len(":") - len(number)
	if keep := room / 3; len(name) > keep {
		name = name[:min(len(name), max(keep, room-len(program)))]
	}
	return program[:min(len(program), room-len(name))] + ":" + name + number
}
