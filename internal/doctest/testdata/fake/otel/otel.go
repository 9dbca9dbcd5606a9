// Package otel is as much of go.opentelemetry.io/otel as the pages use.
package otel

import "github.com/gomultiprocessing/mp/internal/doctest/testdata/fake/propagation"

// GetTextMapPropagator stands for the function of the same name.
func GetTextMapPropagator() propagation.Propagator { return propagation.Propagator{} }
