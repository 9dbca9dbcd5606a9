// Package propagation is as much of go.opentelemetry.io/otel/propagation as the
// pages use.
package propagation

import "context"

// MapCarrier stands for the type of the same name.
type MapCarrier map[string]string

// Propagator stands for the one that a program has set.
type Propagator struct{}

type key struct{}

// With returns a ctx of a trace.
func With(ctx context.Context, trace string) context.Context {
	return context.WithValue(ctx, key{}, trace)
}

// Trace is the trace that ctx belongs to.
func Trace(ctx context.Context) string {
	trace, _ := ctx.Value(key{}).(string)
	return trace
}

// Inject writes the trace into the carrier.
func (Propagator) Inject(ctx context.Context, carrier MapCarrier) {
	carrier["traceparent"] = Trace(ctx)
}

// Extract reads it.
func (Propagator) Extract(ctx context.Context, carrier MapCarrier) context.Context {
	return With(ctx, carrier["traceparent"])
}
