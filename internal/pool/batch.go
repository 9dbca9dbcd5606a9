package pool

import "sync/atomic"

// Span is a run of consecutive tasks of one job, all at the same attempt.
type Span struct {
	Job     *Job
	First   int // the first task's index in its job
	N       int
	Attempt int // 1 at first
}

// Batch is what is handed to one worker at once: spans that call one function.
type Batch struct {
	Spans  []Span
	Report bool // the worker says when it begins an item
	// Moves says that the one input cannot be sent again, because it moves something out of this process.
	// So it is sent to a worker that has nothing else to do, and is not taken back while its job
	// goes on: what was moved would be lost.
	Moves bool
	// Moved is set by the transport when it sends that input: no other worker can run the task any more.
	Moved atomic.Bool
	Tag   any // the transport's own

	items    int
	limit    int  // items that may be begun, as far as the scheduler has lowered it
	done     int  // items with a result; results come in order
	started  int  // items whose begin was told as an event (Report)
	span     int  // the span of the next result
	offset   int  // and its place there
	unread   bool // its one item is blamed for the worker's death, though it was not begun
	priority int
	short    bool // it was known to be short when it was sent
	timed    bool // some item has a timeout
	estimate *estimate
	typical  int64   // nanoseconds that each usually takes
	cost     int64   // nanoseconds that each item was charged
	one      [1]Span // memory for the most frequent case
}

// NewBatch makes a batch of spans: for the tests of transports. The scheduler
// makes its own.
func NewBatch(spans ...Span) *Batch {
	b := &Batch{}
	for _, sp := range spans {
		b.add(sp)
	}
	return b
}

// Items is the number of items in the batch.
func (b *Batch) Items() int { return b.items }

// At returns the span that holds the item, and the item's place in it.
func (b *Batch) At(item int) (span *Span, offset int) {
	for i := range b.Spans {
		if item < b.Spans[i].N {
			return &b.Spans[i], item
		}
		item -= b.Spans[i].N
	}
	return nil, 0
}

// index returns the index of the item's task in its job.
func (b *Batch) index(item int) int {
	sp, at := b.At(item)
	return sp.First + at
}

// add appends a span.
func (b *Batch) add(sp Span) {
	b.Spans = append(b.Spans, sp)
	b.items += sp.N
	b.limit = b.items
	b.timed = b.timed || sp.Job.Timeout > 0
}

// advance counts n more items of the current span as done, and returns where they are.
func (b *Batch) advance(n int) (sp *Span, offset int) {
	for b.span < len(b.Spans) && b.offset >= b.Spans[b.span].N {
		b.span++
		b.offset = 0
	}
	sp, offset = &b.Spans[b.span], b.offset
	b.offset += n
	b.done += n
	return sp, offset
}

// holds reports whether the batch has items of j.
func (b *Batch) holds(j *Job) bool {
	for i := range b.Spans {
		if b.Spans[i].Job == j {
			return true
		}
	}
	return false
}

// irrevocable reports whether the batch must not be taken back.
func (b *Batch) irrevocable() bool { return b.Moves && !b.Spans[0].Job.over }

// last returns the item that the worker may be running after it was told to begin no more: the last
// one that was begun. The items before it have ended.
func (b *Batch) last() (item int, ok bool) { return b.limit - 1, b.done < b.limit }

// parts calls f for each piece of a span within the items [from, to), the last piece
// first, so that what is put back in that order ends up in the right one.
func (b *Batch) parts(from, to int, f func(sp Span)) {
	at := b.items
	for i := len(b.Spans) - 1; i >= 0; i-- {
		sp := b.Spans[i]
		at -= sp.N
		lo, hi := max(from, at), min(to, at+sp.N)
		if lo < hi {
			f(Span{Job: sp.Job, First: sp.First + lo - at, N: hi - lo, Attempt: sp.Attempt})
		}
	}
}
