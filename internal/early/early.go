// Package early runs before anything else in a child. It imports only syscall, so it is
// initialised before package os, and with it before every package that can open or start
// anything.
package early

// ChildVar is the environment variable that tells a process it is a child. Its value, the
// bootstrap, begins with the number of descriptors passed from FilesFD on and the quoted nonce.
const ChildVar = "MP_CHILD"

// The descriptors after stdin, stdout and stderr at which a child finds what its parent gave it:
// the control socket, a pipe for stderr alone, the crash pipe, then the files.
const (
	ConnFD   = 3
	StderrFD = 4
	CrashFD  = 5
	FilesFD  = 6
)

// Greeting is what the parent writes into the control socket before it forks. A child finds it in
// descriptor 3 and knows that this is its socket, even if its parent has ended.
func Greeting(nonce string) string { return "mp child " + nonce + "\n" }

// parseChildVar parses the beginning of a bootstrap. Package strconv would be initialised after
// os.
func parseChildVar(bootstrap string) (files int, nonce string, ok bool) {
	i := 0
	for ; i < len(bootstrap) && i < 9 && '0' <= bootstrap[i] && bootstrap[i] <= '9'; i++ {
		files = files*10 + int(bootstrap[i]-'0')
	}
	rest := bootstrap[i:]
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
