// Command bench measures mp beside Python's multiprocessing on this machine and
// prints one table; and another one of what processes share, beside the limits: Go
// within one process, and C. Each row is the same work on all sides, with as many
// workers, after a warm-up, in a process of its own, one side after the other.
//
//	go run ./bench
//	go run ./bench -rounds 3 -rows 'map|async'
//	go run ./bench -json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"

	"github.com/gomultiprocessing/mp"
)

func main() {
	mp.Main()
	rounds := flag.Int("rounds", 5, "rounds of each measurement; the median counts")
	rows := flag.String("rows", "", "measure only the rows whose key matches this regular expression")
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	measurement := flag.String("measure", "", "make one measurement, or one of a limit, in this process and print its figures: what the rounds call")
	n := flag.Int("n", 0, "how much to do, with -measure")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *measurement != "" {
		err = measureHere(ctx, *measurement, *n)
	} else {
		err = run(ctx, *rounds, *rows, *asJSON)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureHere makes one measurement of mp, or of a limit in Go, and prints its figures.
func measureHere(ctx context.Context, name string, n int) error {
	m, err := findMeasurement(name)
	do := m.ours
	if lim, errLimit := findLimit(name); err != nil && errLimit == nil {
		do, err = lim.run, nil
	}
	if err != nil {
		return err
	}
	if do == nil {
		return fmt.Errorf("%s is made by a program of its own, in C or bench/echo", name)
	}
	f, err := do(ctx, n)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// run makes all measurements and prints what came out.
func run(ctx context.Context, rounds int, pattern string, asJSON bool) error {
	if rounds < 1 {
		return fmt.Errorf("-rounds %d: at least 1", rounds)
	}
	only, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	chosen := chooseRows(rows, only)
	if len(chosen) == 0 {
		return fmt.Errorf("-rows %q matches none of %s", pattern, keys(rows))
	}
	busy := load()
	fmt.Fprintln(os.Stderr, "looking for the fastest CPython")
	py, err := findPython(ctx)
	if err != nil {
		return err
	}
	lab, err := newLab(py)
	if err != nil {
		return err
	}
	defer lab.close()
	found, err := lab.measure(ctx, chosen, rounds)
	if err != nil {
		return err
	}
	report := newReport(py, busy, rounds, chosen, found)
	if asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(report)
	}
	return report.print(os.Stdout)
}
