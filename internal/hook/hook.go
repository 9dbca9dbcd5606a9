// Package hook is how packages of this module make pools of package mp on transports of their own, such as
// machines or programs in other languages. Package mp says, when it is initialised, how; its public face has nothing of it.
package hook

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/child"
	"github.com/gomultiprocessing/mp/internal/proc/host"
)

// Transport is how the workers of a pool are reached.
type Transport struct {
	// Workers is what the workers are called in texts, in the plural.
	Workers string
	// Start starts a worker. It gets the inputs of a task by the Encode of the Client of its job, in the form that the
	// Handler of the function reads, and reports an output as the Payload of a Result: as Calls.Encode writes it, or
	// as Calls.PutMemory does where Calls.Memory is not 0. What PoolConfig says of the workers
	// themselves (Init, Exit, Env, Stdout and the like) is for Start, if it has a use for it.
	Start pool.StartFunc
	// Release is called once when no more workers will be started; nil: there is nothing to release.
	Release func()
	// Transient says whether a start failed for a cause that may pass; nil: none does.
	Transient func(err error) bool
	// Stuck says how many tasks run on that have their outcome already; nil: none does.
	Stuck func() int
	// Grace is that of a PoolConfig with none.
	Grace time.Duration
}

var (
	newPool func(cfg any, t Transport) (any, error)
	program Functions
)

// Provide is called by package mp, once: newPool makes a *mp.Pool of an mp.PoolConfig.
func Provide(make func(cfg any, t Transport) (any, error), p Functions) {
	newPool, program = make, p
}

// NewPool makes a pool: P is *mp.Pool and C is mp.PoolConfig. It returns when all workers are ready, or with
// the first failure. The error says what is wrong with cfg, or is Start's.
func NewPool[P, C any](cfg C, t Transport) (P, error) {
	p, err := newPool(cfg, t)
	if err != nil {
		var none P
		return none, err
	}
	return p.(P), nil
}

// Functions is the program as transports see it: its functions and its errors.
type Functions interface {
	host.Program
	child.Program
}

// Program returns the program's functions and errors.
func Program() Functions { return program }
