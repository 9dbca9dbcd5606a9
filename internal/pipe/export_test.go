package pipe

import "os"

// Over is the end that a process was given as a descriptor.
func Over(f *os.File) (*End, error) {
	own, err := adoptSocket(f)
	if err != nil {
		return nil, err
	}
	return newEnd(own, Receives|Sends)
}

// File is the end's socket.
func (e *End) File() *os.File { return e.file }

// LookNever makes waiting go to sleep at once.
func (e *End) SpinNever() { e.rx.spin.Enabled = false }
