package assistants_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// counting is a handler that counts its calls.
func counting(calls *atomic.Int32) assistants.RequestOption {
	return assistants.WithToolHandler(func(context.Context, assistants.ToolCall) (string, error) {
		calls.Add(1)
		return "42", nil
	})
}

// A look that still shows the run as it was does not have a function called twice. A server that uses ids again is
// answered all the same.
func TestLateLooks(t *testing.T) {
	t.Parallel()
	waits := answer(200, waitsFor("call_1"))
	queued, completed := answer(200, aRun("queued")), answer(200, aRun("completed"))
	const again = ", POST run/submit_tool_outputs"
	for name, test := range map[string]struct {
		steps []step // behind the creation
		calls int32
		asked string
	}{
		"one is late":                    {[]step{queued, waits, completed}, 1, again + ", GET run, GET run"},
		"three are late":                 {[]step{queued, waits, waits, waits, completed}, 1, again + ", GET run, GET run, GET run, GET run"},
		"used again, as the answer says": {[]step{waits, completed}, 2, again + again},
		"used again, as a look says":     {[]step{queued, answer(200, aRun("in_progress")), waits, completed}, 2, again + ", GET run, GET run" + again},
		"used again, as time says":       {[]step{queued, waits, waits, waits, waits, completed}, 2, again + ", GET run, GET run, GET run, GET run" + again},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				tr := newClocked(t, append([]step{waits}, test.steps...)...)
				run, err := createAndPoll(t.Context(), newClient(t, tr), counting(&calls))
				require.NoError(t, err)
				assert.Equal(t, assistants.RunCompleted, run.Status)
				assert.Equal(t, test.calls, calls.Load())
				assert.Equal(t, "POST /threads/thread_1/runs"+test.asked, tr.asked())
			})
		})
	}
}

// A stream that says nothing of the run behind a submission has broken off: nothing is called or submitted twice.
func TestSilentSubmissions(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]step{
		"nothing": streaming(sse("done")),
		"a step":  streaming(sse("run.step.completed "+aStep("step_1", "completed", ""), "done")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			tr := newTransport(t, streaming(sse("run.created "+aRun("queued"), "run.requires_action "+waitsFor("call_1"), "done")), answered)
			stream, err := openStream(t.Context(), newClient(t, tr), counting(&calls))
			require.NoError(t, err)
			_, err = stream.Wait()
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.EqualValues(t, 1, calls.Load())
			assert.Len(t, tr.requests(), 2)
		})
	}
}

// The response that is reported belongs to the error that is returned.
func TestResponseOfRefusedOutputs(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var resp assistants.Response
	tr := newTransport(t, answer(200, waitsFor("call_1")), answer(400, `{"error":{"message":"no"}}`, "x-request-id: req_submit"),
		answer(200, waitsFor("call_1"), "x-request-id: req_look"))
	_, err := createAndPoll(t.Context(), newClient(t, tr), counting(&calls), assistants.WithResponse(&resp))
	require.ErrorIs(t, err, assistants.ErrBadRequest)
	assert.Equal(t, 400, resp.StatusCode)
	assert.Equal(t, "req_submit", resp.RequestID)
}

// A run whose caller goes away while its outputs are being submitted is cancelled.
func TestSubmittingAbandoned(t *testing.T) {
	t.Parallel()
	for name, submit := range map[string]func(context.Context, *assistants.Client) error{
		"poll": func(ctx context.Context, c *assistants.Client) error {
			_, err := submitAndPoll(ctx, c, assistants.WithCancelOnAbandon())
			return err
		},
		"stream": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Runs.SubmitToolOutputsStream(ctx, "thread_1", "run_1", assistants.RunSubmitToolOutputsParams{}, assistants.WithCancelOnAbandon())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				tr := newClocked(t, func(r *http.Request) (*http.Response, error) {
					cancel()
					return nil, r.Context().Err()
				}, answer(200, aRun("cancelling")))
				require.ErrorIs(t, submit(ctx, newClient(t, tr)), context.Canceled)
				assert.Equal(t, "POST run/submit_tool_outputs, POST run/cancel", tr.asked())
			})
		})
	}
}

// A run is cancelled when its stream is closed early, as soon as its id is known, and left alone when it waits for the
// caller.
func TestCloseAbandons(t *testing.T) {
	t.Parallel()
	begun := []string{"thread.created " + aThread(), "run.created " + aRun("queued")}
	waiting := append(begun[1:2:2], "run.requires_action "+waitsFor("call_1"))
	for name, test := range map[string]struct {
		events  []string
		reads   int
		opts    []assistants.RequestOption
		cancels bool
	}{
		"before the run is known":         {begun, 1, nil, false},
		"once it is":                      {begun, 2, nil, true},
		"by a step":                       {[]string{"run.step.completed " + aStep("step_1", "completed", "")}, 1, nil, true},
		"when it waits for the caller":    {waiting, 2, nil, false},
		"when it waits for the handler":   {waiting, 2, []assistants.RequestOption{counting(new(atomic.Int32))}, true},
		"when it has ended":               {[]string{"run.completed " + aRun("completed")}, 1, nil, false},
		"when somebody else did the rest": {append(begun, "run.cancelled "+aRun("cancelled")), 3, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, streaming(sse(test.events...)), answer(200, aRun("cancelling")))
			stream, err := newClient(t, tr).Threads.CreateAndRunStream(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: "asst_1"},
				append(test.opts, assistants.WithCancelOnAbandon())...)
			require.NoError(t, err)
			for range test.reads {
				for _, err := range stream.Events() {
					require.NoError(t, err)
					break
				}
			}
			require.NoError(t, stream.Close())
			assert.Equal(t, test.cancels, len(tr.requests()) == 2)
			if test.cancels {
				assert.Equal(t, "/v1/threads/thread_1/runs/run_1/cancel", tr.last().URL.Path)
			}
		})
	}
	t.Run("as the caller said", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, streaming(sse("run.step.completed "+aStep("step_1", "completed", ""))), answer(200, aRun("cancelling")))
		stream, err := newClient(t, tr).Runs.SubmitToolOutputsStream(t.Context(), "thread_1", "run_1", assistants.RunSubmitToolOutputsParams{},
			assistants.WithCancelOnAbandon())
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		assert.Equal(t, "/v1/threads/thread_1/runs/run_1/cancel", tr.last().URL.Path)
	})
}
