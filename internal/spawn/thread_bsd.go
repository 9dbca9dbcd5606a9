//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// Thread is what a child takes over of the thread that starts it: here a process's threads are alike.
type Thread struct{ nice int }

func CallingThread() *Thread { return new(Thread) }

func setNice(int)       {}
func setTitle([]string) {}
