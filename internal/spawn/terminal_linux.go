package spawn

import (
	"errors"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaveTerminal gives up the controlling terminal, if there is one. A process outside the
// terminal's foreground group that reads it or changes its settings is stopped together with its
// group, and nothing continues it. Without a controlling terminal, opening it fails, here and in
// commands that tasks run.
func leaveTerminal() {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENXIO) {
		return // there is no terminal
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TIOCNOTTY, 0)
		unix.Close(fd)
	}
	if err != nil {
		signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) // a read fails then
	}
}
