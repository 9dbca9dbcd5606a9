package spawn

import (
	"errors"
	"io"
)

// Labelled is for Spec.Stdout and Spec.Stderr. It puts a label before each line written to W: the name
// of the child, or its pool and number, and Spec.TaskLabel of the running task. What the program
// itself writes gets no label. A nil W means what a nil Spec.Stdout or Spec.Stderr means.
type Labelled struct{ W io.Writer }

// Write implements io.Writer.
func (l Labelled) Write(b []byte) (int, error) {
	if l.W == nil {
		return 0, errors.New("mp: Prefix has no writer: without one it serves only as Stdout or Stderr of a process")
	}
	return l.W.Write(b)
}

// Labels reports whether the child's lines get labels.
func (spec *Spec) Labels() bool { return labelled(spec.Stdout) || labelled(spec.Stderr) }

func labelled(w io.Writer) bool {
	_, ok := w.(Labelled)
	return ok
}
