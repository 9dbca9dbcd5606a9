package mp

import (
	"context"
	"slices"
)

// Children returns the processes that Start and Call have started here and that
// live, in the order of their starts, as multiprocessing.active_children.
func Children() []*Process {
	children.mu.Lock()
	defer children.mu.Unlock()
	return slices.Clone(children.alive)
}

// JoinAll waits until all children but the daemons have ended, including children that are started meanwhile.
// Then it ends the daemons and waits for them. Python does the same at the end of the interpreter. JoinAll does
// not wait for pools, whose workers end by Pool.Close and Join, or for threads: see thread.JoinAll.
//
// The error is ctx's if ctx ends while there is something to wait for. The children go on then; if ctx had ended
// before the call, the daemons do too. JoinAll does not report how a child ended: its Join does. In the main
// process JoinAll finally calls the functions of OnExit.
func JoinAll(ctx context.Context) error {
	for {
		p := firstChild(func(p *Process) bool { return !p.daemon })
		if p == nil {
			break
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			if p.Alive() {
				return ctx.Err()
			}
		}
	}
	for {
		alive := Children()
		first := slices.IndexFunc(alive, func(p *Process) bool { return p.daemon })
		if first < 0 {
			if Current().Main {
				leaveMain(ctx)
			}
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, p := range alive[first:] {
			if p.daemon {
				p.Terminate() // an error: dead by now
			}
		}
		p := alive[first]
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func firstChild(is func(*Process) bool) *Process {
	for _, p := range Children() {
		if is(p) {
			return p
		}
	}
	return nil
}
