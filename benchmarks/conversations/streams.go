package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	// unread is how many deltas a model may be ahead of the stream, so that each is an event of its own: of more, the
	// server puts the text together.
	unread = 128

	streamLimit = 4.5 // of a stream, in floors
)

// streams measures how many deltas the server brings through the loopback interface to readers that only count events.
func streams(w io.Writer, rounds int) ([]report.Target, error) {
	fmt.Fprintln(w, "| streams over loopback | deltas | events | deltas per second | µs per delta | floor, µs | ratio to floor |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|")
	var list []report.Target
	for _, c := range []struct {
		name           string
		deltas, atOnce int
		ahead          int // of the stream; 0: without bounds
	}{
		{"one", 10_000, 1, unread},
		{"100 at once", 1_000, 100, unread},
		{"one, of a model that does not wait", 10_000, 1, 0},
	} {
		took, events, err := compareStreams(rounds, c.deltas, c.atOnce, c.ahead)
		if err != nil {
			return nil, fmt.Errorf("streams, %s: %w", c.name, err)
		}
		deltas := float64(c.deltas * c.atOnce)
		per := took.median() / deltas
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f |\n",
			c.name, deltas, events, 1e6/per, per, took.floor()/deltas, took.ratio())
		if c.ahead > 0 { // else chance has it how many events there are, and so what the floor takes
			list = append(list, report.Target{What: "Streams, " + c.name + ", time in floors", Got: took.ratio(), Limit: streamLimit})
		}
	}
	return list, nil
}

// compareStreams also returns how many events there were.
func compareStreams(rounds, deltas, atOnce, ahead int) (took *times, events float64, err error) {
	ctx := context.Background()
	model := &waitingModel{deltas: deltas, ahead: ahead, tokens: map[string]chan struct{}{}}
	s := server.New(server.WithModel(model))
	defer s.Close()
	assistant, err := newAssistant(ctx, s)
	if err != nil {
		return nil, 0, err
	}
	threads, err := newThreads(ctx, s, (1+rounds)*atOnce) // one for each run: none has a history
	if err != nil {
		return nil, 0, err
	}
	var rec recording
	served := httptest.NewServer(rec.record(s, model.begun))
	defer served.Close()
	floor := httptest.NewServer(rec.play())
	defer floor.Close()
	var counts []float64
	all := func(url string) error {
		rec.rewind()
		count, err := countEvents(url, assistant, threads[:atOnce])
		counts = append(counts, count)
		return err
	}
	took, err = measure(rounds, func() error { return all(served.URL) }, func() error {
		err := all(floor.URL)
		threads = threads[atOnce:]
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return took, report.Median(counts), nil
}

func newThreads(ctx context.Context, h http.Handler, count int) (ids []string, err error) {
	client, err := assistants.NewClient(assistants.WithHandler(h))
	for range count {
		if err != nil {
			return nil, err
		}
		var thread *assistants.Thread
		if thread, err = client.Threads.Create(ctx, assistants.ThreadCreateParams{}); err == nil {
			ids = append(ids, thread.ID)
		}
	}
	return ids, err
}

// countEvents streams runs on threads at once.
func countEvents(url, assistant string, threads []string) (float64, error) {
	var all sync.WaitGroup
	var count atomic.Int64
	errs := make(chan error, len(threads))
	for _, thread := range threads {
		all.Go(func() {
			errs <- read(url, thread, assistant, func(string) { count.Add(1) })
		})
	}
	all.Wait()
	for range threads {
		if err := <-errs; err != nil {
			return 0, err
		}
	}
	return float64(count.Load()), nil
}

var readers = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// read streams a run by hand and calls each with the names of its events.
func read(url, thread, assistant string, each func(event string)) error {
	body := strings.NewReader(`{"assistant_id":"` + assistant + `","stream":true}`)
	request, err := http.NewRequest(http.MethodPost, url+"/v1/threads/"+thread+"/runs", body)
	if err != nil {
		return err
	}
	request.Header.Set("OpenAI-Beta", "assistants=v2")
	response, err := readers.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	lines := bufio.NewReader(response.Body)
	last := ""
	for {
		line, err := lines.ReadSlice('\n')
		if name, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			last = string(bytes.TrimSpace(name))
			each(last)
		}
		switch {
		case err == io.EOF && last == "done":
			return nil
		case err == io.EOF:
			return fmt.Errorf("the stream ended with the event %q", last)
		case err != nil && err != bufio.ErrBufferFull:
			return err
		}
	}
}

// A waitingModel yields words and does not run too far ahead of those who read them.
type waitingModel struct {
	deltas, ahead int

	mu     sync.Mutex
	tokens map[string]chan struct{} // of each thread, one for each delta that is not yet written
}

func (m *waitingModel) Respond(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	tokens := m.of(call.ThreadID)
	return func(yield func(server.ModelEvent, error) bool) {
		for range m.deltas {
			if m.ahead > 0 {
				tokens <- struct{}{}
			}
			if !yield(server.Text(aWord), nil) {
				return
			}
		}
	}
}

// begun returns what is called when something was written to the stream of a run.
func (m *waitingModel) begun(r *http.Request) (written func()) {
	tokens := m.of(strings.Split(r.URL.Path, "/")[3]) // behind v1 and threads
	return func() {
		select {
		case <-tokens:
		default:
		}
	}
}

func (m *waitingModel) of(thread string) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens[thread] == nil {
		m.tokens[thread] = make(chan struct{}, m.ahead)
	}
	return m.tokens[thread]
}
