package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// asking is how a run comes to wait for outputs, what comes before included.
func asking(step string, ids ...string) []string {
	events := []string{"run.step.created " + aStep(step, "in_progress", ""), "run.step.in_progress " + aStep(step, "in_progress", "")}
	for i, id := range ids {
		events = append(events,
			addCalls(step, fmt.Sprintf(`{"index":%d,"id":%q,"type":"function","function":{"name":"f","arguments":"","output":null}}`, i, id)),
			addCalls(step, fmt.Sprintf(`{"index":%d,"type":"function","function":{"arguments":"{}"}}`, i)))
	}
	return append(events, "run.requires_action "+waitsFor(ids...), "done")
}

// goingOn is how a run takes up work when it has its outputs.
func goingOn(step string, ids ...string) []string {
	var calls []string
	for _, id := range ids {
		calls = append(calls, `{"id":"`+id+`","type":"function","function":{"name":"f","arguments":"{}","output":"of `+id+`"}}`)
	}
	return []string{
		"run.step.completed " + aStep(step, "completed", strings.Join(calls, ",")),
		"run.queued " + aRun("queued"), "run.in_progress " + aRun("in_progress"),
	}
}

func join(parts ...[]string) (events []string) {
	for _, part := range parts {
		events = append(events, part...)
	}
	return events
}

const (
	asks  = "run.step.created run.step.in_progress run.step.delta run.step.delta run.requires_action "
	goes  = "run.step.completed run.queued run.in_progress "
	writ  = messageBegin + messageEnds
	first = "POST /threads/thread_1/runs"
	again = ", POST run/submit_tool_outputs"
	look  = ", GET run"
)

// twoRounds is a stream in three answers: two rounds of calls and a message.
func twoRounds() []step {
	return []step{
		streaming(sse(join(beginning, asking("step_1", "call_1"))...)),
		streaming(sse(join(goingOn("step_1", "call_1"), asking("step_2", "call_2"))...)),
		streaming(sse(answering(goingOn("step_2", "call_2")...)...)),
	}
}

// oneRound is a stream in two answers.
func oneRound(then ...step) []step {
	return append([]step{streaming(sse(join(beginning, asking("step_1", "call_1"))...))}, then...)
}

// The events of a run are one stream, however often it asked for outputs.
func TestToolHandlerStream(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		open   func(context.Context, *assistants.Client, ...assistants.RequestOption) (*assistants.Stream, error)
		before []string // what the first answer begins with
		names  string
		first  string
	}{
		"Runs.Stream": {openStream, beginning, runBegins, first},
		"Threads.CreateAndRunStream": {func(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
			return c.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_1"}, opts...)
		}, append([]string{"created " + aThread()}, beginning...), "created " + runBegins, "POST /threads/runs"},
		"Runs.SubmitToolOutputsStream": {func(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
			return c.Runs.SubmitToolOutputsStream(ctx, "thread_1", "run_1", assistants.RunSubmitToolOutputsParams{}, opts...)
		}, goingOn("step_0", "call_0"), goes, "POST run/submit_tool_outputs"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var calls sync.Map
			steps := twoRounds()
			steps[0] = streaming(sse(join(test.before, asking("step_1", "call_1"))...))
			tr := newClocked(t, steps...)
			stream, err := test.open(t.Context(), newClient(t, tr), assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
				_, twice := calls.LoadOrStore(call.ID, true)
				assert.False(t, twice, call.ID)
				return nameIt(ctx, call)
			}))
			require.NoError(t, err)
			defer stream.Close()
			events, err := eventsOf(stream)
			require.NoError(t, err)
			assert.Equal(t, strings.TrimSpace(test.names+asks+goes+asks+goes+writ), namesOf(events))
			assert.Equal(t, test.first+again+again, tr.asked())
			for i, id := range []string{"call_1", "call_2"} {
				r := tr.requests()[i+1]
				assert.JSONEq(t, `{"tool_outputs":[{"tool_call_id":"`+id+`","output":"of `+id+`"}],"stream":true}`, r.body)
				assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
			}
			assert.Equal(t, assistants.RunCompleted, stream.Run().Status)
			require.Len(t, stream.Messages(), 1)
			assert.Equal(t, "Hello €\n", stream.Messages()[0].Text())
			var done []string
			for _, s := range stream.Steps() {
				done = append(done, s.ID+" "+string(s.Status))
			}
			want := []string{"step_1 completed", "step_2 completed", "step_m completed"}
			if what == "Runs.SubmitToolOutputsStream" {
				want = append([]string{"step_0 completed"}, want...)
			}
			assert.Equal(t, want, done)
			require.NoError(t, stream.Close())
			assert.Len(t, tr.requests(), 3)
		})
	}
	t.Run("read as text, and waited for", func(t *testing.T) {
		t.Parallel()
		stream, err := openStream(t.Context(), newClient(t, newTransport(t, twoRounds()...)), assistants.WithToolHandler(nameIt))
		require.NoError(t, err)
		defer stream.Close()
		text, err := textOf(stream)
		require.NoError(t, err)
		assert.Equal(t, "Hello €\n", text)

		waited, err := openStream(t.Context(), newClient(t, newTransport(t, twoRounds()...)), assistants.WithToolHandler(nameIt))
		require.NoError(t, err)
		defer waited.Close()
		run, err := waited.Wait()
		require.NoError(t, err)
		assert.Equal(t, assistants.RunCompleted, run.Status)
	})
	t.Run("without a handler", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, oneRound()...)
		stream, err := openStream(t.Context(), newClient(t, tr))
		require.NoError(t, err)
		run, err := stream.Wait()
		require.NoError(t, err)
		assert.Equal(t, "call_1", run.FunctionCalls()[0].ID)
		require.NoError(t, stream.Close())
		assert.Len(t, tr.requests(), 1)
	})
	t.Run("approvals are the caller's", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, streaming(sse(append(beginning[:3:3], "run.requires_action "+aRun("requires_action",
			`"required_action":{"type":"submit_tool_approval","submit_tool_approval":{"tool_calls":[{"id":"call_1","type":"mcp"}]}}`), "done")...)))
		stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(nameIt))
		require.NoError(t, err)
		run, err := stream.Wait()
		require.NoError(t, err)
		assert.Equal(t, assistants.ActionSubmitToolApproval, run.RequiredAction.Type)
		require.NoError(t, stream.Close(), "which was read to its end")
		assert.Len(t, tr.requests(), 1)
	})
}

// What belongs to the first request does not go with the others.
func TestToolHandlerStreamOptions(t *testing.T) {
	t.Parallel()
	var resp assistants.Response
	steps := oneRound(streaming(sse(answering(goingOn("step_1", "call_1")...)...), "x-request-id: req_2"))
	tr := newClocked(t, steps...)
	stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(nameIt), assistants.WithIdempotencyKey("key"),
		assistants.WithBodyField("extra", 1), assistants.WithInclude(assistants.IncludeFileSearchContent), assistants.WithResponse(&resp), assistants.WithHeader("X-Trace", "t"))
	require.NoError(t, err)
	defer stream.Close()
	_, err = stream.Wait()
	require.NoError(t, err)
	assert.Equal(t, first+"?"+contentIncluded+again, tr.asked())
	assert.JSONEq(t, `{"assistant_id":"asst_1","stream":true,"extra":1}`, tr.requests()[0].body)
	assert.JSONEq(t, `{"tool_outputs":[{"tool_call_id":"call_1","output":"of call_1"}],"stream":true}`, tr.requests()[1].body)
	assert.Equal(t, "key", tr.requests()[0].Header.Get("Idempotency-Key"))
	assert.Empty(t, tr.requests()[1].Header.Get("Idempotency-Key"))
	assert.Equal(t, "t", tr.requests()[1].Header.Get("X-Trace"))
	assert.Equal(t, "req_2", resp.RequestID)
}

// A stream that asks in circles ends, and its run is cancelled.
func TestToolHandlerStreamMaxRounds(t *testing.T) {
	t.Parallel()
	tr := newClocked(t, append(twoRounds()[:2], answer(200, aRun("cancelling")))...)
	stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(nameIt), assistants.WithMaxToolRounds(1))
	require.NoError(t, err)
	run, err := stream.Wait()
	require.ErrorIs(t, err, assistants.ErrToolRounds)
	assert.NotContains(t, err.Error(), "not cancelled")
	assert.Equal(t, "call_2", run.FunctionCalls()[0].ID)
	_, again2 := stream.Wait()
	require.ErrorIs(t, again2, assistants.ErrToolRounds)
	require.NoError(t, stream.Close())
	assert.Equal(t, first+again+", POST run/cancel", tr.asked())
}

// Nothing is answered while nobody waits for an event.
func TestToolHandlerStreamBreak(t *testing.T) {
	t.Parallel()
	until := func(t *testing.T, stream *assistants.Stream, typ assistants.EventType) {
		t.Helper()
		for event, err := range stream.Events() {
			require.NoError(t, err)
			if event.Type == typ {
				return
			}
		}
		t.Fatalf("no %s", typ)
	}
	var calls atomic.Int32
	handler := assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
		calls.Add(1)
		return nameIt(ctx, call)
	})
	tr := newClocked(t, twoRounds()...)
	stream, err := openStream(t.Context(), newClient(t, tr), handler)
	require.NoError(t, err)
	until(t, stream, assistants.EventRunRequiresAction)
	assert.Zero(t, calls.Load())
	assert.Equal(t, first, tr.asked())
	until(t, stream, assistants.EventRunRequiresAction) // of the second round
	assert.EqualValues(t, 1, calls.Load())
	assert.Equal(t, first+again, tr.asked())
	_, err = stream.Wait()
	require.NoError(t, err)
	assert.EqualValues(t, 2, calls.Load())
	require.NoError(t, stream.Close())
	assert.Equal(t, first+again+again, tr.asked())

	for _, typ := range []assistants.EventType{assistants.EventRunCreated, assistants.EventRunRequiresAction} {
		tr := newClocked(t, append(twoRounds()[:1], answer(200, aRun("cancelling")))...)
		stream, err := openStream(t.Context(), newClient(t, tr), handler)
		require.NoError(t, err)
		until(t, stream, typ)
		require.NoError(t, stream.Close())
		require.NoError(t, stream.Close())
		_, err = stream.Wait()
		require.ErrorIs(t, err, os.ErrClosed)
		assert.Equal(t, first+", POST run/cancel", tr.asked())
	}
}

// No function is called for a caller who has gone away.
func TestToolHandlerNotBegunTooLate(t *testing.T) {
	t.Parallel()
	handler := func(calls *atomic.Int32) assistants.RequestOption {
		return assistants.WithToolHandler(func(context.Context, assistants.ToolCall) (string, error) {
			calls.Add(1)
			return "", nil
		})
	}
	t.Run("a stream that was closed", func(t *testing.T) {
		t.Parallel()
		var calls atomic.Int32
		for range 30 {
			stream, err := openStream(t.Context(), newClient(t, newTransport(t, oneRound(answer(200, aRun("cancelling")))...)), handler(&calls))
			require.NoError(t, err)
			for event, err := range stream.Events() {
				require.NoError(t, err)
				if event.Type == assistants.EventRunRequiresAction {
					require.NoError(t, stream.Close())
					break
				}
			}
			_, err = stream.Wait()
			require.ErrorIs(t, err, os.ErrClosed)
		}
		assert.Zero(t, calls.Load())
	})
	t.Run("a context that ended", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			for range 30 {
				ctx, cancel := context.WithCancel(t.Context())
				tr := newClocked(t, func(*http.Request) (*http.Response, error) {
					cancel()
					return response(200, waitsFor("a", "b", "c")), nil
				}, answer(200, aRun("cancelling")))
				_, err := poll(ctx, newClient(t, tr), handler(&calls))
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, "GET run, POST run/cancel", tr.asked())
				synctest.Wait()
			}
			assert.Zero(t, calls.Load())
		})
	})
}

// Close and the end of the context end the stream while a function works, and cancel the run once.
func TestToolHandlerStreamAbandoned(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, ctx context.Context, tr *clocked, heeds bool) (stream *assistants.Stream, ended <-chan error, release chan struct{}) {
		release = make(chan struct{})
		stream, err := openStream(ctx, newClient(t, tr), assistants.WithToolHandler(func(ctx context.Context, _ assistants.ToolCall) (string, error) {
			if heeds {
				<-ctx.Done()
			} else {
				<-release
			}
			return "", ctx.Err()
		}))
		require.NoError(t, err)
		result := make(chan error, 1)
		go func() {
			_, err := stream.Wait()
			result <- err
		}()
		return stream, result, release
	}
	for name, heeds := range map[string]bool{"a handler that heeds it": true, "a handler that does not": false} {
		t.Run("closed, "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newClocked(t, oneRound(answer(200, aRun("cancelling")))...)
				stream, ended, release := open(t, t.Context(), tr, heeds)
				defer close(release)
				<-time.After(time.Second)
				require.NoError(t, stream.Close())
				require.ErrorIs(t, <-ended, os.ErrClosed)
				require.NoError(t, stream.Close())
				assert.Equal(t, time.Second, tr.now())
				assert.Equal(t, first+", POST run/cancel", tr.asked())
				assert.Equal(t, assistants.RunRequiresAction, stream.Run().Status)
			})
		})
		for why, how := range gone {
			t.Run(why+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := how.end(t.Context(), time.Second)
					defer cancel()
					tr := newClocked(t, oneRound(answer(200, aRun("cancelling")))...)
					stream, ended, release := open(t, ctx, tr, heeds)
					defer close(release)
					require.ErrorIs(t, <-ended, how.is)
					assert.Equal(t, time.Second, tr.now())
					require.NoError(t, stream.Close())
					assert.Equal(t, first+", POST run/cancel", tr.asked())
				})
			})
		}
	}
	t.Run("closed, and cancelling is refused", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, oneRound(answer(400, refusal))...)
			stream, ended, release := open(t, t.Context(), tr, true)
			defer close(release)
			synctest.Wait()
			require.ErrorIs(t, stream.Close(), assistants.ErrBadRequest)
			require.ErrorIs(t, <-ended, os.ErrClosed)
			assert.Equal(t, first+", POST run/cancel, GET run", tr.asked())
		})
	})
	t.Run("closed when the run had ended", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, oneRound(answer(400, refusal), answer(200, aRun("completed")))...)
			stream, ended, release := open(t, t.Context(), tr, true)
			defer close(release)
			synctest.Wait()
			require.NoError(t, stream.Close())
			require.ErrorIs(t, <-ended, os.ErrClosed)
		})
	})
	t.Run("closed, and cancelling is not answered", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, oneRound(silence)...)
			stream, ended, release := open(t, t.Context(), tr, true)
			defer close(release)
			synctest.Wait()
			require.Error(t, stream.Close())
			require.ErrorIs(t, <-ended, os.ErrClosed)
			assert.Equal(t, 5*time.Second, tr.now())
		})
	})
	// As when a program shuts down: what reads the stream and what owns it learn of the end at the same time.
	t.Run("closed while the end of the context cancels the run", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cancelling, closing := make(chan struct{}), make(chan struct{})
		tr := newClocked(t, oneRound(func(*http.Request) (*http.Response, error) {
			close(cancelling)
			<-closing
			for range 10_000 { // which lets Close come as far as it does
				runtime.Gosched()
			}
			return response(200, aRun("cancelling")), nil
		}, answer(400, `{"error":{"message":"Cannot cancel run with status 'cancelling'."}}`))...)
		stream, ended, release := open(t, ctx, tr, true)
		defer close(release)
		cancel()
		<-cancelling
		close(closing)
		assert.NoError(t, stream.Close())
		err := <-ended
		assert.True(t, errors.Is(err, context.Canceled) || errors.Is(err, os.ErrClosed), err)
		assert.Equal(t, first+", POST run/cancel", tr.asked())
	})
	t.Run("while outputs are submitted", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, oneRound(silence, answer(200, aRun("cancelling")))...)
			stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(nameIt))
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() {
				_, err := stream.Wait()
				ended <- err
			}()
			<-time.After(time.Second)
			require.NoError(t, stream.Close())
			require.ErrorIs(t, <-ended, os.ErrClosed)
			assert.Equal(t, first+again+", POST run/cancel", tr.asked())
		})
	})
}

// A run that ended while a function worked is told of by an event; a submission that failed, by its error.
func TestToolHandlerStreamOvertaken(t *testing.T) {
	t.Parallel()
	expired := answer(400, `{"error":{"message":"Runs in status \"expired\" do not accept tool outputs.","type":"invalid_request_error"}}`)
	cutShort := streaming(strings.TrimSuffix(sse(goingOn("step_1", "call_1")...), "\n"))
	still := answer(200, waitsFor("call_1"))
	for name, test := range map[string]struct {
		handler assistants.ToolHandler
		steps   []step
		names   string // of the events behind the first answer's
		status  assistants.RunStatus
		is      error
		asked   string
		took    time.Duration
	}{
		"expired, says the refusal":   {nameIt, []step{expired, answer(200, aRun("expired"))}, "run.expired", "expired", nil, again + look, 0},
		"cancelled by somebody":       {nameIt, []step{expired, answer(200, aRun("cancelled"))}, "run.cancelled", "cancelled", nil, again + look, 0},
		"expired, says the clock":     {never, []step{answer(200, aRun("expired"))}, "run.expired", "expired", nil, look, 10 * time.Minute},
		"refused":                     {nameIt, []step{answer(400, refusal), still}, "", "requires_action", assistants.ErrBadRequest, again + look, 0},
		"answer lost, done":           {nameIt, []step{fail(reset), answer(200, aRun("completed"))}, "run.completed", "completed", nil, again + look, 0},
		"answer lost, going on":       {nameIt, []step{fail(reset), answer(200, aRun("in_progress"))}, "run.in_progress", "in_progress", io.ErrUnexpectedEOF, again + look, 0},
		"answer lost, asks for more":  {nameIt, []step{fail(reset), answer(200, waitsFor("call_2")), streaming(sse(answering(goingOn("step_2", "call_2")...)...))}, "run.requires_action " + goes + writ, "completed", nil, again + look + again, 0},
		"answer lost, did not arrive": {nameIt, []step{fail(reset), still}, "", "requires_action", reset, again + look, 0},
		"failed for good":             {nameIt, []step{answer(500, "", "x-should-retry: false"), still}, "", "requires_action", assistants.ErrServer, again + look, 0},
		"answered without a stream":   {nameIt, answers(aRun("queued"), aRun("completed")), "run.completed", "completed", nil, again + look, 0},
		"an error in the stream":      {nameIt, []step{streaming(sse(`error {"error":{"message":"Sorry.","type":"server_error"}}`))}, "", "requires_action", assistants.ErrServer, again, 0},
		"cut":                         {nameIt, []step{cutShort}, "run.step.completed run.queued", "queued", io.ErrUnexpectedEOF, again, 0},
		"ended without an event":      {nameIt, []step{streaming("")}, "", "requires_action", io.ErrUnexpectedEOF, again, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newClocked(t, oneRound(test.steps...)...)
				stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(test.handler))
				require.NoError(t, err)
				events, err := eventsOf(stream)
				if test.is == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, test.is)
				}
				assert.Equal(t, strings.TrimSpace(runBegins+asks+test.names), namesOf(events))
				assert.Equal(t, test.status, stream.Run().Status)
				assert.Equal(t, first+test.asked, tr.asked())
				assert.InDelta(t, test.took.Seconds(), tr.now().Seconds(), 0.2, "and the end of a connection")
				last := events[len(events)-1]
				if last.Run != nil {
					assert.Equal(t, last.Run.Status, stream.Run().Status)
					assert.EqualValues(t, "thread.run."+last.Run.Status, last.Type)
					assert.Contains(t, string(last.Data), `"id":"run_1"`)
				}
			})
		})
	}
}

// Loops that read one stream together have its calls answered once.
func TestToolHandlerStreamShared(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	tr := newClocked(t, twoRounds()...)
	stream, err := openStream(t.Context(), newClient(t, tr), assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
		calls.Add(1)
		return nameIt(ctx, call)
	}))
	require.NoError(t, err)
	defer stream.Close()
	var group sync.WaitGroup
	var events atomic.Int32
	for range 8 {
		group.Go(func() {
			for _, err := range stream.Events() {
				assert.NoError(t, err)
				events.Add(1)
				_, _, _ = stream.Run(), stream.Messages(), stream.Steps()
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, len(strings.Fields(runBegins+asks+goes+asks+goes+writ)), events.Load())
	assert.EqualValues(t, 2, calls.Load())
	assert.Equal(t, first+again+again, tr.asked())
}
