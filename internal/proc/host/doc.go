// Package host is the parent's side of a child that runs registered functions: as a pool's worker
// ([Start]) or for one call ([StartCall]). It starts the child, sends it batches and takes its
// outcomes. A child is not trusted: what it writes is read once and checked. Package child is the
// other side, and package proto what both agree on.
package host
