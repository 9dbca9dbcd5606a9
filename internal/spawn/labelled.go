package spawn

import (
	"errors"
	"io"
)

// Labelled is, as Spec.Stdout or Spec.Stderr, W with a label before each line: the name
// of the child, or of its pool and its number, and Spec.TaskLabel of the running task. What
// the program itself writes gets none. Without W it is what nil would be.
type Labelled struct{ W io.Writer }

// Write implements io.Writer.
func (l Labelled) Write(b []byte) (int, error) {
	if l.W == nil {
		return 0, errors.New("mp: a Prefix of nil is only for what processes print")
	}
	return l.W.Write(b)
}

// Labels says whether the child's lines get labels.
func (spec *Spec) Labels() bool { return labelled(spec.Stdout) || labelled(spec.Stderr) }

func labelled(w io.Writer) bool {
	_, ok := w.(Labelled)
	return ok
}
