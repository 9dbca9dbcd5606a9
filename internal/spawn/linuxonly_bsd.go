//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import "errors"

// The following exist only on Linux.

func setComm(string) {}

// killPipe does nothing here. A child learns of its parent's end from the socket alone.
type killPipe struct{}

var noKillPipe killPipe

func newKillPipe() (killPipe, error) { return noKillPipe, nil }
func (killPipe) arm(int)             {}
func (*killPipe) fire() bool         { return false }
func (*killPipe) close()             {}

type statm struct{}

var noStatm statm

func (statm) close() {}

// Memory fails: this system does not report the anonymous memory of a child.
func (p *Process) Memory() (int64, error) { return 0, errors.ErrUnsupported }

type oomWatch struct{}

func watchOOM(int) oomWatch        { return oomWatch{} }
func (oomWatch) killedChild() bool { return false }
