package hosted

import (
	"context"
	"errors"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// sessionCondition is a condition as a session has it.
type sessionCondition struct {
	*inproc.Condition
	lock *sessionLock
}

func (c *sessionCondition) Mutex() carrier.Lock { return c.lock }

func (c *sessionCondition) Wait(ctx context.Context, token uint64) (carrier.Grant, error) {
	c.lock.handle.enter()
	defer c.lock.handle.leave()
	if !c.lock.take(token) {
		return carrier.Grant{}, carrier.ErrNotOwner
	}
	g, err := c.Condition.Wait(ctx, token)
	switch {
	case err == nil:
		return c.lock.keep(g)
	case errors.Is(err, carrier.ErrNotOwner):
		return g, err
	}
	return g, ctx.Err()
}

func (c *sessionCondition) Notify(token uint64, n int) error {
	if !c.lock.has(token) {
		return carrier.ErrNotOwner
	}
	return c.Condition.Notify(token, n)
}
