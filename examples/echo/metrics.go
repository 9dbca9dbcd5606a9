package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
)

// serveMetrics shows the numbers at /metrics.
func serveMetrics(address string, numbers []serve.Numbers, processes bool, log *slog.Logger) (io.Closer, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		var page bytes.Buffer
		writeMetrics(&page, numbers, processes)
		page.WriteTo(w) // an error: the client is gone
	})
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go server.Serve(l) // until it is closed
	log.Info("metrics", "address", l.Addr().String())
	return server, nil
}

// metric is a number of each process.
type metric struct {
	name, kind, help string
	of               func(*serve.Numbers) int64
}

var metrics = []metric{
	{"echo_connections_open", "gauge", "Connections that are open.", func(n *serve.Numbers) int64 { return n.Open.Load() }},
	{"echo_connections_total", "counter", "Connections that were accepted.", func(n *serve.Numbers) int64 { return n.Accepted.Load() }},
	{"echo_connections_refused_total", "counter", "Connections that were refused, as there were -max.", func(n *serve.Numbers) int64 { return n.Refused.Load() }},
	{"echo_accept_errors_total", "counter", "Failures to accept.", func(n *serve.Numbers) int64 { return n.AcceptErrors.Load() }},
	{"echo_received_bytes_total", "counter", "Bytes from clients.", func(n *serve.Numbers) int64 { return n.In.Load() }},
	{"echo_sent_bytes_total", "counter", "Bytes to clients.", func(n *serve.Numbers) int64 { return n.Out.Load() }},
	{"echo_process_pid", "gauge", "The process that handles the connections.", func(n *serve.Numbers) int64 { return n.PID.Load() }},
	{"echo_process_starts_total", "counter", "How often a process has begun to handle connections.", func(n *serve.Numbers) int64 { return n.Begun.Load() }},
}

// writeMetrics writes the numbers in the text format of Prometheus. That is a few lines, and its
// library a dozen modules. With processes each number says whose it is.
func writeMetrics(w io.Writer, numbers []serve.Numbers, processes bool) {
	for _, m := range metrics {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
		for i := range numbers {
			fmt.Fprintf(w, "%s%s %d\n", m.name, labels(processes, i), m.of(&numbers[i]))
		}
	}
	const ended = "echo_connections_ended_total"
	fmt.Fprintf(w, "# HELP %s Connections that have ended, by the reason.\n# TYPE %s counter\n", ended, ended)
	for i := range numbers {
		for r := range serve.Reasons {
			fmt.Fprintf(w, "%s%s %d\n", ended, labels(processes, i, "reason", r.String()), numbers[i].Ends[r].Load())
		}
	}
}

// labels are those of a number of the i-th process.
func labels(processes bool, i int, more ...string) string {
	if processes {
		more = append([]string{"process", strconv.Itoa(i)}, more...)
	}
	if len(more) == 0 {
		return ""
	}
	var b bytes.Buffer
	for k := 0; k < len(more); k += 2 {
		fmt.Fprintf(&b, ",%s=%q", more[k], more[k+1])
	}
	return "{" + b.String()[1:] + "}"
}
