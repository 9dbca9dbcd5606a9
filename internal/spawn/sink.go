//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"bytes"
	"io"
	"os"
	"strconv"
)

// outputSink is where a stream of output leads.
type outputSink struct {
	to     io.Writer
	dest   *destination // that to leads to
	labels bool         // each line gets one
	name   string       // of the child, in labels
	label  string       // of the lines that begin now
	spec   *Spec
}

// writers are where a child's streams lead.
type writers struct {
	to     [2]io.Writer
	joined bool // both lead to one place, and in one way
}

// writers are read once: the program may be assigning to os.Stdout.
func (spec *Spec) writers() writers {
	w := writers{to: [2]io.Writer{orDefault(spec.Stdout, &os.Stdout), orDefault(spec.Stderr, &os.Stderr)}}
	key, ok := destinationKey(w.to[0])
	other, _ := destinationKey(w.to[1])
	w.joined = ok && key == other && labelled(spec.Stdout) == labelled(spec.Stderr)
	return w
}

// or is the writer that w stands for.
func orDefault(w io.Writer, fallback **os.File) io.Writer {
	if l, ok := w.(Labelled); ok {
		w = l.W
	}
	if w == nil {
		return *fallback
	}
	return w
}

// newSink is where a child's stream leads, to a writer that its Spec calls w.
func newSink(to, w io.Writer, spec *Spec) outputSink {
	k := outputSink{to: to, dest: destinationOf(to), labels: labelled(w), name: spec.Name, spec: spec}
	if spec.Pool != "" {
		k.name = spec.Pool + "/" + strconv.Itoa(spec.Worker)
	}
	k.label = "[" + k.name + "] "
	return k
}

// relabel says that another task has begun.
func (k *outputSink) relabel(batch uint64, item int) {
	if !k.labels || k.spec.TaskLabel == nil {
		return
	}
	k.label = "[" + k.name + "] "
	if task := k.spec.TaskLabel(batch, item); task != "" {
		k.label = "[" + k.name + " " + task + "] "
	}
}

// withLabels puts the label before each line that begins in b, the first if b begins a line.
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
