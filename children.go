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

// JoinAll waits until all children that are no daemons have ended, also those that
// are started meanwhile, and then ends the daemons and waits for them: what Python
// does at the end of the interpreter. Pools are not its affair: their workers are no children of Start, and end by
// Pool.Close and Join; nor are threads, which thread.JoinAll waits for.
//
// The error is ctx's when there is still something to wait for; then the others go on, and when ctx had ended at
// entry the daemons do too. How each child ended its own Join tells.
// In the main process it calls at last what OnExit has registered.
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
