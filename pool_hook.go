package mp

import (
	"cmp"

	"github.com/gomultiprocessing/mp/internal/hook"
	"github.com/gomultiprocessing/mp/internal/pool"
)

func init() {
	hook.Provide(func(cfg any, t hook.Transport) (any, error) { return transportPool(cfg.(PoolConfig), t) }, program{})
}

// transportPool makes a pool on a transport of another package of this module.
func transportPool(cfg PoolConfig, t hook.Transport) (*Pool, error) {
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	cfg.Grace = graceOf(cfg.Grace, cmp.Or(t.Grace, graceProcesses))
	return cfg.open(encoded{t.Workers}, exitGrace, pool.Config{
		Start: t.Start, MaxMemory: cfg.MaxMemory, OverMemory: overMemory, KilledOutside: shot,
		Transient: t.Transient, Release: t.Release, Stuck: t.Stuck,
	})
}
