package mp_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// TestErrorsLog: what log/slog writes of each type of error has its parts.
func TestErrorsLog(t *testing.T) {
	t.Parallel()
	const stack = "goroutine 1 [running]:\npanic({0x1, 0x2})\n\t/x/panic.go:1 +0x1\nmain.crash(...)\n\t/x/main.go:17 +0x2\n"
	for _, c := range []struct {
		err  error
		want []string
	}{
		{&mp.PanicError{Value: "oh", Stack: stack}, []string{`err.msg="mp: panic: oh (main.go:17 main.crash)"`, "err.value=oh", `err.place="main.go:17 main.crash"`, "err.stack="}},
		{&mp.TimeoutError{After: time.Second}, []string{`err.msg="mp: not done after 1s"`, "err.after=1s"}},
		{&mp.TaskError{Func: "f", Index: 2, Attempts: 3, PID: 9, Err: &mp.TimeoutError{After: time.Second}},
			[]string{`err.msg="mp: task f[2], attempt 3: not done after 1s"`, "err.func=f", "err.index=2", "err.attempts=3", "err.pid=9", "err.cause.after=1s"}},
		{&mp.MapError{Total: 5, Errs: []*mp.TaskError{{Func: "f", Err: io.EOF}}}, []string{"err.failed=1", "err.total=5", "task f[0]: EOF"}},
		{&mp.WorkerDiedError{PID: 9, ExitCode: -9, Signal: syscall.SIGKILL, Reason: "why"}, []string{"err.pid=9", "err.exitCode=-9", "err.signal=killed", "err.reason=why"}},
		{&mp.ExitError{PID: 9, Code: 1, Err: &mp.PanicError{Value: "oh"}}, []string{"err.code=1", "err.pid=9", "err.cause.value=oh"}},
		{&mp.DeadlockError{Circle: []mp.DeadlockWait{{}, {}}, Err: io.EOF}, []string{"err.processes=2", "deadlock"}},
		{errwireThrough(errwireUnknown), []string{`err.msg="errwire: unknown"`, "err.type=*errors.errorString"}},
	} {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "err", c.err)
		for _, part := range c.want {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%T: %q is missing in %s", c.err, part, b.String())
			}
		}
	}
}
