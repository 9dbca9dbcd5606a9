// Package spawn starts processes from this program's own binary and looks after
// them: it tells a child that it is one, watches it, signals it, keeps its last
// words, forwards what it prints, and makes sure that nothing outlives its parent.
// It knows no tasks and no codecs: parent and child are given a socket, and what
// travels on it is theirs.
//
// A child is told what it is by one environment variable, the mark, which this
// package's init takes over before main runs; Child answers it from then on. The
// program decides what a child does:
//
//	func main() {
//		if self := spawn.Child(); self != nil {
//			serve(self.Conn) // and self.Lost() when it ends
//			return
//		}
//		p, err := spawn.Start(spawn.Spec{Name: "one", Title: "demo: one"})
//		...
//		<-p.Done()
//		fmt.Println(p.Exit().Reason)
//	}
//
// # What ends a child
//
// Each child leads a process group of its own, and what is left of that group is
// killed when the child ends, before its id can be used again. When the parent ends,
// in whatever way, three things end its children:
//
//   - the leash (Linux): a pipe of the parent's whose closing makes the kernel send
//     SIGKILL to the whole group, running no code of the child, so that one which is
//     stopped or spins ends too;
//   - the parent-death signal (Linux), which reaches the child alone;
//   - the end of file on Conn, upon which the child is to call Lost: all there is on
//     the other systems.
//
// A process that moved itself to another process group or session is not followed.
//
// # Systems
//
// Linux has everything. The BSDs and macOS lack Memory, the account of the kernel's
// memory killer, the leash and the parent-death signal. On all others the package
// compiles, and Start answers an error that is errors.ErrUnsupported.
package spawn
