package assistants_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullStep = `{"id":"step_1","object":"thread.run.step","created_at":1700000020,"run_id":"run_1","assistant_id":"asst_1",
	"thread_id":"thread_1","type":"tool_calls","status":"failed","cancelled_at":1700000021,"completed_at":1700000022,
	"expires_at":1700000023,"expired_at":1700000024,"failed_at":1700000025,"last_error":{"code":"rate_limit_exceeded","message":"Slow down."},
	"step_details":{"type":"tool_calls","tool_calls":[
		{"id":"call_1","type":"code_interpreter","code_interpreter":{"input":"print(1)","outputs":[
			{"type":"logs","logs":"1\n"},{"type":"image","image":{"file_id":"file-1"}}]}},
		{"id":"call_2","type":"file_search","file_search":{"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.5},
			"results":[{"file_id":"file-2","file_name":"a.txt","score":0.875,"attributes":{"s":"x","n":1.50,"b":true,"z":null},
				"content":[{"type":"text","text":"found"}]},{"file_id":"file-3","file_name":"b.txt","score":0,"attributes":{}}]}},
		{"id":"call_3","type":"function","function":{"name":"f","arguments":"{}","output":"42"}},
		{"id":"call_4","type":"function","function":{"name":"g","arguments":"{}","output":null}},
		{"id":"call_5","type":"mcp","name":"search","arguments":"{}","output":"hit","server_label":"docs"},
		{"id":"call_6","type":"retrieval","retrieval":{}}]},
	"metadata":{"k":"v"},"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`

const contentIncluded = "include[]=step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content"

func TestRunStepsRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	const many, one = "/threads/thread_1/runs/run_1/steps", "/threads/thread_1/runs/run_1/steps/step_1"
	page := pageOf(fullStep, "step_1")
	retrieve := func(opts ...assistants.RequestOption) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idOf(c.RunSteps.Retrieve(ctx, "thread_1", "run_1", "step_1", opts...))
		}
	}
	list := func(params assistants.ListParams, opts ...assistants.RequestOption) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idsOf(c.RunSteps.List(ctx, "thread_1", "run_1", params, opts...))
		}
	}
	content := assistants.WithInclude(assistants.IncludeFileSearchContent)
	params := assistants.ListParams{Limit: 5, Order: assistants.OrderAsc, After: "step_0", Before: "step_9"}
	const query = "?after=step_0&before=step_9&limit=5&order=asc"
	checkExchanges(t, []exchange{
		{"retrieve", "GET", one, "", fullStep, "step_1", retrieve()},
		{"retrieve with content", "GET", one + "?" + contentIncluded, "", fullStep, "step_1", retrieve(content)},
		{"retrieve with more", "GET", one + "?" + contentIncluded + "&include[]=a%26b&include[]=c", "", fullStep, "step_1",
			retrieve(content, assistants.WithInclude("a&b", "c"))},
		{"list", "GET", many, "", page, "step_1..step_1 true: step_1", list(assistants.ListParams{})},
		{"list with everything", "GET", many + query, "", page, "step_1..step_1 true: step_1", list(params)},
		{"list with content", "GET", many + query + "&" + contentIncluded, "", page, "step_1..step_1 true: step_1", list(params, content)},
	})
}

// Every page is asked for with what is to be included.
func TestRunStepsAll(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, pathPages("thread.run.step"))
	var ids string
	all := newClient(t, tr).RunSteps.All(t.Context(), "thread_1", "run_1", assistants.ListParams{Limit: 2},
		assistants.WithInclude(assistants.IncludeFileSearchContent))
	for range 2 {
		for step, err := range all {
			require.NoError(t, err)
			ids += step.ID
		}
	}
	assert.Equal(t, "abcdeabcde", ids)
	const steps = "GET /threads/thread_1/runs/run_1/steps?"
	three := []string{steps + "limit=2&" + contentIncluded, steps + "after=b&limit=2&" + contentIncluded, steps + "after=d&limit=2&" + contentIncluded}
	assert.Equal(t, append(three, three...), tr.uris())
}

func getStep(ctx context.Context, c *assistants.Client) (*assistants.RunStep, error) {
	return c.RunSteps.Retrieve(ctx, "thread_1", "run_1", "step_1")
}

func TestRunStepDecode(t *testing.T) {
	t.Parallel()
	attributes := assistants.Attributes{"s": assistants.AttributeOf("x"), "b": assistants.AttributeOf(true)}
	require.NoError(t, json.Unmarshal([]byte(`{"n":1.50,"z":null}`), &attributes))
	step := func(details assistants.StepDetails) assistants.RunStep {
		return assistants.RunStep{ID: "step_1", Type: details.Type, StepDetails: details}
	}
	calls := func(calls ...assistants.ToolCall) assistants.RunStep {
		return step(assistants.StepDetails{Type: "tool_calls", ToolCalls: calls})
	}
	function := assistants.ToolCall{ID: "call_2", Type: "function", Function: &assistants.FunctionCall{Name: "f", Output: "o"}}
	const functionJSON = `{"id":"call_2","type":"function","function":{"name":"f","output":"o"}}`
	for name, test := range map[string]struct {
		body string
		want assistants.RunStep
	}{
		"every field": {fullStep, assistants.RunStep{
			ID: "step_1", Object: "thread.run.step", CreatedAt: 1700000020, RunID: "run_1", AssistantID: "asst_1", ThreadID: "thread_1",
			Type: assistants.RunStepToolCalls, Status: assistants.RunStepFailed, CancelledAt: 1700000021, CompletedAt: 1700000022,
			ExpiresAt: 1700000023, ExpiredAt: 1700000024, FailedAt: 1700000025,
			LastError: &assistants.RunError{Code: "rate_limit_exceeded", Message: "Slow down."},
			StepDetails: assistants.StepDetails{Type: assistants.RunStepToolCalls, ToolCalls: []assistants.ToolCall{
				{ID: "call_1", Type: assistants.ToolCodeInterpreter, CodeInterpreter: &assistants.CodeInterpreterCall{Input: "print(1)",
					Outputs: []assistants.CodeInterpreterOutput{
						{Type: assistants.CodeInterpreterLogs, Logs: "1\n"},
						{Type: assistants.CodeInterpreterImage, Image: &assistants.ImageFile{FileID: "file-1"}}}}},
				{ID: "call_2", Type: assistants.ToolFileSearch, FileSearch: &assistants.FileSearchCall{
					RankingOptions: &assistants.RankingOptions{Ranker: "default_2024_08_21", ScoreThreshold: 0.5},
					Results: []assistants.FileSearchResult{
						{FileID: "file-2", FileName: "a.txt", Score: 0.875, Attributes: attributes,
							Content: []assistants.FileSearchContent{{Type: "text", Text: "found"}}},
						{FileID: "file-3", FileName: "b.txt", Attributes: assistants.Attributes{}}}}},
				{ID: "call_3", Type: assistants.ToolFunction, Function: &assistants.FunctionCall{Name: "f", Arguments: "{}", Output: "42"}},
				{ID: "call_4", Type: assistants.ToolFunction, Function: &assistants.FunctionCall{Name: "g", Arguments: "{}"}},
				{ID: "call_5", Type: assistants.ToolMCP, Name: "search", Arguments: "{}", Output: "hit", ServerLabel: "docs"},
				{ID: "call_6", Type: assistants.ToolRetrieval, Retrieval: new(assistants.RetrievalCall)},
			}},
			Metadata: assistants.Metadata{"k": "v"},
			Usage:    &assistants.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3},
		}},
		"a message": {`{"id":"step_1","type":"message_creation","step_details":{"type":"message_creation","message_creation":{"message_id":"msg_1"}}}`,
			step(assistants.StepDetails{Type: assistants.RunStepMessageCreation, MessageCreation: &assistants.MessageCreation{MessageID: "msg_1"}})},
		"no calls yet": {`{"id":"step_1","type":"tool_calls","step_details":{"type":"tool_calls","tool_calls":[]}}`, calls([]assistants.ToolCall{}...)},
		"null everywhere": {`{"id":"step_1","object":null,"created_at":null,"run_id":null,"assistant_id":null,"thread_id":null,"type":null,"status":null,
			"cancelled_at":null,"completed_at":null,"expires_at":null,"expired_at":null,"failed_at":null,"last_error":null,"step_details":null,
			"metadata":null,"usage":null}`, assistants.RunStep{ID: "step_1"}},
		"null within": {`{"id":"step_1","type":"tool_calls","step_details":{"type":"tool_calls","tool_calls":[null,{"type":"code_interpreter","code_interpreter":
			{"input":null,"outputs":[null,{"type":"logs","logs":null},{"type":"image","image":null}]}},{"type":"file_search","file_search":{"ranking_options":null,
			"results":[null,{"file_id":null,"score":null,"attributes":null,"content":[null]}]}},{"type":"function","function":null}]}}`, calls(assistants.ToolCall{},
			assistants.ToolCall{Type: "code_interpreter", CodeInterpreter: &assistants.CodeInterpreterCall{
				Outputs: []assistants.CodeInterpreterOutput{{}, {Type: "logs"}, {Type: "image"}}}},
			assistants.ToolCall{Type: "file_search", FileSearch: &assistants.FileSearchCall{Results: []assistants.FileSearchResult{{},
				{Content: []assistants.FileSearchContent{{}}}}}},
			assistants.ToolCall{Type: "function"})},
		"a call of unknown type": {`{"id":"step_1","type":"tool_calls","run_id":"run_1","step_details":{"type":"tool_calls","tool_calls":[
			{"id":"call_1","type":"computer","function":"click","code_interpreter":[1],"file_search":7,"name":{"x":1},"arguments":{"y":2},"output":[3],"server_label":4},` +
			functionJSON + `]}}`, func() assistants.RunStep {
			s := calls(assistants.ToolCall{ID: "call_1", Type: "computer"}, function)
			s.RunID = "run_1"
			return s
		}()},
		"a call of MCP with objects": {`{"id":"step_1","type":"tool_calls","step_details":{"type":"tool_calls","tool_calls":[
			{"id":"call_1","type":"mcp","name":"n","arguments":{"y":2},"output":[3],"server_label":"docs"},` + functionJSON + `]}}`,
			calls(assistants.ToolCall{ID: "call_1", Type: "mcp", Name: "n", ServerLabel: "docs"}, function)},
		"outputs of unknown types": {`{"id":"step_1","type":"tool_calls","step_details":{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"code_interpreter",
			"code_interpreter":{"input":"x","outputs":[{"type":"video","logs":{"a":1},"image":"file-1"},{"type":"logs","logs":"l"}]}},` + functionJSON + `]}}`,
			calls(assistants.ToolCall{ID: "call_1", Type: "code_interpreter", CodeInterpreter: &assistants.CodeInterpreterCall{Input: "x",
				Outputs: []assistants.CodeInterpreterOutput{{Type: "video"}, {Type: "logs", Logs: "l"}}}}, function)},
		"details of unknown type": {`{"id":"step_1","type":"reasoning","status":"dozing","last_error":{"code":"new"},"step_details":{"type":"reasoning","tool_calls":{"a":1},
			"message_creation":"msg_1"}}`, assistants.RunStep{ID: "step_1", Type: "reasoning", Status: "dozing", LastError: &assistants.RunError{Code: "new"},
			StepDetails: assistants.StepDetails{Type: "reasoning"}}},
		"content of unknown type": {`{"id":"step_1","type":"tool_calls","step_details":{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"file_search",
			"file_search":{"results":[{"file_id":"file-1","content":[{"type":"table","text":{"rows":[]}},{"type":"text","text":"t"}]}]}},` + functionJSON + `]}}`,
			calls(assistants.ToolCall{ID: "call_1", Type: "file_search", FileSearch: &assistants.FileSearchCall{Results: []assistants.FileSearchResult{
				{FileID: "file-1", Content: []assistants.FileSearchContent{{Type: "table"}, {Type: "text", Text: "t"}}}}}}, function)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := decodedBy(t, test.body, getStep)
			assert.Equal(t, &test.want, s)
			checkStored(t, s, true, getStep)
			page := decodedBy(t, pageOf(test.body, "step_1"), func(ctx context.Context, c *assistants.Client) (*assistants.Page[assistants.RunStep], error) {
				return c.RunSteps.List(ctx, "thread_1", "run_1", assistants.ListParams{})
			})
			assert.Equal(t, []*assistants.RunStep{&test.want}, page.Data)
		})
	}
}

func TestAttribute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		raw, text  string
		number     float64
		isNumber   bool
		is, isBool bool
	}{
		{raw: `"a \"b\" <c>"`, text: `a "b" <c>`},
		{raw: `""`, text: ""},
		{raw: `"7"`, text: "7"},
		{raw: `"true"`, text: "true"},
		{raw: `"null"`, text: "null"},
		{raw: `1.50`, text: "1.50", number: 1.5, isNumber: true},
		{raw: `-1e3`, text: "-1e3", number: -1000, isNumber: true},
		{raw: `0`, text: "0", isNumber: true},
		{raw: `true`, text: "true", is: true, isBool: true},
		{raw: `false`, text: "false", isBool: true},
		{raw: `null`, text: "null"},
		{raw: `["a",1]`, text: `["a",1]`},
		{raw: `{"a":{}}`, text: `{"a":{}}`},
	} {
		var a assistants.Attribute
		require.NoError(t, json.Unmarshal([]byte(" "+test.raw+" "), &a))
		assert.Equal(t, test.text, a.String(), test.raw)
		number, isNumber := a.Number()
		assert.Equal(t, test.number, number, test.raw)
		assert.Equal(t, test.isNumber, isNumber, test.raw)
		is, isBool := a.Bool()
		assert.Equal(t, test.is, is, test.raw)
		assert.Equal(t, test.isBool, isBool, test.raw)
		back, err := json.Marshal(map[string]assistants.Attribute{"k": a})
		require.NoError(t, err)
		assert.JSONEq(t, `{"k":`+test.raw+`}`, string(back))
	}
	for _, test := range []struct {
		made assistants.Attribute
		want string
	}{
		{assistants.AttributeOf(`a "b"`), `"a \"b\""`}, {assistants.AttributeOf(""), `""`}, {assistants.AttributeOf(1.5), `1.5`},
		{assistants.AttributeOf(false), `false`}, {assistants.Attribute{}, `null`},
		{assistants.AttributeOf(math.Inf(1)), `null`}, {assistants.AttributeOf(math.NaN()), `null`},
	} {
		back, err := json.Marshal(test.made)
		require.NoError(t, err)
		assert.Equal(t, test.want, string(back))
	}
}
