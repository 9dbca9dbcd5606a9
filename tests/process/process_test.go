//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestProcessLife(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "await well"}, mp.ProcessConfig{Name: "life"})
	if !p.Alive() || p.Name() != "life" || p.PID() <= 0 || p.PID() == os.Getpid() {
		t.Errorf("%v %q %d", p.Alive(), p.Name(), p.PID())
	}
	if code, exited := p.ExitCode(); exited {
		t.Errorf("exit code %d already", code)
	}
	if !slices.Contains(mp.Children(), p) {
		t.Error("not among the Children")
	}
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := p.Join(short); err != context.DeadlineExceeded {
		t.Errorf("Join of a running process: %v", err)
	}
	if err := p.Interrupt(); err != nil {
		t.Error(err)
	}
	<-p.Done()
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Error(err)
	}
	if code, exited := p.ExitCode(); code != 0 || !exited || p.Alive() {
		t.Errorf("%d %v %v", code, exited, p.Alive())
	}
	if slices.Contains(mp.Children(), p) {
		t.Error("still among the Children")
	}
}

func TestProcessAfterItsEnd(t *testing.T) {
	t.Parallel()
	for _, do := range []procDo{{What: "return"}, {What: "exit", N: 3}, {What: "kill self", N: 15}} {
		p, err := mp.Start(testkit.Ctx(t), procAct, do, mp.ProcessConfig{Stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		before, _ := p.ExitCode()
		if err := errors.Join(p.Terminate(), p.Kill(), p.Interrupt(), p.Terminate()); err != nil {
			t.Errorf("%v: %v", do, err)
		}
		if after, _ := p.ExitCode(); before != after {
			t.Errorf("%v: exit code %d became %d", do, before, after)
		}
	}
}

func TestProcessNames(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	if !regexp.MustCompile(`^Process-\d+$`).MatchString(p.Name()) {
		t.Error(p.Name())
	}
	r, err := mp.Start(testkit.Ctx(t), procRunner, &ProcRunner{})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ProcRunner-\d+$`).MatchString(r.Name()) {
		t.Error(r.Name())
	}
	if e := procJoin(t, r); e == nil || !strings.Contains(e.Error(), "ran as "+r.Name()) {
		t.Error(e)
	}
	q, err := mp.Start(testkit.Ctx(t), procValueRunner, ProcValueRunner{Say: 7})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(q.Name(), "ProcValueRunner-") {
		t.Error(q.Name())
	}
	if err := q.Join(testkit.Ctx(t)); err != nil {
		t.Error(err)
	}
}

// ProcRunner is a piece of work with a pointer receiver, ProcValueRunner one without.
type (
	ProcRunner      struct{}
	ProcValueRunner struct{ Say int }
)

func (*ProcRunner) Run(context.Context) error { return errors.New("ran as " + mp.Current().Name) }
func (r ProcValueRunner) Run(context.Context) error {
	if r.Say != 7 {
		return errors.New("not seven")
	}
	return nil
}

var (
	procRunner      = mp.RegisterRunner[*ProcRunner]("proc/runner")
	procValueRunner = mp.RegisterRunner[ProcValueRunner]("proc/valuerunner")
)

func TestProcessCurrent(t *testing.T) {
	t.Parallel()
	if i := mp.Current(); !i.Main || i.Name != "MainProcess" || i.PID != os.Getpid() || i.ParentPID != os.Getppid() {
		t.Errorf("%+v", i)
	}
	got := procCall(t, procDo{What: "info"}, mp.ProcessConfig{Name: `odd "name" \ ü`})
	pid := regexp.MustCompile(`PID:(\d+)`).FindStringSubmatch(got)[1]
	want := fmt.Sprintf(`{Name:odd "name" \ ü PID:%s ParentPID:%d Main:false Pool: Worker:0}`, pid, os.Getpid())
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestProcessInProcess(t *testing.T) {
	t.Parallel()
	if got := procCall(t, procDo{What: "child", Text: "echo"}, mp.ProcessConfig{}); got != "echo" {
		t.Error(got)
	}
}
