//go:build !unix

package main

import "log/slog"

// warnOfLimit does nothing: descriptors are not limited here.
func warnOfLimit(*options, *slog.Logger) {}
