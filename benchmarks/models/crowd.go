package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/process"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

const (
	crowdStreams = 1000
	crowdDeltas  = 21          // of each: one before all wait for each other
	crowdWait    = time.Minute // for all streams to end
	crowdLimit   = 20          // kB of heap of a run beside those of the floor
	readerLimit  = 35          // the same of a run with a stream in process
)

// A crowd is what came of many streams at once.
type crowd struct {
	name       string
	each       process.InUse // while all of them wait for their second delta
	rate       float64       // deltas per second from there on
	half, most float64       // how late 50 of a hundred deltas are at most, and 99, in milliseconds
	cpu        float64       // of 1,000 deltas, in milliseconds
}

// crowds measures a thousand streams at once: what they hold, and then how the deltas come through. Every delta must arrive,
// and every run must end as it should.
func crowds(ctx context.Context, w io.Writer, url string, s settings) ([]report.Target, error) {
	var all [][]crowd
	var list []report.Target
	for _, a := range apis() {
		goroutines := runtime.NumGoroutine()
		of, err := crowdsOf(ctx, a, url, s.pause)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		all = append(all, of)
		kB := func(i int) float64 { return (of[i].each.Heap - of[0].each.Heap) / 1000 }
		list = append(list,
			report.Target{What: a.name + ", heap of a run beside the floor's, kB", Got: kB(1), Limit: crowdLimit, Exact: true},
			report.Target{What: a.name + ", heap of a run with a stream in process beside the floor's, kB", Got: kB(2), Limit: readerLimit, Exact: true},
			report.Target{What: a.name + ", goroutines left of all", Got: float64(process.GoroutinesAbove(goroutines)), Exact: true})
	}
	fmt.Fprintf(w, "| %d at once | heap of each, kB | stacks of each, kB | goroutines of each |\n|---|--:|--:|--:|\n", crowdStreams)
	for i, a := range apis() {
		for _, c := range all[i] {
			fmt.Fprintf(w, "| %s, %s | %.1f | %.1f | %.1f |\n", a.name, c.name, c.each.Heap/1000, max(c.each.Stacks, 0)/1000, c.each.Goroutines)
		}
	}
	fmt.Fprintf(w, "\n| %d at once, %v between deltas | deltas per second | ms from the upstream to the reader | added |"+
		" 99 of 100 are faster | added | CPU of 1,000 deltas, ms | ratio to floor |\n|---|--:|--:|--:|--:|--:|--:|--:|\n", crowdStreams, s.pause)
	for i, a := range apis() {
		least := all[i][0]
		for _, c := range all[i] {
			fmt.Fprintf(w, "| %s, %s | %.0f |", a.name, c.name, c.rate)
			if c.name == nobodyReads {
				fmt.Fprint(w, " | | | |")
			} else {
				fmt.Fprintf(w, " %.1f | %.1f | %.1f | %.1f |", c.half, c.half-least.half, c.most, c.most-least.most)
			}
			fmt.Fprintf(w, " %.1f | %.2f |\n", c.cpu, c.cpu/least.cpu)
		}
	}
	return list, nil
}

const nobodyReads = "nobody reads"

// crowdsOf returns what came of the routes from an API, and between the first two of runs that nobody reads.
func crowdsOf(ctx context.Context, a *api, url string, pause time.Duration) ([]crowd, error) {
	ways, stop, err := newRoutes(ctx, a, script{crowdDeltas, pause, 1}.baseURL(url))
	if err != nil {
		return nil, err
	}
	defer stop()
	all := []crowd{{name: names()[floor]}, {name: nobodyReads}, {name: names()[inProcess]}, {name: names()[loopback]}}
	unread := &unread{ways[inProcess].(*embedded)}
	for i, r := range []route{ways[floor], unread, ways[inProcess], ways[loopback]} {
		if err := all[i].gather(ctx, r, url); err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
	}
	return all, nil
}

// gather has a crowd on a route.
func (c *crowd) gather(ctx context.Context, r route, url string) error {
	ctx, cancel := context.WithTimeout(ctx, crowdWait)
	defer cancel()
	if err := r.prepare(ctx, crowdStreams); err != nil {
		return err
	}
	empty := process.Look()
	listeners, ended := make([]*listener, crowdStreams), make(chan error, crowdStreams)
	for i := range crowdStreams {
		go func() {
			l, err := listen(ctx, r, crowdDeltas)
			listeners[i] = l
			ended <- err
		}()
	}
	if err := allHeld(url, crowdStreams, ended); err != nil {
		return err
	}
	c.each = process.Look().Minus(empty).Over(crowdStreams)
	begun, before := time.Now(), cpuTime()
	if _, err := ask(url, "/release"); err != nil {
		return err
	}
	for range crowdStreams {
		if err := <-ended; err != nil {
			return err
		}
	}
	const deltas = crowdStreams * (crowdDeltas - 1)
	c.rate = deltas / time.Since(begun).Seconds()
	c.cpu = perThousand(cpuTime()-before, deltas)
	var late []time.Duration
	for _, l := range listeners {
		late = append(late, l.late[1:]...)
	}
	c.half, c.most = quantile(late, 50)/1000, quantile(late, 99)/1000
	return nil
}

// allHeld waits until the upstream at url holds so many streams. What has ended has not waited.
func allHeld(url string, streams int64, ended <-chan error) error {
	for {
		switch n, err := ask(url, "/held"); {
		case err != nil:
			return err
		case n == streams:
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("a stream has ended before its time: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unread has runs that are not streamed. Their messages are read when they have ended.
type unread struct{ *embedded }

func (u *unread) read(ctx context.Context, hear func(string) error) error {
	thread := <-u.threads
	run, err := u.client.Runs.CreateAndPoll(ctx, thread, assistants.RunCreateParams{AssistantID: u.assistant},
		assistants.WithPollInterval(time.Second/2))
	if err != nil {
		return err
	}
	if err := run.Err(); err != nil {
		return err
	}
	page, err := u.client.Messages.List(ctx, thread, assistants.MessageListParams{RunID: run.ID})
	if err != nil {
		return err
	}
	for i := range page.Data {
		if err := hear(page.Data[i].Text()); err != nil {
			return err
		}
	}
	return nil
}
