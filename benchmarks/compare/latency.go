package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

const (
	latencyRounds = 5
	latencyPieces = 200
	latencyPause  = time.Millisecond // long enough for a reader to wait for the next piece
	latencyLimit  = 200 * time.Microsecond
)

// latency measures how long a piece of text takes from the server's flush, whose own time it includes, to the loop body
// of the reader.
func latency(w io.Writer) ([]report.Target, error) {
	flushed := make(chan time.Time, latencyPieces)
	server, err := workload.NewServer(paced(workload.NewRecording(latencyPieces), flushed))
	if err != nil {
		return nil, err
	}
	defer server.Close()
	transport := workload.Transport(server.Addr())
	defer transport.CloseIdleConnections()
	delays := map[string][]time.Duration{}
	for range latencyRounds {
		for _, client := range workload.Clients(&workload.Wire{Streams: transport}) {
			if client.Stream == nil {
				continue
			}
			err := client.Stream(context.Background(), func(string) {
				delays[client.Name] = append(delays[client.Name], time.Since(<-flushed))
			})
			if err == nil && len(flushed) > 0 {
				err = fmt.Errorf("%d pieces have not arrived", len(flushed))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", client.Name, err)
			}
		}
	}
	fmt.Fprintf(w, "| from the server's flush to the reader | µs, median of %d | µs, 99 of 100 are faster |\n|---|--:|--:|\n",
		latencyRounds*latencyPieces)
	for _, name := range names {
		if d := delays[name]; len(d) > 0 {
			slices.Sort(d)
			fmt.Fprintf(w, "| %s | %.0f | %.0f |\n", name, micros(d[len(d)/2]), micros(d[len(d)*99/100]))
		}
	}
	ours := delays[workload.Ours]
	return []report.Target{{What: "From flush to reader, µs at the median", Got: micros(ours[len(ours)/2]), Limit: micros(latencyLimit)}}, nil
}

// paced answers with a recording, piece by piece, and says when it flushed each.
func paced(r *workload.Recording, flushed chan<- time.Time) func(net.Conn) error {
	begin := append([]byte(workload.StreamHead), workload.Chunk(r.Begin)...)
	end := append(workload.Chunk(r.End), workload.StreamTail...)
	var pieces [][]byte
	for _, delta := range r.Deltas {
		pieces = append(pieces, workload.Chunk(delta))
	}
	return func(conn net.Conn) error {
		if _, err := conn.Write(begin); err != nil {
			return err
		}
		for _, piece := range pieces {
			time.Sleep(latencyPause)
			flushed <- time.Now()
			if _, err := conn.Write(piece); err != nil {
				return err
			}
		}
		_, err := conn.Write(end)
		return err
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
