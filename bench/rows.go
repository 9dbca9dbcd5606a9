package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// figures are what one measurement in one round has shown, by name: times in
// seconds, rates in tasks or items a second.
type figures map[string]float64

// measurement is a piece of work that mp does, and Python where it can.
type measurement struct {
	name string
	n    int                                               // how much mp does
	peer int                                               // how much Python does; 0: it does not take part
	ours func(ctx context.Context, n int) (figures, error) // nil: bench/echo makes it
}

// Fast things are repeated more often, so that each side is measured for about
// as long: every figure is a time or a rate for one task, or its quantile.
var measurements = []measurement{
	{"start", 30, 10, measureStart},
	{"apply", 30_000, 10_000, measureApply},
	{"async", 200_000, 20_000, measureAsync},
	{"map", 1_000_000, 1_000_000, measureMap},
	{"chunk1", 1_000_000, 50_000, measureChunk1},
	{"floats", 12_500_000, 12_500_000, measureFloats},
	{"queue11", 1_000_000, 100_000, measureQueue11},
	{"queue22", 1_000_000, 100_000, measureQueue22},
	{"queue64k", 10_000, 4_000, measureQueue64K},
	{"queuert", 20_000, 5_000, measureQueueTrip},
	{"pipert", 20_000, 10_000, measurePipeTrip},
	{"lock", 5_000_000, 2_000_000, measureLock},
	{"value", 5_000_000, 200_000, measureValue},
	{"counter", 20_000_000, 0, measureCounter},
	{"death", 15, 0, measureDeath},
	{"threadmap", 1_000_000, 0, measureThreadMap},
	{"threadasync", 200_000, 0, measureThreadAsync},
	{"threadqueue11", 5_000_000, 0, measureThreadQueue11},
	{"threadqueue22", 5_000_000, 0, measureThreadQueue22},
	{"echo1", 50_000, 0, nil},
	{"echo64", 100_000, 0, nil},
	{"echo64k", 20_000, 0, nil},
}

func findMeasurement(name string) (measurement, error) {
	for _, m := range measurements {
		if m.name == name {
			return m, nil
		}
	}
	return measurement{}, fmt.Errorf("there is no measurement %q", name)
}

// unit says what a figure is.
type unit int

const (
	seconds unit = iota // less is better
	perSecond
)

// row is a line of the tables: one figure of a measurement, what it stands beside,
// and what is demanded of it.
type row struct {
	key     string
	what    string // mp does
	peer    string // Python does; "": nothing like it, and there is no such line beside CPython
	from    string // the measurement
	figure  string
	unit    unit
	never   bool     // Python would wait for ever, and is not asked
	demands float64  // how many times faster than Python mp has to be; 0: it is only shown
	within  float64  // mp's time is at most this, whatever others need; 0: it is only shown
	beside  []beside // limits
}

// beside is a limit that a row stands beside.
type beside struct {
	limit  string
	atMost float64 // mp's time is at most so many times the limit's; 0: it is only shown
}

// rows are all rows, in the order of the tables.
var rows = slices.Concat(poolRows, sharedRows, threadRows)

var poolRows = []row{
	{
		key: "start", from: "start", figure: "start", unit: seconds, demands: 10,
		what: "start a worker, first result", peer: "spawn Pool(1) + apply",
	},
	{
		key: "apply-p50", from: "apply", figure: "p50", unit: seconds, demands: 2,
		what: "Apply, median", peer: "Pool(2).apply",
	},
	{
		key: "apply-p99", from: "apply", figure: "p99", unit: seconds, demands: 10,
		what: "Apply, 99th percentile", peer: "Pool(2).apply",
	},
	{
		key: "async", from: "async", figure: "rate", unit: perSecond, demands: 30,
		what: "ApplyAsync, then Get of all", peer: "Pool(2).apply_async, get",
	},
	{
		key: "map", from: "map", figure: "rate", unit: perSecond, demands: 5,
		what: "Map of a million ints", peer: "Pool(2).map",
	},
	{
		key: "chunk1", from: "chunk1", figure: "rate", unit: perSecond, demands: 10,
		what: "Map of ints with Chunk(1)", peer: "Pool(2).map, chunksize=1",
	},
	{
		key: "floats", from: "floats", figure: "time", unit: seconds, demands: 5,
		what: "100 MB of float64 to a worker", peer: "Pool(2).apply, array('d')",
	},
}

func chooseRows(from []row, only *regexp.Regexp) []row {
	var chosen []row
	for _, r := range from {
		if only.MatchString(r.key) {
			chosen = append(chosen, r)
		}
	}
	return chosen
}

// needed are the measurements that some rows are taken from, in order.
func needed(chosen []row) []measurement {
	var ms []measurement
	for _, m := range measurements {
		for _, r := range chosen {
			if r.from == m.name {
				ms = append(ms, m)
				break
			}
		}
	}
	return ms
}

func keys(from []row) string {
	var ks []string
	for _, r := range from {
		ks = append(ks, r.key)
	}
	return strings.Join(ks, ", ")
}
