// Package key is what opens the doors of package mp that only packages of this module
// go through: those by which they build mp's types on carriers of their own.
package key

// Key is asked for by such a door. It has a field, so that nobody else can write one down
// as an untyped literal.
type Key struct{ _ sealed }

type sealed struct{}
