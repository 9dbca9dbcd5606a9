package pool

import "sync/atomic"

// lastID is the last task id that was given out in this process.
var lastID atomic.Uint64

// lazyBlock is how many task ids a lazy job takes at a time: the number of its tasks is
// not known.
const lazyBlock = 1 << 24

// assignIDs gives a new job the ids of its tasks.
func (j *Job) assignIDs() {
	n := uint64(j.Items)
	if j.Lazy {
		n = lazyBlock
	}
	j.id = lastID.Add(n) - n + 1
	if j.Lazy {
		j.extendIDs()
	}
}

// extendIDs takes ids for all tasks of a lazy job.
func (j *Job) extendIDs() {
	for block := 1; block <= (j.Items-1)/lazyBlock; block++ {
		if j.extra == nil || len(j.blocks) < block {
			j.needExtra().blocks = append(j.blocks, lastID.Add(lazyBlock)-lazyBlock+1)
		}
	}
}

// TaskID returns the id of a task of a submitted job; 0: the job did not take the task.
func (s *Scheduler) TaskID(j *Job, index int) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index >= j.Items {
		return 0
	}
	return j.taskID(index)
}

// taskID returns the id of the job's task with an index. No other task of this process has it.
func (j *Job) taskID(index int) uint64 {
	if block := index / lazyBlock; j.Lazy && block > 0 {
		return j.blocks[block-1] + uint64(index%lazyBlock)
	}
	return j.id + uint64(index)
}
