//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import "errors"

// What follows is Linux's alone.

func setComm(string) {}

// leash: there is none. A child learns of its parent's end from the socket alone.
type killPipe struct{}

var noKillPipe killPipe

func newKillPipe() (killPipe, error) { return noKillPipe, nil }
func (killPipe) arm(int)             {}
func (*killPipe) fire() bool         { return false }
func (*killPipe) close()             {}

type statm struct{}

var noStatm statm

func (statm) close() {}

// Memory is the anonymous memory of the child, which this system does not tell.
func (p *Process) Memory() (int64, error) { return 0, errors.ErrUnsupported }

type oomWatch struct{}

func watchOOM(int) oomWatch        { return oomWatch{} }
func (oomWatch) killedChild() bool { return false }
