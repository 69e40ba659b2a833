package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// waitsFor is a run that waits for the outputs of these calls.
func waitsFor(ids ...string) string {
	return aRun("requires_action", waiting(ids...))
}

// waiting is the field that says so.
func waiting(ids ...string) string {
	var calls []string
	for _, id := range ids {
		calls = append(calls, `{"id":"`+id+`","type":"function","function":{"name":"f","arguments":"{}"}}`)
	}
	return `"required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[` + strings.Join(calls, ",") + `]}}`
}

// echo answers a call with its arguments.
func echo(_ context.Context, call assistants.ToolCall) (string, error) {
	return call.Function.Arguments, nil
}

// nameIt answers a call with its id.
func nameIt(_ context.Context, call assistants.ToolCall) (string, error) { return "of " + call.ID, nil }

// never answers nothing, and ends with the context.
func never(ctx context.Context, _ assistants.ToolCall) (string, error) {
	<-ctx.Done()
	return "too late", ctx.Err()
}

// outputsOf are the outputs of a submission, as "id=output".
func outputsOf(t *testing.T, body string) (outputs []string) {
	t.Helper()
	var sent struct {
		ToolOutputs []struct {
			ID     string `json:"tool_call_id"`
			Output string
		} `json:"tool_outputs"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &sent), body)
	for _, output := range sent.ToolOutputs {
		outputs = append(outputs, output.ID+"="+output.Output)
	}
	return outputs
}

const refusal = `{"error":{"message":"Expected tool outputs for call_ids ['call_1', 'call_2'], got ['call_1']","type":"invalid_request_error"}}`

type shyError struct{}

func (*shyError) Error() string { panic("no text") }

// Whatever becomes of a function, the model is told, and the run goes on.
func TestToolHandlerOutputs(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	big := strings.Repeat("x", limit)
	type handler = assistants.ToolHandler
	returns := func(output string, err error) handler {
		return func(context.Context, assistants.ToolCall) (string, error) { return output, err }
	}
	does := func(what func(assistants.ToolCall)) handler {
		return func(_ context.Context, call assistants.ToolCall) (string, error) { what(call); return "unreached", nil }
	}
	for name, test := range map[string]struct {
		handler handler
		want    string
	}{
		"its arguments":            {echo, `{}`},
		"nothing":                  {returns("", nil), ``},
		"text":                     {returns("42 \"€\"\n", nil), "42 \"€\"\n"},
		"a megabyte":               {returns(big, nil), big},
		"more than a megabyte":     {returns(big+"x", nil), `{"error":"the output of 1048577 bytes is too long"}`},
		"no text at all":           {returns("a\xffb\xc3", nil), "a\ufffdb\ufffd"},
		"an error":                 {returns("", errors.New(`no "weather" here`)), `{"error":"no \"weather\" here"}`},
		"an error and an output":   {returns("sunny", errors.New("no")), `{"error":"no"}`},
		"an error without a text":  {returns("", errors.New("")), `{"error":""}`},
		"an error that is no text": {returns("", errors.New("a\xff")), "{\"error\":\"a\ufffd\"}"},
		"an error that panics":     {returns("", (*shyError)(nil)), `{"error":"the function panicked"}`},
		"a panic":                  {does(func(assistants.ToolCall) { panic("password: hunter2") }), `{"error":"the function panicked"}`},
		"a panic of nil":           {does(func(assistants.ToolCall) { panic(nil) }), `{"error":"the function panicked"}`},
		"a panic of an error":      {does(func(call assistants.ToolCall) { _ = call.FileSearch.Results }), `{"error":"the function panicked"}`},
		"an end of the goroutine":  {does(func(assistants.ToolCall) { runtime.Goexit() }), `{"error":"the function did not return"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answers(waitsFor("call_1", "call_2"), aRun("completed"))...)
			run, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(test.handler))
			require.NoError(t, err)
			assert.Equal(t, assistants.RunCompleted, run.Status)
			require.Len(t, tr.requests(), 2)
			assert.Equal(t, "/v1/threads/thread_1/runs/run_1/submit_tool_outputs", tr.last().URL.Path)
			outputs := outputsOf(t, strings.ReplaceAll(tr.last().body, `\u00e9`, "é"))
			assert.True(t, outputs[0] == "call_1="+test.want && outputs[1] == "call_2="+test.want, "%.200q", outputs)
		})
	}
	t.Run("an error of more than a megabyte", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answers(waitsFor("call_1"), aRun("completed"))...)
		_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(returns("", errors.New(big+big))))
		require.NoError(t, err)
		assert.Less(t, len(tr.last().body), limit+1000)
		assert.Contains(t, tr.last().body, `{\"error\":\"xxx`)
	})
}

// Only functions have fields here; what else a server lets its caller do, the handler can see and answer.
func TestToolHandlerOfUnknownCalls(t *testing.T) {
	t.Parallel()
	run := aRun("requires_action", `"required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[
		{"id":"call_1","type":"custom","function":"odd"},{"id":"call_2","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}`)
	tr := newTransport(t, answers(run, aRun("completed"))...)
	_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(func(_ context.Context, call assistants.ToolCall) (string, error) {
		if call.Type != assistants.ToolFunction {
			return string(call.Type), nil
		}
		return call.Function.Name + call.Function.Arguments, nil
	}))
	require.NoError(t, err)
	assert.Equal(t, []string{"call_1=custom", `call_2=f{"a":1}`}, outputsOf(t, tr.last().body))
}

// Calls run at once as far as they may, and are answered in their order.
func TestToolHandlerConcurrency(t *testing.T) {
	t.Parallel()
	var ids, want []string
	for i := range 24 {
		ids = append(ids, fmt.Sprintf("call_%d", i))
		want = append(want, fmt.Sprintf("call_%d=of call_%d", i, i))
	}
	for name, test := range map[string]struct {
		opts   []assistants.RequestOption
		client []assistants.Option
		most   int
	}{
		"by default":        {nil, nil, 8},
		"one at a time":     {[]assistants.RequestOption{assistants.WithToolConcurrency(1)}, nil, 1},
		"three":             {[]assistants.RequestOption{assistants.WithToolConcurrency(3)}, nil, 3},
		"of the client":     {nil, []assistants.Option{assistants.WithToolConcurrency(2)}, 2},
		"more than needed":  {[]assistants.RequestOption{assistants.WithToolConcurrency(1000)}, nil, 24},
		"the call's counts": {[]assistants.RequestOption{assistants.WithToolConcurrency(4)}, []assistants.Option{assistants.WithToolConcurrency(2)}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var running, most, calls atomic.Int32
				tr := newClocked(t, answers(waitsFor(ids...), aRun("completed"))...)
				_, err := createAndPoll(t.Context(), newClient(t, tr, test.client...), append(test.opts,
					assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
						calls.Add(1)
						now := running.Add(1)
						defer running.Add(-1)
						for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
						}
						<-time.After(time.Second)
						return nameIt(ctx, call)
					}))...)
				require.NoError(t, err)
				assert.EqualValues(t, test.most, most.Load())
				assert.EqualValues(t, 24, calls.Load())
				assert.Equal(t, time.Duration(24/test.most)*time.Second, tr.now())
				assert.Equal(t, want, outputsOf(t, tr.last().body))
			})
		})
	}
	t.Run("the last one first", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			late := map[string]time.Duration{"a": 3 * time.Second, "b": 2 * time.Second, "c": time.Second, "d": 0}
			tr := newClocked(t, answers(waitsFor("a", "b", "c", "d"), aRun("completed"))...)
			_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(
				func(_ context.Context, call assistants.ToolCall) (string, error) {
					<-time.After(late[call.ID])
					return strings.ToUpper(call.ID), nil
				}))
			require.NoError(t, err)
			assert.Equal(t, []string{"a=A", "b=B", "c=C", "d=D"}, outputsOf(t, tr.last().body))
			assert.Equal(t, 3*time.Second, tr.now())
		})
	})
}

// A run may ask several times, in whatever way it was begun. Every call is answered once.
func TestToolHandlerRounds(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		call  pollCall
		first string
	}{
		"Poll":                     {poll, "0s GET run"},
		"CreateAndPoll":            {createAndPoll, "0s POST /threads/thread_1/runs"},
		"SubmitToolOutputsAndPoll": {submitAndPoll, "0s POST run/submit_tool_outputs"},
		"CreateAndRunPoll":         {createAndRunPoll, "0s POST /threads/runs"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var asked []string
				tr := newClocked(t, answers(waitsFor("call_1"), aRun("queued"), aRun("in_progress"), waitsFor("call_2"), waitsFor("call_3"),
					aRun("in_progress"), aRun("completed"))...)
				run, err := test.call(t.Context(), newClient(t, tr), assistants.WithToolHandler(
					func(ctx context.Context, call assistants.ToolCall) (string, error) {
						mu.Lock()
						defer mu.Unlock()
						asked = append(asked, call.ID)
						return nameIt(ctx, call)
					}))
				require.NoError(t, err)
				assert.Equal(t, assistants.RunCompleted, run.Status)
				assert.Equal(t, []string{"call_1", "call_2", "call_3"}, asked)
				assert.Equal(t, test.first+", 0s POST run/submit_tool_outputs, 500ms GET run, 1.125s GET run, "+
					"1.125s POST run/submit_tool_outputs, 1.125s POST run/submit_tool_outputs, 1.625s GET run", tr.askedWhen())
				for i, id := range map[int]string{1: "call_1", 4: "call_2", 5: "call_3"} {
					assert.Equal(t, []string{id + "=of " + id}, outputsOf(t, tr.requests()[i].body))
				}
			})
		})
	}
}

// A run that asks in circles is cancelled.
func TestToolHandlerMaxRounds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts   []assistants.RequestOption
		rounds int
	}{
		"by default": {nil, 32},
		"one":        {[]assistants.RequestOption{assistants.WithMaxToolRounds(1)}, 1},
		"three":      {[]assistants.RequestOption{assistants.WithMaxToolRounds(3)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			n := 0
			tr := newClocked(t, func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/cancel") {
					return response(200, aRun("cancelling")), nil
				}
				n++
				return response(200, waitsFor(fmt.Sprintf("call_%d", n))), nil
			})
			run, err := createAndPoll(t.Context(), newClient(t, tr), append(test.opts, assistants.WithToolHandler(
				func(ctx context.Context, call assistants.ToolCall) (string, error) {
					calls.Add(1)
					return nameIt(ctx, call)
				}))...)
			require.ErrorIs(t, err, assistants.ErrToolRounds)
			require.ErrorContains(t, err, "assistants: POST /threads/thread_1/runs/run_1/submit_tool_outputs: ")
			assert.NotContains(t, err.Error(), "not cancelled")
			assert.Equal(t, fmt.Sprintf("call_%d", test.rounds+1), run.FunctionCalls()[0].ID)
			assert.EqualValues(t, test.rounds, calls.Load())
			assert.Equal(t, "POST /threads/thread_1/runs"+strings.Repeat(", POST run/submit_tool_outputs", test.rounds)+", POST run/cancel", tr.asked())
		})
	}
	t.Run("enough", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answers(waitsFor("call_1"), waitsFor("call_2"), aRun("completed"))...)
		_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(echo), assistants.WithMaxToolRounds(2))
		require.NoError(t, err)
		assert.Len(t, tr.requests(), 3)
	})
	t.Run("and cannot be cancelled", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, waitsFor("call_1")), answer(200, waitsFor("call_2")), answer(500, ""))
		_, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(echo), assistants.WithMaxToolRounds(1))
		require.ErrorIs(t, err, assistants.ErrToolRounds)
		require.ErrorContains(t, err, "its run was not cancelled")
		assert.Len(t, tr.requests(), 3)
	})
}

// When the context ends nobody waits for a function, and the run is cancelled once.
func TestToolHandlerAbandoned(t *testing.T) {
	t.Parallel()
	for why, how := range gone {
		for name, heeds := range map[string]bool{"a handler that heeds it": true, "a handler that does not": false} {
			t.Run(name+" "+why, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := how.end(t.Context(), 3*time.Second)
					defer cancel()
					release := make(chan struct{})
					defer close(release)
					var begun, ended atomic.Int32
					tr := newClocked(t, answers(aRun("queued"), waitsFor("a", "b", "c", "d"), aRun("cancelling"))...)
					run, err := createAndPoll(ctx, newClient(t, tr), assistants.WithToolConcurrency(2), assistants.WithToolHandler(
						func(ctx context.Context, call assistants.ToolCall) (string, error) {
							begun.Add(1)
							if heeds {
								<-ctx.Done()
								ended.Add(1)
								return "", ctx.Err()
							}
							<-release
							return "", nil
						}))
					require.ErrorIs(t, err, how.is)
					require.ErrorContains(t, err, "POST /threads/thread_1/runs/run_1/submit_tool_outputs: ")
					assert.Equal(t, 3*time.Second, tr.now())
					assert.Equal(t, assistants.RunRequiresAction, run.Status)
					assert.Equal(t, "POST /threads/thread_1/runs, GET run, POST run/cancel", tr.asked())
					synctest.Wait()
					assert.EqualValues(t, 2, begun.Load(), "no call is begun afterwards")
					if heeds {
						assert.EqualValues(t, 2, ended.Load())
					}
				})
			})
		}
	}
	t.Run("while outputs are submitted", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			tr := newClocked(t, answer(200, waitsFor("call_1")), silence, answer(200, aRun("cancelling")))
			_, err := createAndPoll(ctx, newClient(t, tr), assistants.WithToolHandler(echo))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, "POST /threads/thread_1/runs, POST run/submit_tool_outputs, POST run/cancel", tr.asked())
			assert.Equal(t, time.Second, tr.now())
		})
	})
}

// The handler's context is the caller's, and ends behind the round.
func TestToolHandlerContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	var seen context.Context
	tr := newTransport(t, answers(waitsFor("call_1"), aRun("completed"))...)
	_, err := createAndPoll(context.WithValue(t.Context(), key{}, "v"), newClient(t, tr), assistants.WithToolHandler(
		func(ctx context.Context, _ assistants.ToolCall) (string, error) {
			seen = ctx
			return "", ctx.Err()
		}))
	require.NoError(t, err)
	assert.Equal(t, []string{"call_1="}, outputsOf(t, tr.last().body))
	assert.Equal(t, "v", seen.Value(key{}))
	require.ErrorIs(t, seen.Err(), context.Canceled)
}

// A run that ends while a function works is returned as it is. A run that does not is not given up.
func TestToolHandlerOvertaken(t *testing.T) {
	t.Parallel()
	const submitted, looked, polled = ", POST run/submit_tool_outputs", ", GET run", "POST /threads/thread_1/runs"
	expired := answer(400, `{"error":{"message":"Runs in status \"expired\" do not accept tool outputs.","type":"invalid_request_error"}}`)
	queued := answer(400, `{"error":{"message":"Runs in status \"queued\" do not accept tool outputs.","type":"invalid_request_error"}}`)
	lifetime := func(created, expires string) string {
		return aRun("requires_action", waiting("call_1"), `"created_at":`+created, `"expires_at":`+expires)
	}
	takes := func(d time.Duration) assistants.ToolHandler {
		return func(ctx context.Context, call assistants.ToolCall) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(d):
				return nameIt(ctx, call)
			}
		}
	}
	for name, test := range map[string]struct {
		handler assistants.ToolHandler
		steps   []step
		status  assistants.RunStatus
		is      error  // nil: none
		says    string // the error
		asked   string
		took    time.Duration
	}{
		"expired, says the refusal":    {nameIt, []step{answer(200, waitsFor("call_1")), expired, answer(200, aRun("expired"))}, "expired", nil, "", polled + submitted + looked, 0},
		"cancelled by somebody":        {nameIt, []step{answer(200, waitsFor("call_1")), expired, answer(200, aRun("cancelled"))}, "cancelled", nil, "", polled + submitted + looked, 0},
		"being cancelled by somebody":  {nameIt, append([]step{answer(200, waitsFor("call_1")), expired}, answers(aRun("cancelling"), aRun("cancelled"))...), "cancelled", nil, "", polled + submitted + looked + looked, 500 * time.Millisecond},
		"expired, says the clock":      {never, answers(waitsFor("call_1"), aRun("expired")), "expired", nil, "", polled + looked, 10 * time.Minute},
		"expired after 30 s":           {never, answers(lifetime("1000", "1030"), aRun("expired")), "expired", nil, "", polled + looked, 30 * time.Second},
		"just in time":                 {takes(29 * time.Second), answers(lifetime("1000", "1030"), aRun("completed")), "completed", nil, "", polled + submitted, 29 * time.Second},
		"no life time":                 {takes(time.Hour), answers(lifetime("1000", "0"), aRun("completed")), "completed", nil, "", polled + submitted, time.Hour},
		"no life time, as of v1":       {takes(time.Hour), answers(lifetime("0", "1000"), aRun("completed")), "completed", nil, "", polled + submitted, time.Hour},
		"a life time of nonsense":      {takes(time.Hour), answers(lifetime("1000", "900"), aRun("completed")), "completed", nil, "", polled + submitted, time.Hour},
		"a very long life":             {takes(time.Hour), answers(lifetime("1000", "13000000000"), aRun("completed")), "completed", nil, "", polled + submitted, time.Hour},
		"older than it should be":      {never, answers(waitsFor("call_1"), waitsFor("call_1")), "requires_action", nil, "the run has expired", polled + looked, 10 * time.Minute},
		"refused":                      {nameIt, []step{answer(200, waitsFor("call_1")), answer(400, refusal), answer(200, waitsFor("call_1"))}, "requires_action", assistants.ErrBadRequest, "got ['call_1']", polled + submitted + looked, 0},
		"refused, and the run is lost": {nameIt, []step{answer(200, waitsFor("call_1")), answer(400, refusal), answer(404, "")}, "requires_action", assistants.ErrBadRequest, "got ['call_1']", polled + submitted + looked, 0},
		"answer lost, arrived":         {nameIt, append([]step{answer(200, waitsFor("call_1")), fail(reset)}, answers(aRun("queued"), aRun("completed"))...), "completed", nil, "", polled + submitted + looked + looked, 500 * time.Millisecond},
		"answer lost, done":            {nameIt, []step{answer(200, waitsFor("call_1")), fail(io.ErrUnexpectedEOF), answer(200, aRun("completed"))}, "completed", nil, "", polled + submitted + looked, 0},
		"answer lost, did not arrive":  {nameIt, []step{answer(200, waitsFor("call_1")), fail(reset), answer(200, waitsFor("call_1"))}, "requires_action", reset, "", polled + submitted + looked, 0},
		"answer lost, asks for more": {nameIt, append([]step{answer(200, waitsFor("call_1")), fail(reset)}, answers(waitsFor("call_2"), aRun("completed"))...), "completed", nil, "",
			polled + submitted + looked + submitted, 0},
		"answered late, asks for more": {nameIt, append([]step{answer(200, waitsFor("call_1")), silence}, answers(waitsFor("call_2", "call_3"), aRun("completed"))...), "completed", nil, "",
			polled + submitted + looked + submitted, time.Minute},
		"answer of nothing":           {nameIt, []step{answer(200, waitsFor("call_1")), answer(200, ""), answer(200, aRun("completed"))}, "completed", nil, "", polled + submitted + looked, 0},
		"failed, but arrived":         {nameIt, []step{answer(200, waitsFor("call_1")), answer(500, "", "retry-after-ms: 0"), queued, answer(200, aRun("completed"))}, "completed", nil, "", polled + submitted + submitted + looked, 0},
		"failed for good":             {nameIt, []step{answer(200, waitsFor("call_1")), answer(500, "", "x-should-retry: false"), answer(200, waitsFor("call_1"))}, "requires_action", assistants.ErrServer, "", polled + submitted + looked, 0},
		"failed, and then everything": {nameIt, []step{answer(200, waitsFor("call_1")), answer(500, "", "x-should-retry: false")}, "requires_action", assistants.ErrServer, "submit_tool_outputs: 500", polled + submitted + looked, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newClocked(t, test.steps...)
				run, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(test.handler))
				if test.is == nil && test.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, test.says)
					require.ErrorContains(t, err, "POST /threads/thread_1/runs/run_1/submit_tool_outputs: ")
				}
				if test.is != nil {
					require.ErrorIs(t, err, test.is)
				}
				if e, ok := assistantsError(err); ok && e.StatusCode == 400 {
					assert.Equal(t, "invalid_request_error", e.Type)
				}
				require.NotNil(t, run)
				assert.Equal(t, test.status, run.Status)
				assert.Equal(t, test.asked, tr.asked())
				assert.Equal(t, test.took, tr.now())
			})
		})
	}
}

// What is no function's output is the caller's.
func TestToolHandlerLeavesTheRest(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{
		"approvals": `{"type":"submit_tool_approval","submit_tool_approval":{"tool_calls":[{"id":"call_1","type":"mcp"}]}}`,
		"no calls":  `{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[]}}`,
		"unknown":   `{"type":"consult"}`,
		"null":      `null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, aRun("requires_action", `"required_action":`+action)))
			run, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithToolHandler(func(context.Context, assistants.ToolCall) (string, error) {
				t.Error("called")
				return "", nil
			}))
			require.NoError(t, err)
			assert.Equal(t, assistants.RunRequiresAction, run.Status)
			assert.Len(t, tr.requests(), 1)
		})
	}
}

// A manyRuns is a server of runs that each ask twice for two outputs.
type manyRuns struct {
	mu    sync.Mutex
	looks map[string]int // by run
	bad   []string
}

func (m *manyRuns) RoundTrip(r *http.Request) (*http.Response, error) {
	run := strings.Split(r.URL.Path, "/")[5]
	body := ""
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		body = string(raw)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	look := m.looks[run]
	m.looks[run]++
	asks := func(round int) string {
		return waiting(fmt.Sprintf("%s_%d_a", run, round), fmt.Sprintf("%s_%d_b", run, round))
	}
	if strings.Contains(r.URL.Path, "submit") != (look == 2 || look == 4) {
		m.bad = append(m.bad, r.URL.Path)
	}
	if look == 2 || look == 4 {
		for _, call := range []string{"a", "b"} {
			if want := fmt.Sprintf(`{"tool_call_id":"%s_%d_%s","output":"of %[1]s_%[2]d_%[3]s"}`, run, look/2, call); !strings.Contains(body, want) {
				m.bad = append(m.bad, body)
			}
		}
	}
	status, action := "in_progress", `"required_action":null`
	switch look {
	case 1, 3:
		status, action = "requires_action", asks((look+1)/2)
	case 5:
		status = "completed"
	}
	resp := response(200, aRun(status, action, `"id":"`+run+`"`))
	resp.Request = r
	return resp, nil
}

// One client serves many at once, with handlers of their own.
func TestToolHandlersConcurrently(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &manyRuns{looks: map[string]int{}}
		client := newClient(t, server, assistants.WithToolConcurrency(2))
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				id := fmt.Sprintf("run_%d", i)
				var resp assistants.Response
				var calls atomic.Int32
				run, err := client.Runs.Poll(t.Context(), "thread_1", id, assistants.WithResponse(&resp),
					assistants.WithPollInterval(time.Duration(1+i%7)*time.Millisecond),
					assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
						calls.Add(1)
						if !strings.HasPrefix(call.ID, id+"_") {
							return "", errors.New("of another run")
						}
						return nameIt(ctx, call)
					}))
				if assert.NoError(t, err) {
					assert.Equal(t, id, run.ID)
					assert.Equal(t, assistants.RunCompleted, run.Status)
					assert.EqualValues(t, 4, calls.Load())
					assert.Contains(t, string(resp.Body), `"id":"`+id+`"`)
				}
			})
		}
		group.Wait()
		assert.Empty(t, server.bad)
	})
}
