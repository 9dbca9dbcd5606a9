//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"bytes"
	"io"
	"os"
	"strconv"
)

// outputSink describes where a stream of output goes.
type outputSink struct {
	to     io.Writer
	dest   *destination // the destination of to
	labels bool         // prefix each line with label
	name   string       // of the child, for labels
	label  string       // for the next lines
	spec   *Spec
}

// writers holds the writers of a child's streams.
type writers struct {
	to     [2]io.Writer
	joined bool // both lead to one place, in the same way
}

// writers reads os.Stdout and os.Stderr once, because the program may assign to them.
func (spec *Spec) writers() writers {
	w := writers{to: [2]io.Writer{orDefault(spec.Stdout, &os.Stdout), orDefault(spec.Stderr, &os.Stderr)}}
	key, ok := destinationKey(w.to[0])
	other, _ := destinationKey(w.to[1])
	w.joined = ok && key == other && labelled(spec.Stdout) == labelled(spec.Stderr)
	return w
}

// orDefault returns the writer that w stands for.
func orDefault(w io.Writer, fallback **os.File) io.Writer {
	if l, ok := w.(Labelled); ok {
		w = l.W
	}
	if w == nil {
		return *fallback
	}
	return w
}

// newSink returns the sink of a stream that Spec sends to w, which stands for to.
func newSink(to, w io.Writer, spec *Spec) outputSink {
	k := outputSink{to: to, dest: destinationOf(to), labels: labelled(w), name: spec.Name, spec: spec}
	if spec.Pool != "" {
		k.name = spec.Pool + "/" + strconv.Itoa(spec.Worker)
	}
	k.label = "[" + k.name + "] "
	return k
}

// relabel sets the label for a task that begins.
func (k *outputSink) relabel(batch uint64, item int) {
	if !k.labels || k.spec.TaskLabel == nil {
		return
	}
	k.label = "[" + k.name + "] "
	if task := k.spec.TaskLabel(batch, item); task != "" {
		k.label = "[" + k.name + " " + task + "] "
	}
}

// withLabels inserts the label before each line that begins in b; first tells whether b starts a
// line.
func (k *outputSink) withLabels(b []byte, first bool) []byte {
	var out []byte
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 {
			n = len(b)
		}
		if first {
			out = append(out, k.label...)
		}
		out = append(out, b[:n]...)
		b, first = b[n:], true
	}
	return out
}
