package main

import (
	"bytes"
	"testing"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
)

// The page is what Prometheus reads: a head for each metric, and then its values.
func TestMetricsText(t *testing.T) {
	t.Parallel()
	numbers := make([]serve.Numbers, 2)
	numbers[1].Begin(77)
	numbers[1].Open.Store(3)
	numbers[0].Ends[serve.Idle].Store(5)
	var page bytes.Buffer
	writeMetrics(&page, numbers, true)
	for _, want := range []string{
		"# HELP echo_connections_open Connections that are open.\n# TYPE echo_connections_open gauge\n" +
			"echo_connections_open{process=\"0\"} 0\necho_connections_open{process=\"1\"} 3\n# HELP",
		"\necho_process_pid{process=\"1\"} 77\n",
		"\necho_connections_ended_total{process=\"0\",reason=\"idle\"} 5\n",
		"\necho_connections_ended_total{process=\"1\",reason=\"crash\"} 0\n",
	} {
		if !bytes.Contains(page.Bytes(), []byte(want)) {
			t.Errorf("there is no %q in\n%s", want, page.String())
		}
	}
	page.Reset()
	writeMetrics(&page, numbers[:1], false)
	if !bytes.Contains(page.Bytes(), []byte("\necho_connections_open 0\n")) || bytes.Contains(page.Bytes(), []byte("process=")) {
		t.Error(page.String())
	}
}
