package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	delayDeltas = 200
	delayRounds = 5
	delayPause  = time.Millisecond // long enough for a reader to wait for the next
)

const deltaEvent = "thread.message.delta"

// delays measures how long a delta takes from the model's yield to its reader, and from the write of the floor.
func delays(w io.Writer, rounds int) ([]report.Target, error) {
	ctx := context.Background()
	yielded := make(chan time.Time, delayDeltas)
	s := server.New(server.WithModel(slowly(yielded)))
	defer s.Close()
	assistant, err := newAssistant(ctx, s)
	if err != nil {
		return nil, err
	}
	rounds = min(rounds, delayRounds)
	threads, err := newThreads(ctx, s, rounds)
	if err != nil {
		return nil, err
	}
	var rec recording
	served := httptest.NewServer(rec.record(s, nil))
	defer served.Close()
	floor := httptest.NewServer(rec.playSlowly(yielded))
	defer floor.Close()

	late := map[string][]time.Duration{}
	for round := range rounds {
		for _, url := range []string{served.URL, floor.URL} {
			rec.rewind()
			err := read(url, threads[round], assistant, func(event string) {
				if event == deltaEvent {
					late[url] = append(late[url], time.Since(<-yielded))
				}
			})
			if err == nil && len(yielded) > 0 {
				err = errors.New("deltas have not arrived one by one")
			}
			if err != nil {
				return nil, err
			}
		}
	}
	fmt.Fprintf(w, "| from the model to the reader, loopback | µs, median of %d | µs, 99 of 100 are faster |\n|---|--:|--:|\n",
		len(late[floor.URL]))
	for _, row := range []struct{ name, url string }{{"server", served.URL}, {"floor", floor.URL}} {
		fmt.Fprintf(w, "| %s | %.0f | %.0f |\n", row.name, quantile(late[row.url], 50), quantile(late[row.url], 99))
	}
	return []report.Target{{
		What:  "From the model to the reader, median in floors",
		Got:   quantile(late[served.URL], 50) / quantile(late[floor.URL], 50),
		Limit: 3,
	}}, nil
}

// slowly says when it yields each delta.
func slowly(yielded chan<- time.Time) server.Model {
	return server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for range delayDeltas {
				time.Sleep(delayPause)
				yielded <- time.Now()
				if !yield(server.Text(aWord), nil) {
					return
				}
			}
		}
	})
}

// playSlowly returns the floor: it makes the same pause before each delta.
func (rec *recording) playSlowly(yielded chan<- time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rec.step().write(w, func(data []byte) {
			if bytes.HasPrefix(data, []byte("event: "+deltaEvent+"\n")) {
				time.Sleep(delayPause)
				yielded <- time.Now()
			}
		})
	})
}

// quantile returns below which of the delays so many of a hundred are, in microseconds.
func quantile(delays []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(delays))
	return float64(sorted[len(sorted)*percent/100].Nanoseconds()) / 1000
}
