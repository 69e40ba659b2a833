package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime"
	"strings"

	"github.com/assistants-go/assistants/benchmarks/internal/process"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const slowDeltas = 100_000

// slowReader measures what the server holds for a run of many deltas whose reader does not read any: first when the model
// has said everything, then when the run has ended. All of it must still arrive.
func slowReader(w io.Writer, _ int) ([]report.Target, error) {
	said, goOn := make(chan struct{}), make(chan struct{})
	s := server.New(server.WithModel(talkative(said, goOn)))
	defer s.Close()
	assistant, err := newAssistant(context.Background(), s)
	if err != nil {
		return nil, err
	}
	thread, err := create(s, "/v1/threads", `{}`)
	if err != nil {
		return nil, err
	}
	before := process.Look()
	reader := &lateReader{reads: make(chan struct{})}
	served := make(chan struct{})
	body := fmt.Sprintf(`{"assistant_id":%q,"stream":true}`, assistant)
	go func() {
		defer close(served)
		s.ServeHTTP(reader, newRequest(http.MethodPost, "/v1/threads/"+thread+"/runs", body))
	}()
	<-said
	unread := process.Look().Minus(before)
	close(goOn)
	if err := completed(s, thread); err != nil {
		return nil, err
	}
	ended := process.Look().Minus(before)
	close(reader.reads)
	<-served
	text := float64(slowDeltas * len(aWord))
	if arrived := float64(reader.text()); arrived != text {
		return nil, fmt.Errorf("%.0f bytes of %.0f have arrived at a slow reader", arrived, text)
	}
	reader = nil
	after := process.Look().Minus(before)
	runtime.KeepAlive(s)

	fmt.Fprintf(w, "| %d deltas that nobody reads | heap, kB | in bytes of their text |\n|---|--:|--:|\n", slowDeltas)
	for _, row := range []struct {
		name string
		held process.InUse
	}{{"the model has said all", unread}, {"the run has ended", ended}, {"all has been read", after}} {
		fmt.Fprintf(w, "| %s | %.0f | %.1f |\n", row.name, row.held.Heap/1000, row.held.Heap/text)
	}
	return []report.Target{
		{What: "Heap of a stream that nobody reads, in bytes of its text", Got: unread.Heap / text, Limit: 3.5, Exact: true},
		{What: "The same when its run has ended", Got: ended.Heap / text, Limit: 4.8, Exact: true},
	}, nil
}

// talkative says when it has said everything, and waits.
func talkative(said chan<- struct{}, goOn <-chan struct{}) server.Model {
	return server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for range slowDeltas {
				if !yield(server.Text(aWord), nil) {
					return
				}
			}
			close(said)
			<-goOn
		}
	})
}

// A lateReader takes nothing until it may.
type lateReader struct {
	blackHole
	reads chan struct{}
	got   bytes.Buffer
}

func (r *lateReader) Write(p []byte) (int, error) {
	<-r.reads
	return r.got.Write(p)
}

// text is how much text the deltas have brought.
func (r *lateReader) text() (bytes int) {
	name := ""
	for line := range strings.Lines(r.got.String()) {
		if event, ok := strings.CutPrefix(line, "event: "); ok {
			name = strings.TrimSpace(event)
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || name != deltaEvent {
			continue
		}
		var event struct {
			Delta struct {
				Content []struct{ Text struct{ Value string } }
			}
		}
		if json.Unmarshal([]byte(data), &event) == nil {
			for _, part := range event.Delta.Content {
				bytes += len(part.Text.Value)
			}
		}
	}
	return bytes
}
