//go:build !unix

package mp

// resume lets a stopped process go on. Here are none.
func (p *Process) resume() {}
