package assistants_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullThread = `{"id":"thread_1","object":"thread","created_at":1700000001,"metadata":{"k":"v"},"tool_resources":{
	"code_interpreter":{"file_ids":["file-1"],"data_sources":[{"type":"uri_asset","uri":"azureml://a/b"}]},
	"file_search":{"vector_store_ids":["vs_1"]},
	"mcp":[{"server_label":"docs","headers":{"X-Token":"t"},"require_approval":"never"}],
	"azure_ai_search":{"indexes":[{"index_name":"i"}]}}}`

// An exchange is one call of one method: what it must send, what it is answered, and what it makes of that.
type exchange struct {
	name, method, uri string
	body              string // JSON; "" is none
	answer            string
	want              string // what call returns
	call              func(context.Context, *assistants.Client) (string, error)
}

// checkExchanges makes the calls, each with a client of its own.
func checkExchanges(t *testing.T, exchanges []exchange) {
	t.Helper()
	for _, e := range exchanges {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, e.answer))
			got, err := e.call(t.Context(), newClient(t, tr))
			require.NoError(t, err)
			assert.Equal(t, e.want, got)
			require.Len(t, tr.requests(), 1)
			r := tr.last()
			assert.Equal(t, e.method, r.Method)
			assert.Equal(t, "/v1"+e.uri, r.URL.RequestURI())
			assert.Equal(t, "Bearer "+testKey, r.Header.Get("Authorization"))
			assert.Equal(t, "assistants=v2", r.Header.Get("OpenAI-Beta"))
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			if e.body == "" {
				assert.Empty(t, r.body)
				assert.Empty(t, r.Header.Get("Content-Type"))
			} else {
				assert.JSONEq(t, e.body, r.body)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			}
		})
	}
}

// idOf is what calls return that answer with an object.
func idOf[T assistants.Thread | assistants.Message | assistants.Run | assistants.RunStep](object *T, err error) (string, error) {
	if err != nil {
		return "", err
	}
	switch o := any(object).(type) {
	case *assistants.Thread:
		return o.ID, nil
	case *assistants.Message:
		return o.ID, nil
	case *assistants.Run:
		return o.ID, nil
	}
	return any(object).(*assistants.RunStep).ID, nil
}

func deletedOf(d *assistants.Deleted, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return fmt.Sprint(d.ID, " ", d.Object, " ", d.Deleted), nil
}

func idsOf[T assistants.Message | assistants.Run | assistants.RunStep](page *assistants.Page[T], err error) (string, error) {
	if err != nil {
		return "", err
	}
	ids := page.FirstID + ".." + page.LastID + fmt.Sprint(" ", page.HasMore, ":")
	for _, item := range page.Data {
		id, _ := idOf(item, nil)
		ids += " " + id
	}
	return ids, nil
}

// everyTool is one of each kind, and what it is on the wire.
var everyTool = []assistants.Tool{
	{Type: assistants.ToolCodeInterpreter},
	{FileSearch: &assistants.FileSearchOptions{MaxNumResults: 3}},
	{Function: &assistants.FunctionDefinition{Name: "f"}},
	assistants.RawTool(json.RawMessage(`{"type":"mcp","server_label":"docs"}`)),
}

const everyToolJSON = `[{"type":"code_interpreter"},{"type":"file_search","file_search":{"max_num_results":3}},
	{"type":"function","function":{"name":"f"}},{"type":"mcp","server_label":"docs"}]`

// everyResource is one of each kind, and what it is on the wire.
var everyResource = assistants.ToolResources{
	CodeInterpreter: &assistants.CodeInterpreterResources{
		FileIDs:     []string{"file-1"},
		DataSources: []json.RawMessage{json.RawMessage(`{"type":"uri_asset","uri":"azureml://a/b"}`)},
	},
	FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{{FileIDs: []string{"file-2"}}}},
	MCP: []assistants.MCPResources{
		{ServerLabel: "docs", Headers: assistants.MCPHeaders{"X-Token": "t"}, RequireApproval: json.RawMessage(`"never"`)},
		{ServerLabel: "bare"},
	},
	AzureAISearch: json.RawMessage(`{"indexes":[{"index_name":"i"}]}`),
}

const everyResourceJSON = `{"code_interpreter":{"file_ids":["file-1"],"data_sources":[{"type":"uri_asset","uri":"azureml://a/b"}]},
	"file_search":{"vector_stores":[{"file_ids":["file-2"]}]},
	"mcp":[{"server_label":"docs","headers":{"X-Token":"t"},"require_approval":"never"},{"server_label":"bare"}],
	"azure_ai_search":{"indexes":[{"index_name":"i"}]}}`

func TestThreadsRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.ThreadCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Threads.Create(ctx, params)) }
	}
	modify := func(params assistants.ThreadModifyParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Threads.Modify(ctx, "thread_1", params)) }
	}
	run := func(params assistants.ThreadCreateAndRunParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Threads.CreateAndRun(ctx, params)) }
	}
	const one = "/threads/thread_1"
	checkExchanges(t, []exchange{
		{"create with nothing", "POST", "/threads", `{}`, fullThread, "thread_1", create(assistants.ThreadCreateParams{})},
		{"create with everything", "POST", "/threads", `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}],
			"tool_resources":` + everyResourceJSON + `,"metadata":{"k":"v"}}`, fullThread, "thread_1", create(assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{
				assistants.UserMessage("hi"), {Role: assistants.RoleAssistant, Content: "ho"},
			},
			ToolResources: everyResource, Metadata: assistants.Metadata{"k": "v"},
		})},
		{"create with what is empty", "POST", "/threads", `{"messages":[],"metadata":{},"tool_resources":{"code_interpreter":{"file_ids":[]},
			"file_search":{"vector_store_ids":[]},"mcp":[]}}`, fullThread, "thread_1", create(assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{}, Metadata: assistants.Metadata{},
			ToolResources: assistants.ToolResources{
				CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{}},
				FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{}},
				MCP:             []assistants.MCPResources{},
			},
		})},
		{"retrieve", "GET", one, "", fullThread, "thread_1", func(ctx ctx, c client) (string, error) {
			return idOf(c.Threads.Retrieve(ctx, "thread_1"))
		}},
		{"modify nothing", "POST", one, `{}`, fullThread, "thread_1", modify(assistants.ThreadModifyParams{})},
		{"modify everything", "POST", one, `{"tool_resources":` + everyResourceJSON + `,"metadata":{"k":"v"}}`, fullThread, "thread_1",
			modify(assistants.ThreadModifyParams{
				ToolResources: assistants.Set(everyResource), Metadata: assistants.Set(assistants.Metadata{"k": "v"}),
			})},
		{"modify to what is empty", "POST", one, `{"tool_resources":{},"metadata":{}}`, fullThread, "thread_1",
			modify(assistants.ThreadModifyParams{
				ToolResources: assistants.Set(assistants.ToolResources{}), Metadata: assistants.Set(assistants.Metadata{}),
			})},
		{"clear", "POST", one, `{"tool_resources":null,"metadata":null}`, fullThread, "thread_1",
			modify(assistants.ThreadModifyParams{
				ToolResources: assistants.Null[assistants.ToolResources](), Metadata: assistants.Null[assistants.Metadata](),
			})},
		{"delete", "DELETE", one, "", `{"id":"thread_1","object":"thread.deleted","deleted":true}`, "thread_1 thread.deleted true",
			func(ctx ctx, c client) (string, error) { return deletedOf(c.Threads.Delete(ctx, "thread_1")) }},
		{"run with nothing", "POST", "/threads/runs", `{"assistant_id":""}`, fullRun, "run_1", run(assistants.ThreadCreateAndRunParams{})},
		{"run an empty thread", "POST", "/threads/runs", `{"assistant_id":"asst_1","thread":{"messages":[]},"tools":[]}`, fullRun, "run_1",
			run(assistants.ThreadCreateAndRunParams{AssistantID: "asst_1", Tools: []assistants.Tool{},
				Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{}}})},
		{"run with everything", "POST", "/threads/runs", `{"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"hi"}],
			"tool_resources":` + everyResourceJSON + `,"metadata":{"t":"1"}},"model":"m","instructions":"i","tools":` + everyToolJSON + `,
			"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}},"metadata":{"r":"1"},"temperature":0,"top_p":0,
			"max_prompt_tokens":500,"max_completion_tokens":600,"truncation_strategy":{"type":"last_messages","last_messages":4},
			"tool_choice":"required","parallel_tool_calls":false,"response_format":{"type":"json_object"}}`, fullRun, "run_1",
			run(assistants.ThreadCreateAndRunParams{
				AssistantID: "asst_1", Thread: assistants.ThreadCreateParams{
					Messages:      []assistants.MessageCreateParams{assistants.UserMessage("hi")},
					ToolResources: everyResource, Metadata: assistants.Metadata{"t": "1"},
				},
				Model: "m", Instructions: "i", Tools: everyTool,
				ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}}},
				Metadata:      assistants.Metadata{"r": "1"}, Temperature: new(0.0), TopP: new(0.0),
				MaxPromptTokens: 500, MaxCompletionTokens: 600,
				TruncationStrategy: assistants.TruncationStrategy{LastMessages: 4},
				ToolChoice:         assistants.ToolChoice{Type: assistants.ToolChoiceRequired},
				ParallelToolCalls:  new(false),
				ResponseFormat:     assistants.ResponseFormat{Type: assistants.ResponseFormatJSONObject},
			})},
	})
}

// decodedBy is what a call makes of an answer.
func decodedBy[T any](t *testing.T, body string, call func(context.Context, *assistants.Client) (T, error)) T {
	t.Helper()
	object, err := call(t.Context(), newClient(t, newTransport(t, answer(http.StatusOK, body))))
	require.NoError(t, err, body)
	return object
}

// checkStored holds that object, written by encoding/json, is the same when it is read again: as the answer of a call,
// and, if plain, by encoding/json.
func checkStored[T any](t *testing.T, object *T, plain bool, call func(context.Context, *assistants.Client) (*T, error)) {
	t.Helper()
	stored, err := json.Marshal(object)
	require.NoError(t, err)
	assert.Equal(t, object, decodedBy(t, string(stored), call), "%s", stored)
	if plain {
		again := new(T)
		require.NoError(t, json.Unmarshal(stored, again))
		assert.Equal(t, object, again, "%s", stored)
	}
}

func getThread(ctx context.Context, c *assistants.Client) (*assistants.Thread, error) {
	return c.Threads.Retrieve(ctx, "thread_1")
}

func TestThreadDecode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want assistants.Thread
	}{
		"every field": {fullThread, assistants.Thread{
			ID: "thread_1", Object: "thread", CreatedAt: 1700000001, Metadata: assistants.Metadata{"k": "v"},
			ToolResources: &assistants.ToolResources{
				CodeInterpreter: &assistants.CodeInterpreterResources{
					FileIDs:     []string{"file-1"},
					DataSources: []json.RawMessage{json.RawMessage(`{"type":"uri_asset","uri":"azureml://a/b"}`)},
				},
				FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}},
				MCP: []assistants.MCPResources{{ServerLabel: "docs", Headers: assistants.MCPHeaders{"X-Token": "t"},
					RequireApproval: json.RawMessage(`"never"`)}},
				AzureAISearch: json.RawMessage(`{"indexes":[{"index_name":"i"}]}`),
			},
		}},
		"empty": {`{"id":"thread_1","object":"thread","created_at":1,"metadata":{},"tool_resources":{}}`, assistants.Thread{
			ID: "thread_1", Object: "thread", CreatedAt: 1, Metadata: assistants.Metadata{}, ToolResources: &assistants.ToolResources{}}},
		"null everywhere": {`{"id":"thread_1","object":null,"created_at":null,"metadata":null,"tool_resources":null}`,
			assistants.Thread{ID: "thread_1"}},
		"null within": {`{"id":"thread_1","tool_resources":{"code_interpreter":null,"file_search":{"vector_store_ids":null},"mcp":null}}`,
			assistants.Thread{ID: "thread_1", ToolResources: &assistants.ToolResources{FileSearch: &assistants.FileSearchResources{}}}},
		"v1":           {`{"id":"thread_1","object":"thread","created_at":1}`, assistants.Thread{ID: "thread_1", Object: "thread", CreatedAt: 1}},
		"unknown keys": {`{"id":"thread_1","new":[1],"tool_resources":{"new":{"file_ids":7}}}`, assistants.Thread{ID: "thread_1", ToolResources: &assistants.ToolResources{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			thread := decodedBy(t, test.body, getThread)
			assert.Equal(t, &test.want, thread)
			checkStored(t, thread, true, getThread)
		})
	}
}

// Answers that are none are errors, whatever the status says.
func TestThreadsStrictness(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `{}`, `[]`, `{"id":"x","object":"thread.run"}`, `{"object":"thread"}`, `{"error":{"message":"no"}}`} {
		client := newClient(t, newTransport(t, answer(200, body)))
		for name, call := range map[string]func() error{
			"retrieve": func() error { _, err := client.Threads.Retrieve(t.Context(), "thread_1"); return err },
			"delete":   func() error { _, err := client.Threads.Delete(t.Context(), "thread_1"); return err },
			"message":  func() error { _, err := client.Messages.Retrieve(t.Context(), "thread_1", "msg_1"); return err },
			"step": func() error {
				_, err := client.RunSteps.Retrieve(t.Context(), "thread_1", "run_1", "step_1")
				return err
			},
		} {
			_, ok := assistantsError(call())
			assert.True(t, ok, "%s of %s", name, body)
		}
	}
	thread := newClient(t, newTransport(t, answer(200, fullThread)))
	_, err := thread.Runs.Retrieve(t.Context(), "thread_1", "run_1")
	require.ErrorContains(t, err, `of type "thread" instead of "thread.run"`)
	_, err = thread.Messages.Delete(t.Context(), "thread_1", "msg_1")
	require.ErrorContains(t, err, "does not say that the object was deleted")
}
