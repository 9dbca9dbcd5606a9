//go:build linux

package spawn_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// BenchmarkStart measures the time until the first byte of a child's main.
func BenchmarkStart(b *testing.B) {
	used.Store("hello", true)
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		p, err := spawn.Start(spawn.Spec{Name: "hello"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Conn().Read(make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(begin))
		<-p.Done()
		p.Conn().Close()
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "us-median")
}

// BenchmarkDead measures the time from a kill to Dead.
func BenchmarkDead(b *testing.B) {
	used.Store("wait", true)
	var times []time.Duration
	for b.Loop() {
		p, err := spawn.Start(spawn.Spec{Name: "wait"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Conn().Read(make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		p.Kill()
		<-p.Dead()
		times = append(times, time.Since(begin))
		<-p.Done()
		p.Conn().Close()
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "us-median")
}
