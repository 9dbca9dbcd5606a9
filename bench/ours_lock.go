package main

import (
	"context"
	"errors"
	"time"

	"github.com/gomultiprocessing/mp"
)

// measureLock is a lock that nobody else wants.
func measureLock(ctx context.Context, n int) (figures, error) {
	lock, err := mp.NewLock()
	if err != nil {
		return nil, err
	}
	return perOp(n, func(n int) error {
		for range n {
			hold, err := lock.Acquire(ctx)
			if err != nil {
				return err
			}
			if err := hold.Release(); err != nil {
				return err
			}
		}
		return nil
	})
}

// measureValue is a shared integer incremented under its lock.
func measureValue(ctx context.Context, n int) (figures, error) {
	value, err := mp.NewValue[int64](0)
	if err != nil {
		return nil, err
	}
	done := 0
	f, err := perOp(n, func(n int) error {
		done += n
		for range n {
			if err := value.Update(ctx, func(v *int64) { *v++ }); err != nil {
				return err
			}
		}
		return nil
	})
	return f, check(int(value.Load()), done, err)
}

// measureCounter is a shared counter that nobody else adds to.
func measureCounter(_ context.Context, n int) (figures, error) {
	counter, err := mp.NewCounter(0)
	if err != nil {
		return nil, err
	}
	done := 0
	f, err := perOp(n, func(n int) error {
		done += n
		for range n {
			counter.Add(1)
		}
		return nil
	})
	return f, check(int(counter.Load()), done, err)
}

// batches are how many times perOp measures: many and short, so that the median is
// free of those in which others had the processor.
const batches = 200

// perOp is the median time of one of what once does n times, over some batches.
func perOp(n int, once func(n int) error) (figures, error) {
	n = max(n/batches, 1)
	if err := once(n); err != nil {
		return nil, err
	}
	times := make([]float64, batches)
	for i := range times {
		begun := time.Now()
		if err := once(n); err != nil {
			return nil, err
		}
		times[i] = time.Since(begun).Seconds() / float64(n)
	}
	return figures{"time": median(times)}, nil
}

// holdForEver takes a lock and says so.
var holdForEver = mp.Register("hold for ever", func(ctx context.Context, in holding) (mp.None, error) {
	hold, err := in.Lock.Acquire(ctx)
	if err != nil {
		return mp.None{}, err
	}
	if err := in.Told.Send(ctx, mp.None{}); err != nil {
		return mp.None{}, err
	}
	<-ctx.Done()
	return mp.None{}, hold.Release()
})

type holding struct {
	Lock *mp.Lock
	Told *mp.Conn[mp.None]
}

// measureDeath is from the kill of a lock's owner to the hold of one who waited.
func measureDeath(ctx context.Context, n int) (figures, error) {
	lock, err := mp.NewLock()
	if err != nil {
		return nil, err
	}
	var times []float64
	for range n + 1 { // the first is a warm-up
		spent, err := death(ctx, lock)
		if err != nil {
			return nil, err
		}
		times = append(times, spent.Seconds())
	}
	return figures{"p50": median(times[1:])}, nil
}

// settled is how long a goroutine needs at the very most until it waits for a lock.
const settled = 20 * time.Millisecond

func death(ctx context.Context, lock *mp.Lock) (time.Duration, error) {
	r, w, err := mp.NewOneWayPipe[mp.None]()
	if err != nil {
		return 0, err
	}
	owner, err := mp.Start(ctx, holdForEver, holding{lock, w})
	if err != nil {
		return 0, err
	}
	if _, err := r.Recv(ctx); err != nil {
		return 0, errors.Join(err, owner.Kill())
	}
	type got struct {
		hold mp.Hold
		at   time.Time
		err  error
	}
	waiter := make(chan got, 1)
	go func() {
		hold, err := lock.Acquire(ctx)
		waiter <- got{hold, time.Now(), err}
	}()
	time.Sleep(settled)
	begun := time.Now()
	if err := owner.Kill(); err != nil {
		return 0, err
	}
	took := <-waiter
	if took.err != nil {
		return 0, took.err
	}
	if took.at.Before(begun) || !took.hold.Abandoned() {
		return 0, errors.New("the waiter had the lock before its owner was dead")
	}
	if err := owner.Join(ctx); ctx.Err() != nil {
		return 0, err // otherwise it says how the owner died
	}
	return took.at.Sub(begun), errors.Join(took.hold.Release(), r.Close())
}
