package assistantstest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

const createThread = "POST /threads"

// thread makes a thread, and returns nothing but the error.
func thread(t testing.TB, api *assistantstest.API, opts ...assistants.RequestOption) error {
	t.Helper()
	_, err := api.Threads.Create(t.Context(), assistants.ThreadCreateParams{}, opts...)
	return err
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault assistantstest.Fault
		after string // in seconds
		is    error
		want  assistants.APIError
		body  string
	}{
		{assistantstest.Fault{Status: 500}, "0", assistants.ErrServer, assistants.APIError{Type: "server_error"},
			`{"error":{"message":"The test wants this error: Internal Server Error.","type":"server_error","param":null,"code":null}}`},
		{assistantstest.Fault{Status: 429, Code: "rate_limit_exceeded", Message: "Slow down.", RetryAfter: 1500 * time.Millisecond}, "2", assistants.ErrRateLimited,
			assistants.APIError{Type: "requests", Code: "rate_limit_exceeded", RetryAfter: 1500 * time.Millisecond},
			`{"error":{"message":"Slow down.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
		{assistantstest.Fault{Status: 401, Message: "Who?"}, "0", assistants.ErrUnauthorized, assistants.APIError{Type: "invalid_request_error"},
			`{"error":{"message":"Who?","type":"invalid_request_error","param":null,"code":null}}`},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			t.Parallel()
			api := assistantstest.New(t, assistantstest.WithFaults(c.fault))
			var response assistants.Response
			err := thread(t, api, assistants.WithResponse(&response))
			require.ErrorIs(t, err, c.is)
			assert.Equal(t, c.after, response.Header.Get("Retry-After"))
			got, _ := errors.AsType[*assistants.APIError](err)
			assert.Equal(t, c.fault.Status, got.StatusCode)
			assert.JSONEq(t, c.body, string(got.Body))
			assert.Equal(t, []string{c.want.Type, c.want.Code}, []string{got.Type, got.Code})
			assert.Equal(t, c.want.RetryAfter, got.RetryAfter)
			assert.Equal(t, c.fault.Status, api.Requests()[0].Status)
		})
	}
}

// Each fault counts the requests that it is for, and the first one that is due counts.
func TestWhichRequest(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t, assistantstest.WithFaults(
		assistantstest.Fault{On: createThread, Nth: 2, Status: 500},
		assistantstest.Fault{On: createThread, Nth: 3, Status: 502},
		assistantstest.Fault{On: "DELETE /threads/{thread_id}", Status: 403},
	), assistantstest.WithFaults(assistantstest.Fault{Nth: 6, Status: 503}))
	for range 4 {
		_ = thread(t, api)
	}
	_, _ = api.Threads.Delete(t.Context(), "thread_1") // the fifth, and the first of its kind
	_ = thread(t, api)
	var got []int
	for _, r := range api.Requests() {
		got = append(got, r.Status)
	}
	assert.Equal(t, []int{200, 500, 502, 200, 403, 503}, got)
}

// The fault that another one has taken the place of is named.
func TestFaultInPlace(t *testing.T) {
	t.Parallel()
	got := inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithFaults(assistantstest.Fault{Status: 500}, assistantstest.Fault{Nth: 1, Lost: true}))
		_ = thread(t, api)
	})
	require.Len(t, got.errors, 1)
	assert.Contains(t, got.errors[0], "fault 2 (lost answer, request 1) never happened: an earlier fault took its place")
}

// The client sends nothing again unless the test wants that, and then without a pause.
func TestRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fault := assistantstest.WithFaults(assistantstest.Fault{On: createThread, Nth: 1, Status: 503})
		require.ErrorIs(t, thread(t, assistantstest.New(t, fault)), assistants.ErrServer)

		began := time.Now()
		require.NoError(t, thread(t, assistantstest.New(t, fault, assistantstest.WithClient(assistants.WithMaxRetries(2)))))
		assert.Zero(t, time.Since(began))

		patient := assistantstest.New(t, assistantstest.WithClient(assistants.WithMaxRetries(1)),
			assistantstest.WithFaults(assistantstest.Fault{On: createThread, Nth: 1, Status: 429, RetryAfter: 20 * time.Second}))
		require.NoError(t, thread(t, patient))
		assert.Equal(t, 20*time.Second, time.Since(began))
	})
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := assistantstest.New(t, assistantstest.WithFaults(assistantstest.Fault{Nth: 1, Delay: 10 * time.Second}, assistantstest.Fault{Delay: 20 * time.Second, Status: 500}),
			assistantstest.WithClient(assistants.WithTimeout(30*time.Second)))
		began := time.Now()
		require.NoError(t, thread(t, api))
		assert.Equal(t, 10*time.Second, time.Since(began))
		require.ErrorIs(t, thread(t, api), assistants.ErrServer)
		assert.Equal(t, 30*time.Second, time.Since(began))

		// Who gives up was never heard.
		require.ErrorIs(t, thread(t, api, assistants.WithTimeout(time.Second)), context.DeadlineExceeded)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := api.Threads.Create(ctx, assistants.ThreadCreateParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 33*time.Second, time.Since(began))
		<-time.After(time.Minute)
		assert.Equal(t, []int{0, 0}, []int{api.Requests()[2].Status, api.Requests()[3].Status})
	})
}

// A fault that the client does not wait for never happens.
func TestFaultTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := inTest(func(ft testing.TB) {
			api := assistantstest.New(ft, assistantstest.WithFaults(assistantstest.Fault{Delay: time.Hour, Lost: true}))
			assert.ErrorIs(ft, thread(t, api, assistants.WithTimeout(time.Minute)), context.DeadlineExceeded)
		})
		require.Len(t, got.errors, 1)
		assert.Contains(t, got.errors[0], "fault 1 (delay of 1h0m0s, lost answer, every request) never happened: the client gave up before")
	})
}

// clients are the client in the process and one over the network: a fault is the same to both.
func clients(t *testing.T, f func(t *testing.T, open func(opts ...assistantstest.Option) (*assistantstest.API, *assistants.Client))) {
	t.Helper()
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		f(t, func(opts ...assistantstest.Option) (*assistantstest.API, *assistants.Client) {
			api := assistantstest.New(t, opts...)
			return api, api.Client
		})
	})
	t.Run("network", func(t *testing.T) {
		t.Parallel()
		f(t, func(opts ...assistantstest.Option) (*assistantstest.API, *assistants.Client) {
			api := assistantstest.New(t, opts...)
			client, err := assistants.NewClient(assistants.WithBaseURL(api.URL()), assistants.WithAPIKey("none"), assistants.WithMaxRetries(0))
			require.NoError(t, err)
			t.Cleanup(client.CloseIdleConnections)
			return api, client
		})
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	clients(t, func(t *testing.T, open func(...assistantstest.Option) (*assistantstest.API, *assistants.Client)) {
		api, client := open(assistantstest.WithFaults(assistantstest.Fault{Nth: 1, Reset: true}))
		_, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
		require.Error(t, err)
		_, answered := errors.AsType[*assistants.APIError](err)
		assert.False(t, answered, err)
		assert.Zero(t, api.Requests()[0].Status)
		_, err = client.Threads.Retrieve(t.Context(), "thread_1")
		assert.ErrorIs(t, err, assistants.ErrNotFound, "it has not arrived")
	})
}

// A lost answer is the case for an idempotency key.
func TestLost(t *testing.T) {
	t.Parallel()
	clients(t, func(t *testing.T, open func(...assistantstest.Option) (*assistantstest.API, *assistants.Client)) {
		api, client := open(assistantstest.WithFaults(assistantstest.Fault{On: createThread, Nth: 1, Lost: true}))
		key := assistants.WithIdempotencyKey("order-4711")
		_, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{}, key)
		require.Error(t, err)
		assert.Zero(t, api.Requests()[0].Status)
		_, err = client.Threads.Retrieve(t.Context(), "thread_1")
		require.NoError(t, err, "it has arrived")
		again, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{}, key)
		require.NoError(t, err)
		assert.Equal(t, "thread_1", again.ID)
	})
}

// A stream breaks off behind as many events as the fault says, and its run goes on.
func TestCutAfter(t *testing.T) {
	t.Parallel()
	clients(t, func(t *testing.T, open func(...assistantstest.Option) (*assistantstest.API, *assistants.Client)) {
		// The model goes on when the client has seen the break: the break waits for nothing.
		broken := make(chan struct{})
		api, client := open(
			assistantstest.WithRules(server.Otherwise(server.Say("One two"), server.Until(broken), server.Say(" three."))),
			assistantstest.WithFaults(assistantstest.Fault{On: "POST /threads/runs", CutAfter: 9}))
		assistant, err := api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
		require.NoError(t, err)
		stream, err := client.Threads.CreateAndRunStream(t.Context(), asking(assistant.ID, "Count"),
			assistants.WithIdempotencyKey("which has the server collect the rest"))
		require.NoError(t, err)
		defer stream.Close()
		events := 0
		for _, err = range stream.Events() {
			if err == nil {
				events++
			}
		}
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, 9, events)
		close(broken)
		run := finished(t, api, stream.Run())
		assert.Equal(t, assistants.RunCompleted, run.Status)
		assert.Equal(t, "One two three.", newestText(t, api, run.ThreadID))
		assert.Equal(t, 200, api.Requests("POST /threads/runs")[0].Status)
	})
}

// A cut right before done leaves a stream without it; behind done there is nothing to cut.
func TestCutBeforeDone(t *testing.T) {
	t.Parallel()
	stream := func(t testing.TB, fault assistantstest.Fault) (events int, err error) {
		api := assistantstest.New(t, assistantstest.WithRules(server.Otherwise(server.Say("Hi"))), assistantstest.WithFaults(fault))
		assistant, err := api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
		require.NoError(t, err)
		s, err := api.Threads.CreateAndRunStream(t.Context(), asking(assistant.ID, "Hi"))
		require.NoError(t, err)
		defer s.Close()
		for _, err := range s.Events() {
			if err != nil {
				return events, err
			}
			events++
		}
		return events, nil
	}
	all, err := stream(t, assistantstest.Fault{Delay: 1})
	require.NoError(t, err)
	last, err := stream(t, assistantstest.Fault{CutAfter: all})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, all, last)
	got := inTest(func(t testing.TB) {
		_, err := stream(t, assistantstest.Fault{CutAfter: all + 1})
		assert.NoError(t, err)
	})
	assert.Contains(t, got.text(), "never happened: the answer ended before")
}

func TestCutBytes(t *testing.T) {
	t.Parallel()
	clients(t, func(t *testing.T, open func(...assistantstest.Option) (*assistantstest.API, *assistants.Client)) {
		api, client := open(assistantstest.WithRules(server.Otherwise(server.Say("One two three."))), assistantstest.WithFaults(
			assistantstest.Fault{On: "POST /threads/{thread_id}/runs", CutBytes: 700},
			assistantstest.Fault{On: "GET /threads/{thread_id}", CutBytes: 20}))
		run := finished(t, api, startRun(t, api, "Hi"))
		var got bytes.Buffer
		err := client.Call(t.Context(), "POST", "/threads/thread_1/runs", map[string]any{"assistant_id": run.AssistantID, "stream": true}, &got)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, 700, got.Len())

		_, err = client.Threads.Retrieve(t.Context(), "thread_1")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		broken, ok := errors.AsType[*assistants.APIError](err)
		require.True(t, ok)
		assert.Len(t, broken.Body, 20)
	})
}

// The events of a stream are counted, not the lines of an answer that is none.
func TestCutAfterElsewhere(t *testing.T) {
	t.Parallel()
	got := inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithFaults(assistantstest.Fault{CutAfter: 1}))
		assert.NoError(t, thread(t, api))
		assert.Equal(t, 200, api.Requests()[0].Status)
	})
	assert.Contains(t, got.text(), "never happened: the answer was no stream")
}

// The first word comes behind 7 events, whether the stream is that of a new run or of submitted outputs.
func TestFirstWord(t *testing.T) {
	t.Parallel()
	call := server.When(server.Asked(""), server.CallFunction("f", "{}"), server.CallFunction("f", "{}"))
	api := assistantstest.New(t, assistantstest.WithRules(call.Once(), server.Otherwise(server.Say("Well"))), assistantstest.WithFaults(
		assistantstest.Fault{On: "POST /threads/{thread_id}/runs", CutAfter: 8},
		assistantstest.Fault{On: "POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs", CutAfter: 8}))
	run := finished(t, api, startRun(t, api, "Hi"))
	submission := assistants.RunSubmitToolOutputsParams{}
	for _, call := range run.FunctionCalls() {
		submission.ToolOutputs = append(submission.ToolOutputs, assistants.ToolOutput{ToolCallID: call.ID, Output: "1"})
	}
	stream, err := api.Runs.SubmitToolOutputsStream(t.Context(), run.ThreadID, run.ID, submission)
	require.NoError(t, err)
	endsWithWord(t, stream)
	finished(t, api, run)
	stream, err = api.Runs.Stream(t.Context(), run.ThreadID, assistants.RunCreateParams{AssistantID: run.AssistantID})
	require.NoError(t, err)
	endsWithWord(t, stream)
}

// endsWithWord reads a stream to its cut, of which the last event is the first with a text.
func endsWithWord(t *testing.T, stream *assistants.Stream) {
	t.Helper()
	defer stream.Close()
	var events []assistants.EventType
	for event, err := range stream.Events() {
		if err != nil {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			break
		}
		events = append(events, event.Type)
	}
	require.Len(t, events, 8)
	assert.Equal(t, 7, slices.Index(events, assistants.EventMessageDelta))
}

// A server that drops the connection, or whose goroutine ends, does so with a fault in sight as well.
func TestEndInCut(t *testing.T) {
	t.Parallel()
	for _, end := range []func(){func() { panic(http.ErrAbortHandler) }, runtime.Goexit} {
		got := inTest(func(t testing.TB) {
			api := assistantstest.New(t, assistantstest.WithServer(server.WithStore(ending{server.NewMemoryStore(), end})),
				assistantstest.WithFaults(assistantstest.Fault{On: createThread, CutBytes: 10}))
			assert.ErrorContains(t, thread(t, api), "the handler aborted the connection")
		})
		require.Len(t, got.errors, 1)
		assert.Contains(t, got.errors[0], "never happened: the answer ended before")
	}
}

// ending is a store that never returns from an insertion.
type ending struct {
	server.Store
	end func()
}

func (e ending) Insert(context.Context, server.Collection, server.Record) error {
	e.end()
	return nil
}
