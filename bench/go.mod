module github.com/gomultiprocessing/mp/bench

go 1.26.0

require (
	github.com/alitto/pond/v2 v2.7.1
	github.com/gomultiprocessing/mp v0.0.0
	github.com/sourcegraph/conc v0.3.0
	golang.org/x/sync v0.24.0
)

require (
	github.com/gomultiprocessing/mp/examples v0.0.0
	go.uber.org/atomic v1.7.0 // indirect
	go.uber.org/multierr v1.9.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/gomultiprocessing/mp => ..

replace github.com/gomultiprocessing/mp/examples => ../examples
