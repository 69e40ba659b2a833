package assistants_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullRun = `{"id":"run_1","object":"thread.run","created_at":1700000010,"assistant_id":"asst_1","thread_id":"thread_1",
	"status":"requires_action","started_at":1700000011,"expires_at":1700000610,"cancelled_at":1700000012,"failed_at":1700000013,
	"completed_at":1700000014,"required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[
		{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
		{"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]}},
	"last_error":{"code":"server_error","message":"Sorry."},"model":"m","instructions":"i",
	"tools":[{"type":"code_interpreter"},{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}],
	"tool_resources":{"code_interpreter":{"file_ids":["file-1"]}},"metadata":{"k":"v"},"temperature":0,"top_p":0.5,
	"reasoning_effort":"low","max_completion_tokens":600,"max_prompt_tokens":500,
	"truncation_strategy":{"type":"last_messages","last_messages":4},"incomplete_details":{"reason":"max_prompt_tokens"},
	"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_token_details":{"cached_tokens":1},
		"completion_tokens_details":{"reasoning_tokens":2}},
	"response_format":{"type":"json_schema","json_schema":{"name":"s"}},"tool_choice":{"type":"function","function":{"name":"f"}},
	"parallel_tool_calls":false,"file_ids":["file-9"]}`

func TestRunsRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.RunCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Runs.Create(ctx, "thread_1", params)) }
	}
	modify := func(params assistants.RunModifyParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Runs.Modify(ctx, "thread_1", "run_1", params)) }
	}
	list := func(params assistants.ListParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idsOf(c.Runs.List(ctx, "thread_1", params)) }
	}
	submit := func(params assistants.RunSubmitToolOutputsParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idOf(c.Runs.SubmitToolOutputs(ctx, "thread_1", "run_1", params))
		}
	}
	const many, one = "/threads/thread_1/runs", "/threads/thread_1/runs/run_1"
	const outputs = one + "/submit_tool_outputs"
	page := pageOf(fullRun, "run_1")
	exchanges := []exchange{
		{"retrieve", "GET", one, "", fullRun, "run_1", func(ctx ctx, c client) (string, error) {
			return idOf(c.Runs.Retrieve(ctx, "thread_1", "run_1"))
		}},
		{"cancel", "POST", one + "/cancel", "", fullRun, "run_1", func(ctx ctx, c client) (string, error) {
			return idOf(c.Runs.Cancel(ctx, "thread_1", "run_1"))
		}},
		{"modify nothing", "POST", one, `{}`, fullRun, "run_1", modify(assistants.RunModifyParams{})},
		{"modify", "POST", one, `{"metadata":{"k":"v"}}`, fullRun, "run_1",
			modify(assistants.RunModifyParams{Metadata: assistants.Set(assistants.Metadata{"k": "v"})})},
		{"clear", "POST", one, `{"metadata":null}`, fullRun, "run_1",
			modify(assistants.RunModifyParams{Metadata: assistants.Null[assistants.Metadata]()})},
		{"list", "GET", many, "", page, "run_1..run_1 true: run_1", list(assistants.ListParams{})},
		{"list with everything", "GET", many + "?after=run_0&before=run_9&limit=5&order=desc", "", page, "run_1..run_1 true: run_1",
			list(assistants.ListParams{Limit: 5, Order: assistants.OrderDesc, After: "run_0", Before: "run_9"})},
		{"submit nothing", "POST", outputs, `{}`, fullRun, "run_1", submit(assistants.RunSubmitToolOutputsParams{})},
		{"submit what is empty", "POST", outputs, `{"tool_outputs":[],"tool_approvals":[]}`, fullRun, "run_1",
			submit(assistants.RunSubmitToolOutputsParams{ToolOutputs: []assistants.ToolOutput{}, ToolApprovals: []assistants.ToolApproval{}})},
		{"submit outputs", "POST", outputs, `{"tool_outputs":[{"tool_call_id":"call_1","output":"1"},{"tool_call_id":"call_2","output":""}]}`, fullRun, "run_1",
			submit(assistants.RunSubmitToolOutputsParams{ToolOutputs: []assistants.ToolOutput{{ToolCallID: "call_1", Output: "1"}, {ToolCallID: "call_2"}}})},
		{"submit approvals", "POST", outputs, `{"tool_approvals":[{"tool_call_id":"call_1","approve":true,"headers":{"Authorization":"Bearer t"}},
			{"tool_call_id":"call_2","approve":false}]}`, fullRun, "run_1",
			submit(assistants.RunSubmitToolOutputsParams{ToolApprovals: []assistants.ToolApproval{
				{ToolCallID: "call_1", Approve: true, Headers: assistants.MCPHeaders{"Authorization": "Bearer t"}}, {ToolCallID: "call_2"}}})},
	}
	for name, test := range map[string]struct {
		params assistants.RunCreateParams
		body   string
	}{
		"nothing":   {assistants.RunCreateParams{}, `{"assistant_id":""}`},
		"the least": {assistants.RunCreateParams{AssistantID: "asst_1"}, `{"assistant_id":"asst_1"}`},
		"what is empty": {assistants.RunCreateParams{AssistantID: "asst_1", Tools: []assistants.Tool{}, Metadata: assistants.Metadata{},
			AdditionalMessages: []assistants.MessageCreateParams{}}, `{"assistant_id":"asst_1","tools":[],"metadata":{},"additional_messages":[]}`},
		"everything": {assistants.RunCreateParams{
			AssistantID: "asst_1", Model: "m", ReasoningEffort: assistants.ReasoningEffortLow, Instructions: "i", AdditionalInstructions: "a",
			AdditionalMessages: []assistants.MessageCreateParams{assistants.UserMessage("hi", assistants.ImageURLPart("u"))}, Tools: everyTool,
			Metadata: assistants.Metadata{"k": "v"}, Temperature: new(0.5), TopP: new(0.25), MaxPromptTokens: 500, MaxCompletionTokens: 600,
			TruncationStrategy: assistants.TruncationStrategy{Type: assistants.TruncationLastMessages, LastMessages: 4},
			ToolChoice:         assistants.ToolChoice{Type: assistants.ToolChoiceAuto}, ParallelToolCalls: new(true),
			ResponseFormat: assistants.ResponseFormat{JSONSchema: &assistants.JSONSchema{Name: "s"}},
		}, `{"assistant_id":"asst_1","model":"m","reasoning_effort":"low","instructions":"i","additional_instructions":"a",
			"additional_messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"u"}}]}],
			"tools":` + everyToolJSON + `,"metadata":{"k":"v"},"temperature":0.5,"top_p":0.25,"max_prompt_tokens":500,"max_completion_tokens":600,
			"truncation_strategy":{"type":"last_messages","last_messages":4},"tool_choice":"auto","parallel_tool_calls":true,
			"response_format":{"type":"json_schema","json_schema":{"name":"s"}}}`},
		"zeros that are meant": {assistants.RunCreateParams{AssistantID: "asst_1", Temperature: new(0.0), TopP: new(0.0), ParallelToolCalls: new(false)},
			`{"assistant_id":"asst_1","temperature":0,"top_p":0,"parallel_tool_calls":false}`},
	} {
		exchanges = append(exchanges, exchange{"create: " + name, "POST", many, test.body, fullRun, "run_1", create(test.params)})
	}
	field := func(name, value string, params assistants.RunCreateParams) {
		exchanges = append(exchanges, exchange{fmt.Sprintf("create: %s %s", name, value), "POST", many,
			fmt.Sprintf(`{"assistant_id":"","%s":%s}`, name, value), fullRun, "run_1", create(params)})
	}
	for value, choice := range map[string]assistants.ToolChoice{
		`"none"`:                      {Type: assistants.ToolChoiceNone},
		`"auto"`:                      {Type: assistants.ToolChoiceAuto},
		`"required"`:                  {Type: assistants.ToolChoiceRequired},
		`{"type":"code_interpreter"}`: {Type: assistants.ToolChoiceCodeInterpreter},
		`{"type":"file_search"}`:      {Type: assistants.ToolChoiceFileSearch},
		`{"type":"function","function":{"name":"f"}}`: {Type: assistants.ToolChoiceFunction, Function: &assistants.FunctionChoice{Name: "f"}},
		`{"type":"function","function":{"name":"g"}}`: {Function: &assistants.FunctionChoice{Name: "g"}},
		`{"type":"bing_grounding"}`:                   {Type: "bing_grounding"},
	} {
		field("tool_choice", value, assistants.RunCreateParams{ToolChoice: choice})
	}
	for value, strategy := range map[string]assistants.TruncationStrategy{
		`{"type":"auto"}`:                            {Type: assistants.TruncationAuto},
		`{"type":"last_messages"}`:                   {Type: assistants.TruncationLastMessages},
		`{"type":"last_messages","last_messages":1}`: {LastMessages: 1},
	} {
		field("truncation_strategy", value, assistants.RunCreateParams{TruncationStrategy: strategy})
	}
	for value, format := range map[string]assistants.ResponseFormat{
		`"auto"`:                 {Type: assistants.ResponseFormatAuto},
		`{"type":"text"}`:        {Type: assistants.ResponseFormatText},
		`{"type":"json_object"}`: {Type: assistants.ResponseFormatJSONObject},
	} {
		field("response_format", value, assistants.RunCreateParams{ResponseFormat: format})
	}
	checkExchanges(t, exchanges)
}

func TestRunContradictions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		params assistants.RunCreateParams
		says   string
	}{
		"choice of a function":  {assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: "function"}}, "does not say which function"},
		"choice and function":   {assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: "auto", Function: &assistants.FunctionChoice{}}}, `field of type "function"`},
		"truncation auto, 4":    {assistants.RunCreateParams{TruncationStrategy: assistants.TruncationStrategy{Type: "auto", LastMessages: 4}}, `field of type "last_messages"`},
		"format without schema": {assistants.RunCreateParams{ResponseFormat: assistants.ResponseFormat{Type: "json_schema"}}, "no schema"},
		"tool without a type":   {assistants.RunCreateParams{Tools: []assistants.Tool{{}}}, "no type"},
		"infinite temperature":  {assistants.RunCreateParams{Temperature: new(math.Inf(1))}, "unsupported value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, fullRun))
			c := newClient(t, tr)
			_, err := c.Runs.Create(t.Context(), "thread_1", test.params)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "POST /threads/thread_1/runs: ")
			_, err = c.Runs.Stream(t.Context(), "thread_1", test.params)
			require.ErrorContains(t, err, test.says)
			assert.Empty(t, tr.requests())
		})
	}
}

func getRun(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
	return c.Runs.Retrieve(ctx, "thread_1", "run_1")
}

func TestRunDecode(t *testing.T) {
	t.Parallel()
	action := func(action assistants.RequiredAction) assistants.Run {
		return assistants.Run{ID: "run_1", Status: assistants.RunRequiresAction, RequiredAction: &action}
	}
	for name, test := range map[string]struct {
		body string
		want assistants.Run
	}{
		"every field": {fullRun, assistants.Run{
			ID: "run_1", Object: "thread.run", CreatedAt: 1700000010, AssistantID: "asst_1", ThreadID: "thread_1",
			Status: assistants.RunRequiresAction, StartedAt: 1700000011, ExpiresAt: 1700000610, CancelledAt: 1700000012,
			FailedAt: 1700000013, CompletedAt: 1700000014,
			RequiredAction: &assistants.RequiredAction{Type: assistants.ActionSubmitToolOutputs, SubmitToolOutputs: &assistants.RequiredToolCalls{
				ToolCalls: []assistants.ToolCall{
					{ID: "call_1", Type: "function", Function: &assistants.FunctionCall{Name: "f", Arguments: `{"a":1}`}},
					{ID: "call_2", Type: "function", Function: &assistants.FunctionCall{Name: "g"}},
				}}},
			LastError: &assistants.RunError{Code: "server_error", Message: "Sorry."}, Model: "m", Instructions: "i",
			Tools: []assistants.Tool{{Type: "code_interpreter"}, {Type: "function", Function: &assistants.FunctionDefinition{
				Name: "f", Parameters: json.RawMessage(`{"type":"object"}`), Strict: true}}},
			ToolResources: &assistants.ToolResources{CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file-1"}}},
			Metadata:      assistants.Metadata{"k": "v"}, Temperature: new(0.0), TopP: new(0.5), ReasoningEffort: "low",
			MaxCompletionTokens: 600, MaxPromptTokens: 500,
			TruncationStrategy: &assistants.TruncationStrategy{Type: assistants.TruncationLastMessages, LastMessages: 4},
			IncompleteDetails:  &assistants.RunIncompleteDetails{Reason: "max_prompt_tokens"},
			Usage: &assistants.Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7,
				PromptTokenDetails:      &assistants.PromptTokenDetails{CachedTokens: 1},
				CompletionTokensDetails: &assistants.CompletionTokensDetails{ReasoningTokens: 2}},
			ResponseFormat:    &assistants.ResponseFormat{Type: "json_schema", JSONSchema: &assistants.JSONSchema{Name: "s"}},
			ToolChoice:        &assistants.ToolChoice{Type: assistants.ToolChoiceFunction, Function: &assistants.FunctionChoice{Name: "f"}},
			ParallelToolCalls: new(false), FileIDs: []string{"file-9"},
		}},
		"null everywhere": {`{"id":"run_1","object":null,"created_at":null,"assistant_id":null,"thread_id":null,"status":null,"started_at":null,
			"expires_at":null,"cancelled_at":null,"failed_at":null,"completed_at":null,"required_action":null,"last_error":null,"model":null,
			"instructions":null,"tools":null,"tool_resources":null,"metadata":null,"temperature":null,"top_p":null,"reasoning_effort":null,
			"max_completion_tokens":null,"max_prompt_tokens":null,"truncation_strategy":null,"incomplete_details":null,"usage":null,
			"response_format":null,"tool_choice":null,"parallel_tool_calls":null,"file_ids":null}`, assistants.Run{ID: "run_1"}},
		"null within": {`{"id":"run_1","required_action":{"type":null,"submit_tool_outputs":null},"last_error":{"code":null,"message":null},
			"usage":{"prompt_tokens":null,"prompt_token_details":null},"incomplete_details":{"reason":null},
			"truncation_strategy":{"type":"auto","last_messages":null}}`, assistants.Run{ID: "run_1",
			RequiredAction: &assistants.RequiredAction{}, LastError: &assistants.RunError{}, Usage: &assistants.Usage{},
			IncompleteDetails: &assistants.RunIncompleteDetails{}, TruncationStrategy: &assistants.TruncationStrategy{Type: "auto"}}},
		"unknown words": {`{"id":"run_1","status":"paused","last_error":{"code":"solar_flare","new":1},"incomplete_details":{"reason":"boredom"},
			"reasoning_effort":"colossal","new":[{}],"usage":{"total_tokens":1,"new_details":{"x":1}}}`, assistants.Run{ID: "run_1", Status: "paused",
			LastError: &assistants.RunError{Code: "solar_flare"}, IncompleteDetails: &assistants.RunIncompleteDetails{Reason: "boredom"},
			ReasoningEffort: "colossal", Usage: &assistants.Usage{TotalTokens: 1}}},
		"approvals": {`{"id":"run_1","status":"requires_action","required_action":{"type":"submit_tool_approval","submit_tool_approval":{"tool_calls":[
			{"id":"call_1","type":"mcp","name":"search","arguments":"{}","server_label":"docs"}]}}}`, action(assistants.RequiredAction{
			Type: assistants.ActionSubmitToolApproval, SubmitToolApproval: &assistants.RequiredToolCalls{ToolCalls: []assistants.ToolCall{
				{ID: "call_1", Type: "mcp", Name: "search", Arguments: "{}", ServerLabel: "docs"}}}})},
		"an action of unknown type": {`{"id":"run_1","status":"requires_action","model":"m","required_action":{"type":"consult","submit_tool_outputs":"x",
			"submit_tool_approval":[1],"consult":{}}}`, func() assistants.Run {
			run := action(assistants.RequiredAction{Type: "consult"})
			run.Model = "m"
			return run
		}()},
		"calls of unknown types": {`{"id":"run_1","status":"requires_action","required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[
			{"id":"call_1","type":"custom","function":"f","name":{"a":1}},{"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}]}}}`,
			action(assistants.RequiredAction{Type: "submit_tool_outputs", SubmitToolOutputs: &assistants.RequiredToolCalls{ToolCalls: []assistants.ToolCall{
				{ID: "call_1", Type: "custom"}, {ID: "call_2", Type: "function", Function: &assistants.FunctionCall{Name: "g", Arguments: "{}"}}}}})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := decodedBy(t, test.body, getRun)
			assert.Equal(t, &test.want, run)
			checkStored(t, run, true, getRun)
			page := decodedBy(t, pageOf(test.body, "run_1"), func(ctx context.Context, c *assistants.Client) (*assistants.Page[assistants.Run], error) {
				return c.Runs.List(ctx, "thread_1", assistants.ListParams{})
			})
			assert.Equal(t, []*assistants.Run{&test.want}, page.Data)
		})
	}
}

// What a server says of a run can be kept, and what it said read again, whatever it said.
func TestRunIsStored(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field string
		plain bool // encoding/json alone reads it as well as a call does
	}{
		"unknown tools":              {`"tools":[{"type":"mcp","server_label":"x","allowed_tools":["a"]},{"type":"function","function":{"name":"f"}},{"type":"openapi","openapi":{"b":1}}]`, false},
		"tools with odd fields":      {`"tools":[{"type":"custom","function":"f","file_search":[1]},{"type":"file_search"}]`, false},
		"an unknown choice":          {`"tool_choice":{"type":"bing","market":"en"}`, true},
		"an unknown word of choice":  {`"tool_choice":"sometimes"`, true},
		"a choice with odd fields":   {`"tool_choice":{"type":"custom","function":"f"}`, true},
		"an empty choice":            {`"tool_choice":{}`, true},
		"an unknown format":          {`"response_format":{"type":"grammar","json_schema":"x"}`, true},
		"truncation of unknown type": {`"truncation_strategy":{"type":"recent","last_messages":5}`, true},
		"truncation without a type":  {`"truncation_strategy":{"last_messages":null}`, true},
		"truncation with odd fields": {`"truncation_strategy":{"type":"summary","last_messages":{"keep":2}}`, true},
		"truncation with a number":   {`"truncation_strategy":{"type":"auto","last_messages":10}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := decodedBy(t, `{"id":"run_1","object":"thread.run",`+test.field+`,"model":"m"}`, getRun)
			assert.Equal(t, "m", run.Model)
			checkStored(t, run, test.plain, getRun)
			stored, err := json.Marshal(run)
			require.NoError(t, err)
			if name != "truncation without a type" { // which may say so
				assert.Contains(t, string(stored), test.field, "as it came")
			}
		})
	}
}

func TestRunStatus(t *testing.T) {
	t.Parallel()
	for status, terminal := range map[assistants.RunStatus]bool{
		assistants.RunQueued: false, assistants.RunInProgress: false, assistants.RunRequiresAction: false, assistants.RunCancelling: false,
		assistants.RunCancelled: true, assistants.RunFailed: true, assistants.RunCompleted: true, assistants.RunIncomplete: true,
		assistants.RunExpired: true, "": false, "paused": false, "Completed": false,
	} {
		assert.Equal(t, terminal, status.Terminal(), status)
	}
}

// A run that has no answer says why, whatever it says of itself.
func TestRunErr(t *testing.T) {
	t.Parallel()
	for body, says := range map[string]string{
		aRun("completed"): "",
		aRun("completed", `"incomplete_details":{"reason":"max_prompt_tokens"}`):             "",
		aRun("failed", `"last_error":{"code":"rate_limit_exceeded","message":"Slow down."}`): "assistants: run run_1 is failed: rate_limit_exceeded: Slow down.",
		aRun("incomplete", `"incomplete_details":{"reason":"max_completion_tokens"}`):        "assistants: run run_1 is incomplete: max_completion_tokens",
		aRun("failed"):     "assistants: run run_1 is failed",
		aRun("expired"):    "assistants: run run_1 is expired",
		waitsFor("call_1"): "assistants: run run_1 is requires_action",
		aRun("dozing"):     "assistants: run run_1 is dozing",
	} {
		err := decodedBy(t, body, getRun).Err()
		if says == "" {
			require.NoError(t, err, body)
		} else {
			require.EqualError(t, err, says)
		}
	}
}

func TestFunctionCalls(t *testing.T) {
	t.Parallel()
	calls := &assistants.RequiredToolCalls{ToolCalls: []assistants.ToolCall{{ID: "call_1"}, {ID: "call_2"}}}
	for name, test := range map[string]struct {
		run  assistants.Run
		want []assistants.ToolCall
	}{
		"calls":             {assistants.Run{Status: "requires_action", RequiredAction: &assistants.RequiredAction{SubmitToolOutputs: calls}}, calls.ToolCalls},
		"none":              {assistants.Run{Status: "requires_action", RequiredAction: &assistants.RequiredAction{SubmitToolOutputs: &assistants.RequiredToolCalls{}}}, nil},
		"approvals":         {assistants.Run{Status: "requires_action", RequiredAction: &assistants.RequiredAction{SubmitToolApproval: calls}}, nil},
		"no action":         {assistants.Run{Status: "requires_action"}, nil},
		"not waiting":       {assistants.Run{Status: "in_progress", RequiredAction: &assistants.RequiredAction{SubmitToolOutputs: calls}}, nil},
		"nothing at all":    {assistants.Run{}, nil},
		"something unknown": {assistants.Run{Status: "requires_action", RequiredAction: &assistants.RequiredAction{Type: "consult"}}, nil},
	} {
		assert.Equal(t, test.want, test.run.FunctionCalls(), name)
	}
}

func TestRunsAll(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, pathPages("thread.run"))
	var ids string
	for run, err := range newClient(t, tr).Runs.All(t.Context(), "thread_1", assistants.ListParams{Limit: 2}) {
		require.NoError(t, err)
		ids += run.ID
	}
	assert.Equal(t, "abcde", ids)
	const runs = "GET /threads/thread_1/runs?"
	assert.Equal(t, []string{runs + "limit=2", runs + "after=b&limit=2", runs + "after=d&limit=2"}, tr.uris())
}

// The values of headers for MCP servers are in requests, and in nothing that prints.
func TestMCPHeadersAreHidden(t *testing.T) {
	t.Parallel()
	const secret = "mcp-secret-value"
	headers := assistants.MCPHeaders{"Authorization": secret, "X-Other": secret}
	resources := assistants.ToolResources{MCP: []assistants.MCPResources{{ServerLabel: "docs", Headers: headers}}}
	approval := assistants.ToolApproval{ToolCallID: "call_1", Headers: headers}
	type named struct {
		Headers assistants.MCPHeaders
		Pointer *assistants.MCPHeaders
	}
	for _, value := range []any{
		headers, &headers, named{headers, &headers}, &named{headers, &headers}, []any{headers}, map[string]assistants.MCPHeaders{"a": headers},
		resources, &resources, resources.MCP, &resources.MCP[0], approval, &approval, []*assistants.ToolApproval{&approval},
		assistants.RunSubmitToolOutputsParams{ToolApprovals: []assistants.ToolApproval{approval}},
		assistants.ThreadCreateParams{ToolResources: resources},
		assistants.ThreadModifyParams{ToolResources: assistants.Set(resources)},
		assistants.Set(headers),
		&assistants.Thread{ToolResources: &resources}, assistants.Run{ToolResources: &resources},
	} {
		for _, format := range []string{"%v", "%+v", "%#v"} {
			assert.NotContains(t, fmt.Sprintf(format, value), secret, "%s of %T", format, value)
		}
		assert.NotContains(t, fmt.Sprint(value), secret)
	}
	for _, verb := range "sqxXdp" {
		shown := fmt.Sprintf("%"+string(verb), headers)
		assert.NotContains(t, shown, secret)
		assert.NotContains(t, strings.ToLower(shown), fmt.Sprintf("%x", secret))
	}
	assert.Equal(t, "2 headers", fmt.Sprint(headers))
	sent, err := json.Marshal(approval)
	require.NoError(t, err)
	assert.Contains(t, string(sent), secret)
}
