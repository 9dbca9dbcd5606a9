//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import "errors"

// What follows is Linux's alone.

func setComm(string) {}

// leash: there is none. A child learns of its parent's end from the socket alone.
type leash struct{}

var noLeash leash

func newLeash() (leash, error) { return noLeash, nil }
func (leash) tie(int)          {}
func (*leash) pull() bool      { return false }
func (*leash) untie()          {}

type statm struct{}

var noStatm statm

func (statm) close() {}

// Memory is the anonymous memory of the child, which this system does not tell.
func (p *Process) Memory() (int64, error) { return 0, errors.ErrUnsupported }

type oomWatch struct{}

func watchOOM(int) oomWatch   { return oomWatch{} }
func (oomWatch) killed() bool { return false }
