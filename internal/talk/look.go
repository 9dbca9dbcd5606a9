package talk

// relieve takes over from the reader, which sleeps and would have to be woken. look must
// follow.
func (r *reader) relieve() bool {
	r.looking.Lock()
	if r.isOver() || !r.page.ParentSleeps.CompareAndSwap(1, 0) {
		r.looking.Unlock() // the reader is awake
		return false
	}
	return true
}

// look waits for the outcome of the only item that the worker has, for a moment, in place
// of the reader. It says whether the batch came to its end.
func (r *reader) look(f *sentBatch) (ended bool) {
	defer r.looking.Unlock()
	seen := r.page.Head.Load()
	stop := false
	look(func() bool {
		tail := r.page.Tail.Load()
		if tail == seen {
			return false
		}
		seen = tail
		ended, stop = r.takeOne(f)
		return ended || stop
	})
	r.page.ParentSleeps.Store(1)
	if !stop && r.hasMore() {
		again, _ := r.takeOne(f)
		ended = ended || again
	}
	return ended
}

func (r *reader) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

func (r *reader) hasMore() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.over && r.more()
}

// takeOne takes what is in the ring. stop says that it is not for a look to go on: the
// reader has come, an outcome is on the socket, or the worker talks nonsense.
func (r *reader) takeOne(f *sentBatch) (ended, stop bool) {
	if !r.mu.TryLock() {
		return false, true
	}
	defer r.mu.Unlock()
	if r.over || r.bad != nil {
		return false, true
	}
	r.inLook = true
	err := r.drain()
	r.inLook = false
	if err != nil && err != errOnSocket {
		r.bad = err
		r.w.proc.Kill()
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.slots[f.slot] != f, err != nil
}
