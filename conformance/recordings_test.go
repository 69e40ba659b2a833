package conformance

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/given"

	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// TestRecordings replays all recorded exchanges. "go run ./replay" is the same without the testing package.
func TestRecordings(t *testing.T) {
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	var mu sync.Mutex
	var total replay.Counts
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				counts, failures := replay.File(f)
				for _, failure := range failures {
					t.Errorf("%v", failure)
				}
				mu.Lock()
				defer mu.Unlock()
				total.Add(counts)
			})
		}
	})
	fmt.Println(total)
	assert.True(t, total.Compared(), "no exchange was compared")
}

// TestEveryRuleIsNeeded wants every rule that lets a difference pass to let one pass in the recordings, or in the
// documented examples.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	var total replay.Counts
	for _, beta := range []string{"v2", "v1"} {
		f := recording.File{Name: "examples-" + beta}
		for id, first := range loadExamples(t, beta) {
			for _, x := range append([]example{first}, first.More...) {
				f.Exchanges = append(f.Exchanges, x.asRecorded(id, beta))
			}
		}
		counts, _ := replay.Client(f)
		total.Add(counts)
	}
	for _, f := range files {
		counts, _ := replay.File(f)
		total.Add(counts)
	}
	assert.Empty(t, total.Passed.Unused(), "nothing needs these rules any more")
}

// TestRuns replays all recorded runs from their creation to their end.
func TestRuns(t *testing.T) {
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	var total atomic.Int64
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				followed, failures := replay.Runs(f)
				for _, failure := range failures {
					t.Errorf("%v", failure)
				}
				total.Add(int64(followed))
			})
		}
	})
	assert.NotZero(t, total.Load(), "no run was followed")
	t.Logf("%d runs", total.Load())
}

// TestBrokenStreams cuts every recorded stream off, in the middle and before its last event. The client must tell what
// came and then that the rest is missing.
func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	streams := 0
	for _, f := range files {
		for _, e := range f.Exchanges {
			if !e.Streamed() {
				continue
			}
			events := strings.SplitAfter(strings.TrimSuffix(e.ResponseText, "\n\n"), "\n\n")
			for _, n := range []int{1, len(events) / 2, len(events) - 1} {
				cut := *e
				cut.ResponseText = strings.Join(events[:n], "")
				counts, failures := replay.Client(recording.File{Name: f.Name, Exchanges: []*recording.Exchange{&cut}})
				for _, failure := range failures {
					t.Errorf("after %d events: %v", n, failure)
				}
				streams += counts.Streams
			}
		}
	}
	assert.NotZero(t, streams, "no stream was cut off")
}

// TestStreamsCutAnywhere cuts one recorded stream of every kind behind each of its bytes, a long one behind every
// eleventh: none ends in silence.
func TestStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	shortest := map[string]string{} // by the events that occur
	for _, f := range files {
		for _, e := range f.Exchanges {
			if kind := eventNames(e.ResponseText); e.Streamed() && (shortest[kind] == "" || len(e.ResponseText) < len(shortest[kind])) {
				shortest[kind] = e.ResponseText
			}
		}
	}
	require.NotEmpty(t, shortest)
	for kind, text := range shortest {
		t.Run(strings.ReplaceAll(kind, "thread.", ""), func(t *testing.T) {
			t.Parallel()
			whole, err := eventsOf(t, text)
			if err != nil {
				require.ErrorIs(t, err, assistants.ErrServer, "as it was recorded")
			}
			step := 1
			if len(text) > 16<<10 { // the time grows with the square
				step = 11
			}
			for n := 0; n < len(text); n += step {
				events, err := eventsOf(t, text[:n])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "behind %d bytes", n)
				require.LessOrEqual(t, len(events), len(whole))
				require.True(t, slices.Equal(whole[:len(events)], events), "behind %d bytes", n)
			}
		})
	}
}

// eventNames are the names of a stream's events, each once.
func eventNames(text string) string {
	var names []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "event: "); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.ReplaceAll(strings.Join(names, " "), "\n", "")
}

// eventsOf reads a stream as far as it goes.
func eventsOf(t *testing.T, text string) (types []assistants.EventType, err error) {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
	})))
	require.NoError(t, err)
	stream, err := client.Runs.Stream(t.Context(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	require.NoError(t, err)
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			return types, err
		}
		types = append(types, event.Type)
	}
	return types, nil
}

// TestNothingIsUnsupported wants an operation for everything that was recorded.
func TestNothingIsUnsupported(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	for _, f := range files {
		for _, e := range f.Exchanges {
			op, _ := replay.Find(e.Method, e.Path)
			assert.NotNil(t, op, "%s: %v", f.Name, e)
		}
	}
}
