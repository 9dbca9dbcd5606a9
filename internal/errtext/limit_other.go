//go:build !unix

package errtext

import "syscall"

func limitOf(syscall.Errno) string { return "" }
