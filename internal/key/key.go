// Package key guards the hooks of package mp that are meant for this module's other packages:
// those that build mp's types on carriers of their own.
package key

// Key is a parameter of such a hook. Its field keeps other packages from writing one as an
// untyped literal.
type Key struct{ _ sealed }

type sealed struct{}
