package child

import (
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// await is the next batch; ok is false when there will be none.
func (x *executor) await() (a *proto.Batch, ok bool) {
	if len(x.queue) == 0 && x.spin.ShouldSpin() {
		a, err := x.pollInbox()
		x.spin.Record(a != nil)
		if err != nil {
			x.server.lost(err)
		}
		if a != nil {
			return a, true
		}
	}
	a, ok = <-x.queue
	return a, ok
}

// pollInbox polls for a batch for a moment. Something in the queue ends that too.
func (x *executor) pollInbox() (*proto.Batch, error) {
	x.page.OpenInbox()
	spin.Until(proto.PollTries, (*executor).hasWork, x)
	payload := x.page.CloseInbox()
	if payload == nil {
		return nil, nil
	}
	return proto.ReadBatch(payload, nil, nil)
}

// hasWork reports whether there is a batch, in the inbox or in the queue.
func (x *executor) hasWork() bool { return x.page.Posted() || len(x.queue) > 0 }
