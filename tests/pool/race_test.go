//go:build linux && race

package pool_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/gomultiprocessing/mp"
)

// raceTask has a data race.
var raceTask = mp.Register("race/task", func(context.Context, int) (int, error) {
	x, done := 0, make(chan int)
	go func() { x++; done <- 1 }()
	x++
	<-done
	return 7, nil
})

// A data race in a worker is reported: Join and Shutdown fail, and the event has the reason.
func TestRaceInWorker(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *mp.Pool) error{
		"Shutdown":  func(p *mp.Pool) error { return p.Shutdown(poolCtx(t)) },
		"Join":      func(p *mp.Pool) error { p.Close(); return p.Join(poolCtx(t)) },
		"Terminate": func(p *mp.Pool) error { p.Terminate(); return p.Join(poolCtx(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			died := make(chan error, 10)
			p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stderr: io.Discard, Events: func(e mp.PoolEvent) {
				if e.Kind == mp.WorkerDied {
					died <- e.Err
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Terminate()
			if v, err := mp.Apply(poolCtx(t), p, raceTask, 1); v != 7 || err != nil {
				t.Error(v, err)
			}
			isRace(t, end(p))
			select {
			case err := <-died:
				isRace(t, err)
			case <-poolCtx(t).Done():
				t.Error("no event tells of the race")
			}
		})
	}
}

func isRace(t *testing.T, err error) {
	t.Helper()
	var died *mp.WorkerDiedError
	if !errors.As(err, &died) || died.Reason != "data race" {
		t.Errorf("%v", err)
	}
}

func TestRaceInProcess(t *testing.T) {
	t.Parallel()
	quiet := mp.ProcessConfig{Stderr: io.Discard}
	_, err := mp.Call(poolCtx(t), raceTask, 1, quiet)
	var exit *mp.ExitError
	if !errors.As(err, &exit) || exit.Code != 66 || exit.Reason != "data race" {
		t.Errorf("Call: %v", err)
	}
	p, err := mp.Start(poolCtx(t), raceTask, 1, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(poolCtx(t)); !errors.As(err, &exit) || exit.Code != 66 || exit.Reason != "data race" {
		t.Errorf("Start: %v", err)
	}
}
