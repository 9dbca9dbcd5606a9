package pool

import "math"

// Capabilities is what the scheduler has to know of how a worker is reached. All combinations work; what is
// missing costs its users something, as the fields say.
type Capabilities struct {
	// Prefetch is how many tasks the worker may be sent beyond the one that it runs. The scheduler measures
	// how many are worth it, and sends no more than these. With 0 a worker waits for the next task after each.
	Prefetch int
	// Revocable says that Limit takes back at once what was sent and not begun, also after the worker's death.
	// What cannot be taken back is sent one ahead at most, however long Prefetch is: it may wait behind
	// a task that takes long, while other workers are idle.
	Revocable bool
	// Kills says that Kill ends the task that runs, with the worker. Otherwise the worker is given up: its task has
	// its outcome and runs on, nothing of what it does is heard of any more, and MaxMemory cannot be
	// enforced while it runs.
	Kills bool
	// Sleeps says that an idle worker is a process of this machine that sleeps: to wake it takes
	// longer than a short task, and its tasks share the processors with the other workers'. Short tasks then go to
	// workers that are awake.
	Sleeps bool
}

// AnyNumber is a Prefetch that only the scheduler's own measure limits.
const AnyNumber = math.MaxInt - 1

// capacity is how many tasks a worker may have at a time.
func (c Capabilities) capacity() int {
	if !c.Revocable {
		return 1 + min(max(c.Prefetch, 0), 1)
	}
	return 1 + max(c.Prefetch, 0)
}
