package main

import (
	"context"
	"testing"
)

// reportMeasured tells what a measurement found, for one of what it did.
func reportMeasured(b *testing.B, name string) {
	b.Helper()
	m, err := findMeasurement(name)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	f, err := m.ours(context.Background(), b.N)
	if err != nil {
		b.Fatal(err)
	}
	for figure, v := range f {
		if figure == "rate" {
			b.ReportMetric(v, "items/s")
		} else {
			b.ReportMetric(v*1e9, figure+"-ns")
		}
	}
}

func BenchmarkQueue11(b *testing.B)  { reportMeasured(b, "queue11") }
func BenchmarkQueue22(b *testing.B)  { reportMeasured(b, "queue22") }
func BenchmarkQueue64K(b *testing.B) { reportMeasured(b, "queue64k") }
func BenchmarkQueueRT(b *testing.B)  { reportMeasured(b, "queuert") }
func BenchmarkPipeRT(b *testing.B)   { reportMeasured(b, "pipert") }
func BenchmarkLock(b *testing.B)     { reportMeasured(b, "lock") }
func BenchmarkValue(b *testing.B)    { reportMeasured(b, "value") }
func BenchmarkCounter(b *testing.B)  { reportMeasured(b, "counter") }
func BenchmarkDeath(b *testing.B)    { reportMeasured(b, "death") }
