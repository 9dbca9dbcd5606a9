package pool

import "sort"

// ready lists the jobs with tasks to be sent: higher priorities first, equal
// ones first in, first out.
type ready struct {
	levels []*level // by falling priority
	items  int      // tasks in all
}

// maxLevels is how many priorities are remembered while nothing waits at them.
const maxLevels = 16

type level struct {
	priority    int
	first, last *Job
}

// top is the job whose tasks are next, nil when there is none.
func (r *ready) top() *Job {
	for _, l := range r.levels {
		if l.first != nil {
			return l.first
		}
	}
	return nil
}

// push lists a job, at the end of its level or, when its tasks had been sent
// before, in front.
func (r *ready) push(j *Job, front bool) {
	if j.listed {
		return
	}
	l := r.level(j.Priority)
	j.listed = true
	switch {
	case l.first == nil:
		l.first, l.last = j, j
	case front:
		j.follow, l.first.prev = l.first, j
		l.first = j
	default:
		j.prev, l.last.follow = l.last, j
		l.last = j
	}
}

// remove takes a job off the list.
func (r *ready) remove(j *Job) {
	if !j.listed {
		return
	}
	l := r.level(j.Priority)
	if j.prev != nil {
		j.prev.follow = j.follow
	} else {
		l.first = j.follow
	}
	if j.follow != nil {
		j.follow.prev = j.prev
	} else {
		l.last = j.prev
	}
	j.prev, j.follow, j.listed = nil, nil, false
	if l.first == nil && len(r.levels) > maxLevels { // priorities may be as many as tasks
		i := r.find(j.Priority)
		r.levels = append(r.levels[:i], r.levels[i+1:]...)
	}
}

func (r *ready) find(priority int) int {
	if len(r.levels) > 0 && r.levels[0].priority <= priority {
		return 0
	}
	return sort.Search(len(r.levels), func(i int) bool { return r.levels[i].priority <= priority })
}

func (r *ready) level(priority int) *level {
	i := r.find(priority)
	if i < len(r.levels) && r.levels[i].priority == priority {
		return r.levels[i]
	}
	r.levels = append(r.levels, nil)
	copy(r.levels[i+1:], r.levels[i:])
	r.levels[i] = &level{priority: priority}
	return r.levels[i]
}
