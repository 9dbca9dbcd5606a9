//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

var errUnsupported = fmt.Errorf("mp: processes are not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func adopt() *Self { return nil }

// Process is a started child. This system does not support children.
type Process struct{}

type stderrSplit struct{}

func Start(Spec) (*Process, error)                    { return nil, errUnsupported }
func (p *Process) PID() int                           { return 0 }
func (p *Process) Conn() *os.File                     { return nil }
func (p *Process) Dead() <-chan struct{}              { return nil }
func (p *Process) Done() <-chan struct{}              { return nil }
func (p *Process) Exit() Exit                         { return Exit{} }
func (p *Process) ExitSoon(time.Duration) Exit        { return Exit{} }
func (p *Process) Signal(syscall.Signal) error        { return errUnsupported }
func (p *Process) Kill() error                        { return errUnsupported }
func (p *Process) Memory() (int64, error)             { return 0, errUnsupported }
func (s *Self) BeginCapture(id uint64, max int) error { return errUnsupported }
func (s *Self) EndCapture(id uint64) error            { return errUnsupported }
func (s *Self) ExitOrphaned()                         { os.Exit(1) }
func (s *Self) BeginTask(uint64, int) error           { return errUnsupported }
func (p *Process) FlushOutput(time.Duration) bool     { return false }
func Children() int                                   { return 0 }

func (p *Process) TakeCapture(id uint64, wait time.Duration) (stdout, stderr []byte, ok bool) {
	return nil, nil, false
}

// Thread is what a child inherits from the thread that starts it.
type Thread struct{}

func CallingThread() *Thread { return nil }
func reapInherited()         {}
func OnStop(_, _ func())     {}
