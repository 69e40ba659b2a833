package assistants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// An event is decoded as a stream decodes it, and what is no such event is an error.
func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	data := json.RawMessage(aRun("queued"))
	event, err := assistants.DecodeEvent(assistants.EventRunQueued, data)
	require.NoError(t, err)
	assert.Equal(t, assistants.RunQueued, event.Run.Status)
	assert.Equal(t, data, event.Data)
	event, err = assistants.DecodeEvent("thread.forked", json.RawMessage(`[1]`))
	require.NoError(t, err)
	assert.Equal(t, &assistants.Event{Type: "thread.forked", Data: json.RawMessage(`[1]`)}, event)
	for _, bad := range []string{``, `null`, `{`, `{}`, `[]`, `{"id":"x","object":"thread"}`} {
		_, err := assistants.DecodeEvent(assistants.EventRunQueued, json.RawMessage(bad))
		require.ErrorContains(t, err, "assistants: event thread.run.queued: ", bad)
	}
}

// A run in a state that is unknown here is seen in a stream as it is by polling.
func TestUnknownRunStates(t *testing.T) {
	t.Parallel()
	stream := streamOf(t, sse("run.created "+aRun("queued"), "run.paused "+aRun("paused"), "run.note "+`{"object":"note"}`, "done"))
	run, err := stream.Wait()
	require.NoError(t, err)
	assert.EqualValues(t, "paused", run.Status)
}

// A search may tell of its settings first and of its results later.
func TestFileSearchDeltas(t *testing.T) {
	t.Parallel()
	stream := streamOf(t, sse(stepBegun, addCalls("step_t", `{"index":0,"type":"file_search","file_search":{"ranking_options":{"ranker":"auto"}}}`),
		addCalls("step_t", `{"index":0,"type":"file_search","file_search":{"results":[{"file_id":"file-1"}]}}`), "run.completed "+aRun("completed"), "done"))
	_, err := stream.Wait()
	require.NoError(t, err)
	search := stream.Steps()[0].StepDetails.ToolCalls[0].FileSearch
	assert.Equal(t, "auto", search.RankingOptions.Ranker)
	assert.Len(t, search.Results, 1)
}

// A part that is announced without its content is begun when that comes.
func TestBarePartsAreBegunLater(t *testing.T) {
	t.Parallel()
	var told []string
	_, err := streamOf(t, sse(messageBegun, addContent("msg_1", `{"index":0,"type":"text"},{"index":1,"type":"image_file"}`), addText("msg_1", 0, "a"),
		addContent("msg_1", `{"index":1,"type":"image_file","image_file":{"file_id":"file-1"}}`), "run.completed "+aRun("completed"), "done")).Handle(assistants.Handler{
		OnTextCreated: func(*assistants.Text) { told = append(told, "text") },
		OnImageFile:   func(image *assistants.ImageFile) { told = append(told, image.FileID) },
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"text", "file-1"}, told)
}

// Long lists of outputs cost those nothing who do not look at calls.
func TestUnseenCallsStayCheap(t *testing.T) {
	events := []string{stepBegun}
	for i := range 7 {
		events = append(events, addCalls("step_t", fmt.Sprintf(`{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":%d}]}}`, (i+1)*1024-1)))
	}
	for range 2000 {
		events = append(events, addCalls("step_t", `{"index":0,"code_interpreter":{"input":"x"}}`))
	}
	stream := streamOf(t, sse(append(events, "run.completed "+aRun("completed"), "done")...))
	assert.Less(t, bytesAllocated(func() {
		_, err := stream.Handle(assistants.Handler{})
		require.NoError(t, err)
	}), uint64(20<<20))
}

// What a large delta took is given back, and not cleared for every small one behind it.
func TestLargeDeltasPass(t *testing.T) {
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	stream := streamOf(t, sse(messageBegun, addContent("msg_1", strings.Repeat(`{"index":0},`, 400_000)+`{"index":0}`),
		addText("msg_1", 0, "a"), addText("msg_1", 0, "b"), "run.completed "+aRun("completed"), "done"))
	before := held()
	for text, err := range stream.Text() {
		require.NoError(t, err)
		if text == "b" {
			assert.Less(t, held(), before+16<<20)
		}
	}
}

// A key of the creation does not go with what follows it, by whatever option it came.
func TestFollowUpsCarryNoKey(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, waitsFor("call_1")), answer(200, aRun("completed")))
	_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithHeader("Idempotency-Key", "k"), assistants.WithHeader("X-Mine", "m"),
		assistants.WithToolHandler(nameIt))
	require.NoError(t, err)
	assert.Equal(t, "k", tr.requests()[0].Header.Get("Idempotency-Key"))
	assert.Empty(t, tr.requests()[1].Header.Get("Idempotency-Key"))
	assert.Equal(t, "m", tr.requests()[1].Header.Get("X-Mine"))
}

// A panic of a handler leaves a trace, without its value.
func TestPanicsAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	client := newClient(t, newTransport(t, answer(200, waitsFor("call_1")), answer(200, aRun("completed"))),
		assistants.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	_, err := createAndPoll(t.Context(), client, assistants.WithToolHandler(
		func(context.Context, assistants.ToolCall) (string, error) { panic("password: hunter2") }))
	require.NoError(t, err)
	assert.Contains(t, log.String(), "a function panicked")
	assert.Contains(t, log.String(), "TestPanicsAreLogged")
	assert.NotContains(t, log.String(), "hunter2")
}
