// Package child is what a process does that was started by package host: [Serve] runs registered
// functions, as a pool's worker or for one call, until the parent has no more use for it. Package
// proto is what both sides agree on.
package child
