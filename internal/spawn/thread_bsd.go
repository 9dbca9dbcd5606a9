//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

// Thread is what a child inherits from the thread that starts it. On this system all threads of a
// process are alike.
type Thread struct{ nice int }

func CallingThread() *Thread { return new(Thread) }

func setNice(int)       {}
func setTitle([]string) {}
