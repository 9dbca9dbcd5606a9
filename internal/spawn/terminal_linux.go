package spawn

import (
	"errors"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaveTerminal leaves the controlling terminal, if there is one. A process outside of the terminal's
// group that reads it, or changes its settings, is stopped, and so is its group, for ever; without one, to
// open the terminal is an error, here and in the commands that tasks run.
func leaveTerminal() {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENXIO) {
		return // there is none
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TIOCNOTTY, 0)
		unix.Close(fd)
	}
	if err != nil {
		signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) // a read is an error then
	}
}
