package assistants_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Headers for MCP servers reach the service, and no error that it answers with.
func TestMCPHeadersStaySecret(t *testing.T) {
	t.Parallel()
	const secret = "mcp-secret-value"
	headers := assistants.MCPHeaders{"Authorization": "Bearer " + secret, "X-Token": secret + "-2"}
	resources := assistants.ToolResources{MCP: []assistants.MCPResources{{ServerLabel: "docs", Headers: headers}}}
	for name, call := range map[string]func(ctx context.Context, c *assistants.Client) error{
		"assistant": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "m", ToolResources: resources})
			return err
		},
		"assistant, modified": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Assistants.Modify(ctx, "asst_1", assistants.AssistantModifyParams{ToolResources: assistants.Set(resources)})
			return err
		},
		"thread": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Threads.Create(ctx, assistants.ThreadCreateParams{ToolResources: resources})
			return err
		},
		"thread, modified": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Threads.Modify(ctx, "thread_1", assistants.ThreadModifyParams{ToolResources: assistants.Set(resources)})
			return err
		},
		"thread and run": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Threads.CreateAndRun(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_1",
				Thread: assistants.ThreadCreateParams{ToolResources: resources}})
			return err
		},
		"run": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1", ToolResources: resources})
			return err
		},
		"run, streamed": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1", ToolResources: resources})
			return err
		},
		"resources, by Call": func(ctx context.Context, c *assistants.Client) error {
			return c.Call(ctx, "POST", "/x", &resources, nil)
		},
		"approval": func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Runs.SubmitToolOutputs(ctx, "thread_1", "run_1", assistants.RunSubmitToolOutputsParams{
				ToolApprovals: []assistants.ToolApproval{{ToolCallID: "call_1", Approve: true, Headers: headers}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, func(r *http.Request) (*http.Response, error) {
				return response(400, `{"error":{"message":"Authorization: Bearer `+secret+` and X-Token: `+secret+`-2 are refused"}}`), nil
			})
			err := call(t.Context(), newClient(t, tr))
			require.ErrorIs(t, err, assistants.ErrBadRequest)
			assert.Contains(t, tr.last().body, secret)
			assert.NotContains(t, err.Error(), secret)
			require.ErrorContains(t, err, "[redacted]")
		})
	}
}

// The headers stay secret in the calls that follow the one that they were given to.
func TestMCPHeadersStaySecretLater(t *testing.T) {
	t.Parallel()
	const secret = "mcp-secret-value"
	params := assistants.RunCreateParams{AssistantID: "asst_1", ToolResources: assistants.ToolResources{MCP: []assistants.MCPResources{
		{ServerLabel: "docs", Headers: assistants.MCPHeaders{"Authorization": "Bearer " + secret}}}}}
	refused := aRun("failed", `"last_error":{"code":"server_error","message":"Bearer `+secret+` is refused"}`)
	run, err := newClient(t, newTransport(t, answer(200, aRun("queued")), answer(200, refused))).Runs.CreateAndPoll(t.Context(), "thread_1",
		params, assistants.WithPollInterval(1))
	require.NoError(t, err)
	require.EqualError(t, run.Err(), "assistants: run run_1 is failed: server_error: [redacted] is refused")
	_, err = newClient(t, newTransport(t, answer(200, aRun("queued")), answer(404, `{"error":{"message":"`+secret+`"}}`))).Runs.CreateAndPoll(t.Context(),
		"thread_1", params, assistants.WithPollInterval(1))
	require.ErrorIs(t, err, assistants.ErrNotFound)
	assert.NotContains(t, err.Error(), secret)
}

// What Call is given may be any pointer, and what it decodes into any struct.
func TestCallWithOddTypes(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, `{"n":"x"}`))
	client := newClient(t, tr)
	require.NoError(t, client.Call(t.Context(), "POST", "/assistants", (*assistants.AssistantCreateParams)(nil), nil))
	assert.Equal(t, "null", tr.last().body)
	type base struct{ Type string }
	var out struct {
		*base
		fmt.Stringer
		N int `json:"n"`
	}
	require.ErrorContains(t, client.Call(t.Context(), "GET", "/x", nil, &out), "a string in the field n")
}

// What a run reports of its failure is logged: it shows no key, however the run is read, and is no longer than errors are.
func TestRunErrors(t *testing.T) {
	t.Parallel()
	failed := aRun("failed", `"last_error":{"code":"server_error","message":"Incorrect API key: `+testKey+strings.Repeat("!", 5000)+`"}`)
	check := func(t *testing.T, run *assistants.Run) {
		t.Helper()
		err := run.Err()
		require.ErrorContains(t, err, "run_1 is failed: server_error: Incorrect API key: [redacted]!!!")
		assert.Less(t, len(err.Error()), 700)
		assert.NotContains(t, run.LastError.Message, testKey)
		var reported *assistants.RunError
		require.ErrorAs(t, err, &reported)
		assert.Equal(t, "server_error", reported.Code)
	}
	run, err := newClient(t, newTransport(t, answer(200, failed))).Runs.Retrieve(t.Context(), "thread_1", "run_1")
	require.NoError(t, err)
	check(t, run)
	page, err := newClient(t, newTransport(t, answer(200, `{"object":"list","data":[`+failed+`]}`))).Runs.List(t.Context(), "thread_1", assistants.ListParams{})
	require.NoError(t, err)
	check(t, page.Data[0])
	run, err = streamOf(t, sse("run.failed "+failed, "done")).Wait()
	require.NoError(t, err)
	check(t, run)

	for says, run := range map[string]assistants.Run{
		"": {Status: assistants.RunCompleted},
		"assistants: run r is incomplete: max_completion_tokens": {ID: "r", Status: assistants.RunIncomplete,
			IncompleteDetails: &assistants.RunIncompleteDetails{Reason: "max_completion_tokens"}},
		"assistants: run r is expired": {ID: "r", Status: assistants.RunExpired},
		"assistants: run r is queued":  {ID: "r", Status: assistants.RunQueued},
	} {
		if err := run.Err(); says != "" {
			require.EqualError(t, err, says)
		} else {
			require.NoError(t, err)
		}
	}
}
