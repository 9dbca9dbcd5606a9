package pool

import "math"

// Capabilities describe what a worker can do. The scheduler works with every combination. What a missing
// one costs is said at its field.
type Capabilities struct {
	// Prefetch is how many tasks the worker may be sent beyond the one that it runs. The scheduler measures
	// how many are worth it, and sends no more than that. With 0 the worker waits for a round trip after each task.
	Prefetch int
	// Revocable says that Limit takes back at once what was sent and not begun, also after the worker's death.
	// A worker without it is sent one task ahead at most, whatever Prefetch is: that task may wait behind
	// one that takes long, while other workers are idle.
	Revocable bool
	// Kills says that Kill ends the running task together with the worker. Otherwise Kill gives the worker up:
	// the task gets its outcome and runs on unheard, and MaxMemory cannot be enforced while it runs.
	Kills bool
	// Sleeps says that an idle worker is a process of this machine that sleeps: waking it takes
	// longer than a short task, and all workers share the processors. Short tasks then go to
	// workers that are awake.
	Sleeps bool
}

// AnyNumber is a Prefetch without a limit but what the scheduler measures.
const AnyNumber = math.MaxInt - 1

// capacity is how many tasks a worker may have at a time.
func (c Capabilities) capacity() int {
	if !c.Revocable {
		return 1 + min(max(c.Prefetch, 0), 1)
	}
	return 1 + max(c.Prefetch, 0)
}
