// Package early is what a child does before anything else in it runs. Of this module it imports
// nothing, and of the standard library only syscall, so that it is initialised before package os, and
// with it before every package that can open or start anything.
package early

// MarkVar is the environment variable that tells a process it is a child. Its value begins with the
// number of descriptors that the child was passed from FilesFD on, and with the quoted nonce.
const ChildVar = "MP_CHILD"

// Where a child finds what its parent gave it, after stdin, stdout and stderr: the socket, a stderr of its
// own, what crashes are printed to, then the files.
const (
	ConnFD   = 3
	StderrFD = 4
	CrashFD  = 5
	FilesFD  = 6
)

// Greeting is what the parent writes into the control socket before it forks: with it
// a child can tell that descriptor 3 is its socket, whoever its parent is by now.
func Greeting(nonce string) string { return "mp child " + nonce + "\n" }

// parse reads the beginning of a mark. Package strconv would be initialised later than os.
func parseChildVar(mark string) (files int, nonce string, ok bool) {
	i := 0
	for ; i < len(mark) && i < 9 && '0' <= mark[i] && mark[i] <= '9'; i++ {
		files = files*10 + int(mark[i]-'0')
	}
	rest := mark[i:]
	if i == 0 || len(rest) < 2 || rest[:2] != ` "` {
		return 0, "", false
	}
	rest = rest[2:]
	for i := range len(rest) {
		if rest[i] == '"' {
			return files, rest[:i], true
		}
	}
	return 0, "", false
}
