package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/process"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

const (
	streamsOpen   = 1000
	streamsRounds = 3
	streamsWait   = time.Minute // for all of them to open, or to end
)

// openStreams measures what a process holds for a thousand streams that have brought a piece of text and wait for the
// next, and how many goroutines are left when all have ended. The server is a process of its own.
func openStreams(w io.Writer) ([]report.Target, error) {
	server, err := process.Start()
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	clients := workload.Clients(new(workload.Wire))
	rounds := map[string][]process.InUse{}
	left := map[string]int{}
	for round := range 1 + streamsRounds {
		for i := range clients {
			if clients[i].Stream == nil {
				continue
			}
			holds, over, err := holdStreams(server, i)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", clients[i].Name, err)
			}
			left[clients[i].Name] = max(left[clients[i].Name], over)
			if round > 0 { // the first is for what a process keeps once it had so many goroutines
				rounds[clients[i].Name] = append(rounds[clients[i].Name], holds)
			}
		}
	}
	return reportStreams(w, rounds, left), nil
}

func reportStreams(w io.Writer, rounds map[string][]process.InUse, left map[string]int) []report.Target {
	heap := func(h process.InUse) float64 { return h.Heap / 1000 }
	stacks := func(h process.InUse) float64 { return h.Stacks / 1000 }
	fmt.Fprintf(w, "| %d open streams | heap of each, kB | stacks of each, kB | goroutines left |\n|---|--:|--:|--:|\n", streamsOpen)
	for _, name := range names {
		if len(rounds[name]) > 0 {
			fmt.Fprintf(w, "| %s | %.1f | %.1f | %d |\n", name, middleOf(rounds[name], heap), middleOf(rounds[name], stacks), left[name])
		}
	}
	return []report.Target{{
		What:  fmt.Sprintf("Goroutines left of %d streams", streamsOpen),
		Got:   float64(left[workload.Ours]),
		Exact: true,
	}}
}

func middleOf(all []process.InUse, of func(process.InUse) float64) float64 {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = of(all[i])
	}
	return report.Median(values)
}

// holdStreams opens the streams of a client, which has a transport of its own, looks, and has them end.
func holdStreams(server *process.Child, client int) (holds process.InUse, left int, err error) {
	goroutines := runtime.NumGoroutine()
	before := process.Look()
	transport := workload.Transport(server.Addr)
	streams := workload.Clients(&workload.Wire{Streams: transport})[client].Stream
	ctx, cancel := context.WithTimeout(context.Background(), streamsWait)
	defer cancel()

	var all sync.WaitGroup
	opened, ended := make(chan struct{}, streamsOpen), make(chan error, streamsOpen)
	for range streamsOpen {
		all.Go(func() {
			err := streams(ctx, func(text string) {
				if text == firstPiece {
					opened <- struct{}{}
				}
			})
			ended <- err
		})
	}
	for range streamsOpen {
		select {
		case <-opened:
		case err := <-ended:
			return process.InUse{}, 0, fmt.Errorf("ended before its time: %w", err)
		}
	}
	after := process.Look()
	if _, err := io.WriteString(server.In, "go on\n"); err != nil { // to their ends
		return process.InUse{}, 0, err
	}
	all.Wait()
	transport.CloseIdleConnections()
	for range streamsOpen {
		if err := <-ended; err != nil {
			return process.InUse{}, 0, err
		}
	}
	holds = after.Minus(before).Over(streamsOpen)
	return holds, process.GoroutinesAbove(goroutines), nil
}

// firstPiece is the text that every stream brings before it waits.
var firstPiece = workload.NewRecording(1).Text

// serveStreams is the server: it sends the first of two pieces and waits for a line of its input, whose end is its own.
func serveStreams() error {
	var mu sync.Mutex
	goOn := make(chan struct{})
	server, err := workload.NewServer(waiting(workload.NewRecording(2), func() <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		return goOn
	}))
	if err != nil {
		return err
	}
	fmt.Println(server.Addr())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		mu.Lock()
		close(goOn)
		goOn = make(chan struct{})
		mu.Unlock()
	}
	return lines.Err()
}

// waiting answers with a recording and waits behind its first piece.
func waiting(r *workload.Recording, told func() <-chan struct{}) func(net.Conn) error {
	var begin, end []byte
	begin = append(begin, workload.StreamHead...)
	begin = append(begin, workload.Chunk(r.Begin)...)
	begin = append(begin, workload.Chunk(r.Deltas[0])...)
	end = append(end, workload.Chunk(r.Deltas[1])...)
	end = append(end, workload.Chunk(r.End)...)
	end = append(end, workload.StreamTail...)
	return func(conn net.Conn) error {
		released := told()
		if _, err := conn.Write(begin); err != nil {
			return err
		}
		<-released
		_, err := conn.Write(end)
		return err
	}
}
