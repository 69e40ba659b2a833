package assistants_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// What belongs to the first request goes with that one only; the rest goes with every request.
func TestPollOptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var resp assistants.Response
		tr := newClocked(t, answer(200, aRun("queued"), "x-request-id: req_1"), answer(200, waitsFor("call_1"), "x-request-id: req_2"),
			answer(200, aRun("queued"), "x-request-id: req_3"), answer(200, aRun("completed"), "x-request-id: req_4"))
		_, err := createAndPoll(t.Context(), newClient(t, tr),
			assistants.WithIdempotencyKey("key"), assistants.WithBodyField("extra.field", 7), assistants.WithInclude(assistants.IncludeFileSearchContent),
			assistants.WithHeader("X-Trace", "t"), assistants.WithResponse(&resp), assistants.WithToolHandler(echo))
		require.NoError(t, err)
		assert.Equal(t, "POST /threads/thread_1/runs?"+contentIncluded+", GET run, POST run/submit_tool_outputs, GET run", tr.asked())
		for i, r := range tr.requests() {
			assert.Equal(t, i == 0, r.Header.Get("Idempotency-Key") == "key", i)
			assert.Equal(t, "t", r.Header.Get("X-Trace"), i)
		}
		assert.JSONEq(t, `{"assistant_id":"asst_1","extra":{"field":7}}`, tr.requests()[0].body)
		assert.JSONEq(t, `{"tool_outputs":[{"tool_call_id":"call_1","output":"{}"}]}`, tr.requests()[2].body)
		assert.Equal(t, "req_4", resp.RequestID)
		assert.Equal(t, 1, resp.Attempts)
		assert.JSONEq(t, aRun("completed"), string(resp.Body))
	})
}

// What a client was given counts for its calls, and what one call was given for no other.
func TestOptionsOfRunsAsDefaults(t *testing.T) {
	t.Parallel()
	abandon := func(t *testing.T, client *assistants.Client, opts ...assistants.RequestOption) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := poll(ctx, client, opts...)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	synctest.Test(t, func(t *testing.T) {
		queued := answer(200, aRun("queued"))
		tr := newClocked(t, queued)
		abandon(t, newClient(t, tr, assistants.WithCancelOnAbandon()))
		assert.Equal(t, "GET run, GET run, POST run/cancel", tr.asked())

		tr = newClocked(t, queued)
		client := newClient(t, tr)
		abandon(t, client, assistants.WithToolHandler(echo))
		abandon(t, client)
		assert.Equal(t, "GET run, GET run, POST run/cancel, GET run, GET run", tr.asked())

		tr = newClocked(t, answers(waitsFor("call_1"), waitsFor("call_2"), aRun("cancelling"))...)
		_, err := poll(t.Context(), newClient(t, tr, assistants.WithMaxToolRounds(1)), assistants.WithToolHandler(echo))
		require.ErrorIs(t, err, assistants.ErrToolRounds)

		tr = newClocked(t, answers(waitsFor("call_1"), waitsFor("call_2"), aRun("completed"))...)
		_, err = poll(t.Context(), newClient(t, tr, assistants.WithMaxToolRounds(1)), assistants.WithToolHandler(echo), assistants.WithMaxToolRounds(2))
		require.NoError(t, err)
	})
}

// Poll sends nothing that could take a key or a field, and says so.
func TestPollTakesNoBody(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]assistants.RequestOption{
		"WithIdempotencyKey": assistants.WithIdempotencyKey("key"), "WithBodyField": assistants.WithBodyField("a", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, aRun("completed")))
			_, err := poll(t.Context(), newClient(t, tr), opt)
			require.ErrorContains(t, err, name)
			assert.Empty(t, tr.requests())
		})
	}
}

// An option is an error of every call that cannot do what it asks, and of no other.
func TestOptionsOfRuns(t *testing.T) {
	t.Parallel()
	type opts = []assistants.RequestOption
	type ctx = context.Context
	calls := map[string]struct {
		can  string // poll, stream, include
		call func(ctx, *assistants.Client, ...assistants.RequestOption) error
	}{
		"Assistants.Retrieve": {"", retrieve},
		"Call": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			return c.Call(ctx, "GET", "/x", nil, nil, o...)
		}},
		"Threads.Create": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Threads.Create(ctx, assistants.ThreadCreateParams{}, o...)
			return err
		}},
		"Threads.CreateAndRun": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Threads.CreateAndRun(ctx, assistants.ThreadCreateAndRunParams{}, o...)
			return err
		}},
		"Messages.List": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Messages.List(ctx, "t", assistants.MessageListParams{}, o...)
			return err
		}},
		"Messages.Delete": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Messages.Delete(ctx, "t", "m", o...)
			return err
		}},
		"Runs.Retrieve": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.Retrieve(ctx, "t", "r", o...)
			return err
		}},
		"Runs.List": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.List(ctx, "t", assistants.ListParams{}, o...)
			return err
		}},
		"Runs.Cancel": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.Cancel(ctx, "t", "r", o...)
			return err
		}},
		"Runs.SubmitToolOutputs": {"", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.SubmitToolOutputs(ctx, "t", "r", assistants.RunSubmitToolOutputsParams{}, o...)
			return err
		}},
		"Runs.Create": {"include", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.Create(ctx, "t", assistants.RunCreateParams{}, o...)
			return err
		}},
		"RunSteps.Retrieve": {"include", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.RunSteps.Retrieve(ctx, "t", "r", "s", o...)
			return err
		}},
		"RunSteps.List": {"include", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.RunSteps.List(ctx, "t", "r", assistants.ListParams{}, o...)
			return err
		}},
		"Runs.Poll": {"poll", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := poll(ctx, c, o...)
			return err
		}},
		"Runs.CreateAndPoll": {"poll include", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := createAndPoll(ctx, c, o...)
			return err
		}},
		"Runs.SubmitToolOutputsAndPoll": {"poll", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := submitAndPoll(ctx, c, o...)
			return err
		}},
		"Threads.CreateAndRunPoll": {"poll", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := createAndRunPoll(ctx, c, o...)
			return err
		}},
		"Runs.Stream": {"stream include", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := openStream(ctx, c, o...)
			return err
		}},
		"Runs.SubmitToolOutputsStream": {"stream", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Runs.SubmitToolOutputsStream(ctx, "t", "r", assistants.RunSubmitToolOutputsParams{}, o...)
			return err
		}},
		"Threads.CreateAndRunStream": {"stream", func(ctx ctx, c *assistants.Client, o ...assistants.RequestOption) error {
			_, err := c.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{}, o...)
			return err
		}},
	}
	options := map[string]struct {
		of  string
		opt assistants.RequestOption
	}{
		"WithInclude":           {"include", assistants.WithInclude(assistants.IncludeFileSearchContent)},
		"WithPollInterval":      {"poll", assistants.WithPollInterval(time.Second)},
		"WithCancelOnAbandon":   {"poll stream", assistants.WithCancelOnAbandon()},
		"WithToolHandler":       {"poll stream", assistants.WithToolHandler(echo)},
		"WithMaxToolRounds":     {"poll stream", assistants.WithMaxToolRounds(1)},
		"WithToolConcurrency":   {"poll stream", assistants.WithToolConcurrency(1)},
		"WithStreamIdleTimeout": {"stream", assistants.WithStreamIdleTimeout(time.Second)},
	}
	refused := answer(400, `{"error":{"message":"as far as the server"}}`)
	for name, option := range options {
		for what, call := range calls {
			can := false
			for ability := range strings.FieldsSeq(option.of) {
				can = can || strings.Contains(call.can, ability)
			}
			tr := newTransport(t, refused)
			err := call.call(t.Context(), newClient(t, tr), option.opt)
			if can {
				assert.ErrorContains(t, err, "as far as the server", "%s of %s", name, what)
			} else {
				assert.ErrorContains(t, err, name+": this call ", "%s of %s", name, what)
				assert.Empty(t, tr.requests())
			}
			client, err := assistants.NewClient(assistants.WithAPIKey(testKey), option.opt, assistants.WithHTTPClient(&http.Client{Transport: tr}))
			if name == "WithInclude" || name == "WithToolHandler" {
				require.ErrorContains(t, err, name+": this option belongs to one call")
				continue
			}
			require.NoError(t, err)
			require.ErrorContains(t, call.call(t.Context(), client), "as far as the server", "a client %s and %s", name, what)
		}
	}
	for _, opt := range (opts{
		assistants.WithInclude(), assistants.WithPollInterval(0), assistants.WithPollInterval(-1), assistants.WithToolHandler(nil),
		assistants.WithMaxToolRounds(0), assistants.WithMaxToolRounds(-1), assistants.WithToolConcurrency(0), assistants.WithToolConcurrency(-1),
	}) {
		tr := newTransport(t, refused)
		_, err := createAndPoll(t.Context(), newClient(t, tr), opt)
		require.ErrorContains(t, err, ": With", fmt.Sprint(opt))
		assert.Empty(t, tr.requests())
	}
}
