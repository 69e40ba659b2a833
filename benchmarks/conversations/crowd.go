package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/process"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	crowdThreads = 10_000
	crowdRuns    = 1_000
	crowdWait    = time.Minute // for all runs to begin, or to end
)

// A crowd is a server with many threads, on which runs are at work whose model waits.
type crowd struct {
	server    *server.Server
	assistant string
	threads   []string
	model     *blockedModel
}

// A blockedModel says a word and waits until it is told to go on.
type blockedModel struct {
	asked, goOn chan struct{}
}

func (m *blockedModel) Respond(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		if yield(server.Text(aWord), nil) {
			m.asked <- struct{}{}
			<-m.goOn
		}
	}
}

// crowds measures what the server holds: for threads that nobody has to do with, for runs at work with a reader and
// without, and for runs that have ended. There are no connections: their memory is that of whoever serves.
func crowds(w io.Writer, _ int) ([]report.Target, error) {
	goroutines := runtime.NumGoroutine()
	c := &crowd{model: &blockedModel{asked: make(chan struct{}, crowdRuns), goOn: make(chan struct{})}}
	c.server = server.New(server.WithModel(c.model))
	defer c.server.Close()
	var err error
	if c.assistant, err = newAssistant(context.Background(), c.server); err != nil {
		return nil, err
	}
	empty := process.Look()
	for range crowdThreads {
		id, err := create(c.server, "/v1/threads",
			`{"messages":[{"role":"user","content":"How are you?"},{"role":"assistant","content":"Fine."}]}`)
		if err != nil {
			return nil, err
		}
		c.threads = append(c.threads, id)
	}
	idle := process.Look().Minus(empty).Over(crowdThreads)
	alone, endedAlone, err := c.work(c.threads[:crowdRuns], false)
	if err != nil {
		return nil, err
	}
	read, endedRead, err := c.work(c.threads[crowdRuns:2*crowdRuns], true)
	if err != nil {
		return nil, err
	}
	left := process.GoroutinesAbove(goroutines)

	fmt.Fprintf(w, "| %d threads, %d runs at once | heap of each, kB | stacks of each, kB | goroutines of each |\n|---|--:|--:|--:|\n",
		crowdThreads, crowdRuns)
	for _, row := range []struct {
		name string
		held process.InUse
	}{
		{"thread of 2 messages", idle},
		{"run at work", alone}, {"run that has ended", endedAlone},
		{"run at work, with a stream", read}, {"run that has ended, with a stream", endedRead},
	} {
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f |\n", row.name, row.held.Heap/1000, max(row.held.Stacks, 0)/1000, row.held.Goroutines)
	}
	runtime.KeepAlive(c)
	return []report.Target{
		{What: "Heap of a thread of 2 messages, kB", Got: idle.Heap / 1000, Limit: 2.6, Exact: true},
		{What: "Heap of a run at work, kB", Got: alone.Heap / 1000, Limit: 9, Exact: true},
		{What: "Heap of a run at work with a stream, kB", Got: read.Heap / 1000, Limit: 14, Exact: true},
		{What: fmt.Sprintf("Goroutines left of %d runs", 2*crowdRuns), Got: float64(left), Exact: true},
	}, nil
}

// work has a run at work on each thread, with a reader of its stream or without, and lets all of them end.
func (c *crowd) work(threads []string, stream bool) (working, ended process.InUse, err error) {
	before := process.Look()
	var readers sync.WaitGroup
	body := fmt.Sprintf(`{"assistant_id":%q,"stream":%t}`, c.assistant, stream)
	failed := make(chan error, len(threads))
	for _, thread := range threads {
		begin := func() {
			if err := send(c.server, new(blackHole), newRequest(http.MethodPost, "/v1/threads/"+thread+"/runs", body)); err != nil {
				failed <- err
			}
		}
		if stream {
			readers.Go(begin)
		} else {
			begin()
		}
	}
	overdue := time.After(crowdWait)
	for range threads {
		select {
		case <-c.model.asked:
		case err := <-failed:
			return process.InUse{}, process.InUse{}, err
		case <-overdue:
			return process.InUse{}, process.InUse{}, errors.New("not all runs have begun")
		}
	}
	working = process.Look().Minus(before).Over(len(threads))
	for range threads {
		c.model.goOn <- struct{}{}
	}
	readers.Wait()
	for _, thread := range threads {
		if err := completed(c.server, thread); err != nil {
			return process.InUse{}, process.InUse{}, err
		}
	}
	return working, process.Look().Minus(before).Over(len(threads)), nil
}

// completed waits until the newest run of a thread has ended as it should.
func completed(h http.Handler, thread string) error {
	for begun := time.Now(); time.Since(begun) < crowdWait; time.Sleep(time.Millisecond) {
		var page struct{ Data []struct{ Status string } }
		if err := get(h, "/v1/threads/"+thread+"/runs?limit=1", &page); err != nil {
			return err
		}
		switch status := page.Data[0].Status; status {
		case "completed":
			return nil
		case "queued", "in_progress":
		default:
			return fmt.Errorf("a run is %s", status)
		}
	}
	return errors.New("a run does not end")
}
