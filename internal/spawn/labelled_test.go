//go:build linux

package spawn_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["tasks"] = func(s *spawn.Self) {
		fmt.Println("at first")
		for i := range 3 {
			check(s.BeginTask(7, i))
			fmt.Print("one\ntwo\n")
			fmt.Fprintln(os.Stderr, "three")
			if i == 1 {
				fmt.Print("begun here, ")
			}
			if i == 2 {
				fmt.Println("ended there")
			}
		}
	}
}

func TestLabels(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{
		Name: "tasks", Pool: "pool", Worker: 3, Stdout: spawn.Labelled{W: &out}, Stderr: spawn.Labelled{W: &out},
		TaskLabel: func(batch uint64, item int) string { return fmt.Sprintf("f#%d", int(batch)*10+item) },
	})
	k.wait()
	want := "[pool/3] at first\n" +
		"[pool/3 f#70] one\n[pool/3 f#70] two\n[pool/3 f#70] three\n" +
		"[pool/3 f#71] one\n[pool/3 f#71] two\n[pool/3 f#71] three\n" +
		"[pool/3 f#71] begun here, one\n[pool/3 f#72] two\n[pool/3 f#72] three\n[pool/3 f#72] ended there\n"
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

// One stream has labels and the other has none, and both lead to one place.
func TestLabelsOfOneStream(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "both", Stdout: spawn.Labelled{W: &out}, Stderr: &out})
	k.wait()
	if s := out.String(); s != "[both] to stdout\nto stderr\n" && s != "to stderr\n[both] to stdout\n" {
		t.Errorf("%q", s)
	}
}
