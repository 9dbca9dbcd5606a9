package thread

// Option is an option of Start and StartRunner. The only one is Daemon.
type Option interface{ apply(*Thread) }

// Daemon makes the thread one that JoinAll does not wait for, as threading.Thread(daemon=True): it serves
// the others, and has nothing to do when they have ended. JoinAll cancels its ctx then. The threads that a daemon
// starts with its own ctx are daemons too.
func Daemon() Option { return daemon{} }

type daemon struct{}

func (daemon) apply(t *Thread) { t.daemon = true }
