//go:build linux

package pool_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestOutputPrefix(t *testing.T) {
	t.Parallel()
	var out outputText
	p := testkit.NewPool(t, mp.PoolConfig{Name: "numbers", Workers: 1, Stdout: mp.Prefix(&out), Stderr: mp.Prefix(&out)})
	want := ""
	for range 2 {
		if _, err := mp.Map(poolCtx(t), p, outputSay, []string{"a\n", "", "b\nc", "\n"}); err != nil {
			t.Fatal(err)
		}
		want += "[numbers/1 output/say#0] a\n[numbers/1 output/say#2] b\n[numbers/1 output/say#2] c\n"
	}
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	var own outputText
	w := mp.Prefix(mp.Prefix(&own))
	if _, err := mp.Call(poolCtx(t), outputSay, "line\n", mp.ProcessConfig{Name: "one", Stdout: w}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(w, "main's own")
	if own.String() != "[one] line\nmain's own\n" {
		t.Errorf("%q", own.String())
	}
	if _, err := mp.Prefix(nil).Write([]byte("x")); err == nil {
		t.Error("written to nothing")
	}
}

func TestOutputQuietCrash(t *testing.T) {
	t.Parallel()
	var out outputText
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: &out, Stderr: &out, QuietCrash: true})
	_, err := mp.Apply(poolCtx(t), p, outputDies, "panic")
	var died *mp.WorkerDiedError
	if !errors.As(err, &died) || died.Reason != "panic: on a goroutine of its own" || !strings.Contains(died.Stderr, "goroutine ") {
		t.Errorf("%v", err)
	}
	if out.String() != "half a line" {
		t.Errorf("%q", out.String())
	}
}

// The panic of a Func in a process of its own is told as a crash is.
func TestOutputQuietCrashOfAProcess(t *testing.T) {
	t.Parallel()
	var out outputText
	for _, quiet := range []bool{true, false} {
		proc, err := mp.Start(poolCtx(t), outputPanics, "line\n", mp.ProcessConfig{Stdout: &out, Stderr: &out, QuietCrash: quiet})
		if err != nil {
			t.Fatal(err)
		}
		err = proc.Join(poolCtx(t))
		var exit *mp.ExitError
		if !errors.As(err, &exit) || exit.Reason != "panic: of a Func" || !strings.Contains(exit.Stderr, "goroutine ") {
			t.Errorf("%+v", err)
		}
		if quiet && out.String() != "line\n" || !quiet && !strings.Contains(out.String(), "panic: of a Func\n") {
			t.Errorf("quiet %v: %q", quiet, out.String())
		}
	}
}
