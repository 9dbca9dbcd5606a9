// Package spawn starts processes from this program's own binary and supervises them. It tells a
// child that it is one, watches it, signals it, keeps the end of its output, forwards what it
// prints, and makes sure that no child outlives its parent. It knows nothing of tasks and codecs:
// it connects parent and child by a socket, and what travels on it is theirs.
//
// A parent passes a child its bootstrap in one environment variable. This package's init reads it
// before main runs; from then on Child returns it. The program decides what a child does:
//
//	func main() {
//		if self := spawn.Child(); self != nil {
//			serve(self.Conn) // and self.ExitOrphaned() at the end of file
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
// Each child leads a process group of its own. When the child ends, the rest of the group is
// killed before its id can be used again. When the parent ends, for whatever reason, three
// mechanisms end its children:
//
//   - The kill pipe (Linux): when the parent's ends close, the kernel sends SIGKILL to the
//     whole group. No code of the child runs, so this works for a child that is stopped or spins.
//   - The parent-death signal (Linux), which reaches the child alone.
//   - The end of file on Conn, upon which the child must call ExitOrphaned. Other systems
//     have only this.
//
// A process that has moved to another process group or session is not followed.
//
// # Systems
//
// Linux supports everything. The BSDs and macOS lack Memory, the detection of out-of-memory
// kills, the kill pipe and the parent-death signal. On other systems the package compiles, and
// Start returns an error that wraps errors.ErrUnsupported.
package spawn
