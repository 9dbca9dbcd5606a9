//go:build linux

package process_test

import "testing"

// Each has a shell of its own, with a terminal in which Ctrl-Z is typed: see tests/testdata/env/shell.go.

func TestCtrlZStopsAllProcesses(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell family")
}

func TestCtrlZLeavesTheStoppedAlone(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell workers")
}

func TestCtrlZWhileTasksEnd(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell quick")
}

func TestTimeoutAfterCtrlZ(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell late")
}

func TestMainIsKilledWhileStopped(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell kill")
}

func TestStopInBackgroundIsForMain(t *testing.T) {
	t.Parallel()
	environ(t, nil, "shell background")
}

func TestCtrlZOfAProgramThatHandlesIt(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"catches", "catches later", "ignores", "ignores later"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			environ(t, nil, "shell "+how)
		})
	}
}
