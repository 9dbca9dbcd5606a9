//go:build unix

package main

import (
	"log/slog"

	"golang.org/x/sys/unix"
)

// reserve is how many descriptors a process needs beside those of its connections.
const reserve = 50

// warnOfLimit says that there cannot be as many connections as -max allows.
func warnOfLimit(o *options, log *slog.Logger) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if room := uint64(limit.Cur); room < uint64(o.max+reserve) {
		log.Warn("a process may have fewer open files than -max connections need (ulimit -n)", "limit", room, "max", o.max)
	}
}
