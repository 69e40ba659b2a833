package assistants_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A clocked is a transport that notes when it was asked.
type clocked struct {
	*transport
	start time.Time

	noting sync.Mutex
	at     []time.Duration
}

// newClocked starts the clock.
func newClocked(t *testing.T, steps ...step) *clocked {
	t.Helper()
	return &clocked{transport: newTransport(t, steps...), start: time.Now()}
}

func (c *clocked) RoundTrip(r *http.Request) (*http.Response, error) {
	c.noting.Lock()
	c.at = append(c.at, c.now())
	c.noting.Unlock()
	return c.transport.RoundTrip(r)
}

func (c *clocked) now() time.Duration { return time.Since(c.start) }

// asked is what was asked for, with "run" for the run's own path: "GET run, POST run/cancel".
func (c *clocked) asked() string {
	return strings.ReplaceAll(strings.Join(c.uris(), ", "), "/threads/thread_1/runs/run_1", "run")
}

// askedWhen is asked with the time of each.
func (c *clocked) askedWhen() string {
	var all []string
	for i, uri := range strings.Split(c.asked(), ", ") {
		all = append(all, c.at[i].Round(time.Millisecond).String()+" "+uri)
	}
	return strings.Join(all, ", ")
}

// checkPauses checks how many milliseconds were between the looks, and that there was no time before or behind them.
func (c *clocked) checkPauses(t *testing.T, want []int) {
	t.Helper()
	require.Len(t, c.at, len(want)+1)
	assert.Zero(t, c.at[0], "the first look is at once")
	for i, want := range want {
		pause := c.at[i+1] - c.at[i]
		assert.InDelta(t, float64(want), float64(pause)/float64(time.Millisecond), 0.5, "pause %d", i)
	}
	assert.Equal(t, c.at[len(want)], c.now(), "it returns at once")
}

// answers are steps that answer with these runs, one after the other.
func answers(runs ...string) (steps []step) {
	for _, run := range runs {
		steps = append(steps, answer(200, run))
	}
	return steps
}

// A pollCall is one of the calls that wait for a run.
type pollCall func(context.Context, *assistants.Client, ...assistants.RequestOption) (*assistants.Run, error)

func poll(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Run, error) {
	return c.Runs.Poll(ctx, "thread_1", "run_1", opts...)
}

func createAndPoll(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Run, error) {
	return c.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"}, opts...)
}

func submitAndPoll(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Run, error) {
	return c.Runs.SubmitToolOutputsAndPoll(ctx, "thread_1", "run_1", assistants.RunSubmitToolOutputsParams{
		ToolOutputs: []assistants.ToolOutput{{ToolCallID: "call_1", Output: "42"}}}, opts...)
}

func createAndRunPoll(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Run, error) {
	return c.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_1"}, opts...)
}

// A pause is what is between two looks at what one waits for.
type pause struct {
	after  string // what the server asks for
	opts   []assistants.RequestOption
	client []assistants.Option
	want   []int // in milliseconds
}

func pauses() map[string]pause {
	growing := []int{500, 625, 781, 977, 1221, 1526, 1907, 2384, 2980, 3725, 4657, 5000, 5000, 5000}
	same := func(ms int) []int { return []int{ms, ms, ms, ms} }
	every := assistants.WithPollInterval(2 * time.Second)
	return map[string]pause{
		"growing":                      {want: growing},
		"as the server asks":           {after: "1500", want: same(1500)},
		"as the server asks, shortly":  {after: "1", want: same(1)},
		"zero":                         {after: "0", want: growing},
		"negative":                     {after: "-100", want: growing},
		"no number":                    {after: "soon", want: growing},
		"no whole number":              {after: "1.5", want: growing},
		"a minute":                     {after: "60000", want: same(60000)},
		"no more than a minute":        {after: "60001", want: same(60000)},
		"much more than a minute":      {after: "9223372036854775807", want: same(60000)},
		"no number of this world":      {after: "99999999999999999999", want: growing},
		"as the caller wants":          {opts: []assistants.RequestOption{every}, want: same(2000)},
		"the caller before the server": {after: "1500", opts: []assistants.RequestOption{every}, want: same(2000)},
		"as the client wants":          {after: "1500", client: []assistants.Option{every}, want: same(2000)},
		"the call before the client": {client: []assistants.Option{every}, opts: []assistants.RequestOption{
			assistants.WithPollInterval(time.Millisecond)}, want: same(1)},
	}
}

// Between two looks at a run is half a second, growing to five, or what the server asks for, or what the caller does.
func TestPollPauses(t *testing.T) {
	t.Parallel()
	for name, test := range pauses() {
		for what, call := range map[string]pollCall{"Poll": poll, "CreateAndPoll": createAndPoll, "SubmitToolOutputsAndPoll": submitAndPoll, "CreateAndRunPoll": createAndRunPoll} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					status := func(status string) step { return answer(200, aRun(status), "openai-poll-after-ms: "+test.after) }
					var steps []step
					for range test.want {
						steps = append(steps, status([]string{"queued", "in_progress", "cancelling"}[len(steps)%3]))
					}
					tr := newClocked(t, append(steps, status("completed"))...)
					run, err := call(t.Context(), newClient(t, tr, test.client...), test.opts...)
					require.NoError(t, err)
					assert.Equal(t, assistants.RunCompleted, run.Status)
					tr.checkPauses(t, test.want)
				})
			})
		}
	}
}

// The server's wish counts for the pause behind the answer that it came in.
func TestPollPausesChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := newClocked(t, answer(200, aRun("queued")), answer(200, aRun("queued"), "openai-poll-after-ms: 3000"),
			answer(200, aRun("queued")), answer(200, aRun("expired")))
		_, err := createAndPoll(t.Context(), newClient(t, tr))
		require.NoError(t, err)
		assert.Equal(t, "0s POST /threads/thread_1/runs, 500ms GET run, 3.5s GET run, 4.125s GET run", tr.askedWhen())
	})
}

// What each call sends, and that it ends where nobody but its caller can go on.
func TestPollEnds(t *testing.T) {
	t.Parallel()
	approval := aRun("requires_action", `"required_action":{"type":"submit_tool_approval","submit_tool_approval":{"tool_calls":[
		{"id":"call_1","type":"mcp","name":"n","arguments":"{}","server_label":"docs"}]}}`)
	ends := map[string]string{
		"completed": aRun("completed"), "incomplete": aRun("incomplete", `"incomplete_details":{"reason":"content_filter"}`),
		"failed":    aRun("failed", `"last_error":{"code":"server_error","message":"Sorry."}`),
		"cancelled": aRun("cancelled"), "expired": aRun("expired"), "paused": aRun("paused"), "": aRun(""),
		"requires_action": waitsFor("call_2"), "requires_action: approval": approval, "requires_action: unknown": aRun("requires_action"),
	}
	for what, test := range map[string]struct {
		call  pollCall
		first string
	}{
		"Poll":                     {poll, "GET run"},
		"CreateAndPoll":            {createAndPoll, "POST /threads/thread_1/runs"},
		"SubmitToolOutputsAndPoll": {submitAndPoll, "POST run/submit_tool_outputs"},
		"CreateAndRunPoll":         {createAndRunPoll, "POST /threads/runs"},
	} {
		for status, body := range ends {
			t.Run(what+" "+status, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					status, _, _ := strings.Cut(status, ":")
					tr := newClocked(t, answer(200, body))
					run, err := test.call(t.Context(), newClient(t, tr), assistants.WithCancelOnAbandon())
					require.NoError(t, err)
					assert.EqualValues(t, status, run.Status)
					assert.Equal(t, "0s "+test.first, tr.askedWhen())

					tr = newClocked(t, answer(200, aRun("in_progress")), answer(200, body))
					run, err = test.call(t.Context(), newClient(t, tr), assistants.WithCancelOnAbandon())
					require.NoError(t, err)
					assert.EqualValues(t, status, run.Status)
					assert.Equal(t, "0s "+test.first+", 500ms GET run", tr.askedWhen())
				})
			})
		}
	}
}

// The bodies are those of the calls that do not wait.
func TestPollBodies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		call pollCall
		body string
	}{
		{createAndPoll, `{"assistant_id":"asst_1"}`},
		{createAndRunPoll, `{"assistant_id":"asst_1"}`},
		{submitAndPoll, `{"tool_outputs":[{"tool_call_id":"call_1","output":"42"}]}`},
	} {
		tr := newTransport(t, answer(200, aRun("completed")))
		_, err := test.call(t.Context(), newClient(t, tr))
		require.NoError(t, err)
		assert.JSONEq(t, test.body, tr.last().body)
	}
	tr := newTransport(t, answer(200, aRun("completed")))
	_, err := poll(t.Context(), newClient(t, tr))
	require.NoError(t, err)
	assert.Empty(t, tr.last().body)
}

// Ids that the caller gave are those of the run, whether or not the answer repeats them.
func TestPollKnowsItsThread(t *testing.T) {
	t.Parallel()
	for what, call := range map[string]pollCall{"CreateAndPoll": createAndPoll, "SubmitToolOutputsAndPoll": submitAndPoll} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newClocked(t, answer(200, `{"id":"run_1","status":"queued"}`), answer(200, `{"id":"run_1","status":"completed"}`))
				run, err := call(t.Context(), newClient(t, tr))
				require.NoError(t, err)
				assert.Equal(t, assistants.RunCompleted, run.Status)
				assert.Regexp(t, "^POST .*, GET run$", tr.asked())
			})
		})
	}
}

// A failedLook is what comes instead of what is waited for: what its error is, if there is a name for it, and after how
// many tries.
type failedLook struct {
	step  step
	is    error
	tries int
}

func failedLooks() map[string]failedLook {
	return map[string]failedLook{
		"not found":         {answer(404, `{"error":{"message":"Not found."}}`), assistants.ErrNotFound, 1},
		"the server failed": {answer(500, ``, "retry-after-ms: 10"), assistants.ErrServer, 3},
		"rate limited":      {answer(429, ``, "retry-after: 3600"), assistants.ErrRateLimited, 1},
		"a connection lost": {fail(reset), reset, 3},
		"no answer":         {silence, context.DeadlineExceeded, 3},
		"another object":    {answer(200, aThread()), nil, 1},
		"nothing":           {answer(200, ``), nil, 1},
	}
}

// An error comes with the run as it was last seen. It cancels nothing.
func TestPollErrors(t *testing.T) {
	t.Parallel()
	for name, test := range failedLooks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var resp assistants.Response
				tr := newClocked(t, answer(200, aRun("queued")), answer(200, aRun("in_progress")), test.step)
				run, err := createAndPoll(t.Context(), newClient(t, tr), assistants.WithCancelOnAbandon(), assistants.WithResponse(&resp))
				require.ErrorContains(t, err, "GET /threads/thread_1/runs/run_1: ")
				if test.is != nil {
					require.ErrorIs(t, err, test.is)
				}
				require.NotNil(t, run)
				assert.Equal(t, assistants.RunInProgress, run.Status)
				assert.Equal(t, "POST /threads/thread_1/runs, GET run"+strings.Repeat(", GET run", test.tries), tr.asked())
				assert.Equal(t, test.tries, resp.Attempts)

				tr = newClocked(t, test.step)
				run, err = poll(t.Context(), newClient(t, tr))
				require.Error(t, err)
				assert.Nil(t, run, "it never was seen")
			})
		})
	}
	t.Run("a look that fails once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, answer(200, aRun("queued")), fail(reset), answer(503, "", "retry-after-ms: 1"), answer(200, aRun("completed")))
			_, err := poll(t.Context(), newClient(t, tr))
			require.NoError(t, err)
		})
	})
	t.Run("nothing to poll", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(400, `{"error":{"message":"Thread thread_1 already has an active run run_0."}}`))
		for _, call := range []pollCall{createAndPoll, submitAndPoll, createAndRunPoll} {
			run, err := call(t.Context(), newClient(t, tr), assistants.WithCancelOnAbandon())
			require.ErrorIs(t, err, assistants.ErrBadRequest)
			assert.Nil(t, run)
		}
		assert.Len(t, tr.requests(), 3)
	})
	t.Run("no context, no ids, no client", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, aRun("queued")))
		client := newClient(t, tr)
		for _, call := range []pollCall{poll, createAndPoll, submitAndPoll, createAndRunPoll} {
			_, err := call(nil, client, assistants.WithCancelOnAbandon()) //nolint:staticcheck // which is the point
			require.ErrorContains(t, err, "context is nil")
		}
		_, err := client.Runs.Poll(t.Context(), "thread_1", "")
		require.Error(t, err)
		_, err = client.Runs.Poll(t.Context(), "..", "run_1", assistants.WithCancelOnAbandon())
		require.Error(t, err)
		_, err = new(assistants.RunsService).Poll(t.Context(), "thread_1", "run_1")
		require.ErrorContains(t, err, "NewClient")
		assert.Empty(t, tr.requests())
	})
}

// gone is the end of a context: what an error of the call is, and how to bring it about after a time.
var gone = map[string]struct {
	is  error
	end func(context.Context, time.Duration) (context.Context, context.CancelFunc)
}{
	"cancelled": {context.Canceled, func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(d, cancel)
		return ctx, cancel
	}},
	"out of time": {context.DeadlineExceeded, context.WithTimeout},
}

// When the context ends the call does, in a pause as well as in a request, and the run is cancelled if that was wanted.
func TestPollAbandoned(t *testing.T) {
	t.Parallel()
	const after = 700 * time.Millisecond
	alive := func(t *testing.T, then step) step { // the context of the cancelling is not the one that ended
		return func(r *http.Request) (*http.Response, error) {
			assert.NoError(t, r.Context().Err())
			deadline, ok := r.Context().Deadline()
			assert.True(t, ok)
			assert.Equal(t, 5*time.Second, time.Until(deadline))
			assert.Equal(t, "Bearer "+testKey, r.Header.Get("Authorization"))
			return then(r)
		}
	}
	for why, how := range gone {
		for name, test := range map[string]struct {
			call   pollCall
			steps  []step // before the context ends
			cancel step
			opts   []assistants.RequestOption
			asked  string
			took   time.Duration
			says   string
			status assistants.RunStatus // "": never seen
		}{
			"Poll in a pause": {call: poll, steps: answers(aRun("queued"), aRun("in_progress")),
				asked: "GET run, GET run", status: "in_progress"},
			"Poll in its first request": {call: poll, steps: []step{silence}, asked: "GET run"},
			"Poll in a later request": {call: poll, steps: []step{answer(200, aRun("queued")), silence},
				asked: "GET run, GET run", status: "queued"},
			"CreateAndPoll in a pause": {call: createAndPoll, steps: answers(aRun("queued"), aRun("in_progress")),
				asked: "POST /threads/thread_1/runs, GET run", status: "in_progress"},
			"CreateAndPoll in its first request": {call: createAndPoll, steps: []step{silence}, asked: "POST /threads/thread_1/runs",
				opts: []assistants.RequestOption{assistants.WithCancelOnAbandon()}},
			"Poll, cancelling": {call: poll, steps: answers(aRun("queued"), aRun("in_progress")), cancel: answer(200, aRun("cancelling")),
				asked: "GET run, GET run, POST run/cancel", status: "in_progress"},
			"Poll in its first request, cancelling": {call: poll, steps: []step{silence}, cancel: answer(200, aRun("cancelling")),
				asked: "GET run, POST run/cancel"},
			"CreateAndRunPoll in a request, cancelling": {call: createAndRunPoll, steps: []step{answer(200, aRun("queued")), silence},
				cancel: answer(200, aRun("cancelling")), asked: "POST /threads/runs, GET run, POST run/cancel", status: "queued"},
			"SubmitToolOutputsAndPoll in a pause, cancelling": {call: submitAndPoll, steps: answers(aRun("queued"), aRun("queued")),
				cancel: answer(200, aRun("cancelled")), asked: "POST run/submit_tool_outputs, GET run, POST run/cancel", status: "queued"},
			"cancelling refused": {call: poll, steps: answers(aRun("queued"), aRun("queued")), cancel: answer(400, `{"error":{"message":"Cannot cancel run with status 'completed'."}}`),
				asked: "GET run, GET run, POST run/cancel, GET run", status: "queued", says: "its run was not cancelled: assistants: POST /threads/thread_1/runs/run_1/cancel: 400"},
			"cancelling fails": {call: poll, steps: answers(aRun("queued"), aRun("queued")), cancel: answer(500, ``),
				asked: "GET run, GET run, POST run/cancel", status: "queued", says: "was not cancelled"},
			"cancelling unanswered": {call: poll, steps: answers(aRun("queued"), aRun("queued")), cancel: silence,
				asked: "GET run, GET run, POST run/cancel", status: "queued", took: 5 * time.Second, says: "was not cancelled"},
		} {
			t.Run(name+" "+why, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					opts, steps := test.opts, append(test.steps[:len(test.steps):len(test.steps)], answer(500, ""))
					if test.cancel != nil {
						opts = append(opts, assistants.WithCancelOnAbandon())
						steps[len(test.steps)] = alive(t, test.cancel)
					}
					var resp assistants.Response
					tr := newClocked(t, steps...)
					client := newClient(t, tr)
					ctx, cancel := how.end(t.Context(), after)
					defer cancel()
					run, err := test.call(ctx, client, append(opts, assistants.WithResponse(&resp), assistants.WithTimeout(0))...)
					require.ErrorIs(t, err, how.is)
					assert.Equal(t, after+test.took, tr.now())
					assert.Equal(t, test.asked, tr.asked())
					if test.says == "" {
						assert.NotContains(t, err.Error(), "not cancelled")
					} else {
						require.ErrorContains(t, err, test.says)
					}
					if test.status == "" {
						assert.Nil(t, run)
					} else {
						require.NotNil(t, run)
						assert.Equal(t, test.status, run.Status)
					}
					assert.NotRegexp(t, `"status":"cancel|Cannot cancel`, string(resp.Body), "the response is not that of cancelling")
				})
			})
		}
	}
}

// A run that has ended is not cancelled, and is returned although the context has ended too.
func TestPollEndedAndAbandoned(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"completed", "failed", "requires_action"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tr := newClocked(t, func(*http.Request) (*http.Response, error) {
					cancel()
					return response(200, aRun(status)), nil
				})
				run, err := poll(ctx, newClient(t, tr), assistants.WithCancelOnAbandon())
				require.NoError(t, err)
				assert.EqualValues(t, status, run.Status)
				assert.Equal(t, "GET run", tr.asked())
			})
		})
	}
}
