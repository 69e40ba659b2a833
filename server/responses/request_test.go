package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

const hello = `{"type":"message","role":"user","content":[{"type":"input_text","text":"Hello?"}]}`

// What a run is becomes what the provider is asked.
func TestRequest(t *testing.T) {
	t.Parallel()
	schema := json.RawMessage(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)
	f := assistants.Tool{Function: &assistants.FunctionDefinition{Name: "f", Description: "does", Parameters: schema, Strict: true}}
	for name, test := range map[string]struct {
		assistant assistants.AssistantCreateParams
		run       assistants.RunCreateParams
		want      string // besides what is always there
	}{
		"the least":    {want: `{}`},
		"instructions": {assistant: assistants.AssistantCreateParams{Instructions: "Be kind."}, want: `{"instructions":"Be kind."}`},
		"functions": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{f, {Function: &assistants.FunctionDefinition{Name: "g"}}}},
			want: `{"parallel_tool_calls":true,"tools":[{"type":"function","name":"f","description":"does","parameters":{"type":"object","properties":{},"required":[],"additionalProperties":false},"strict":true},
				{"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":false}]}`,
		},
		"one at a time": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{f}},
			run: assistants.RunCreateParams{ParallelToolCalls: new(false),
				ToolChoice: assistants.ToolChoice{Function: &assistants.FunctionChoice{Name: "f"}}},
			want: `{"parallel_tool_calls":false,"tool_choice":{"type":"function","name":"f"},
				"tools":[{"type":"function","name":"f","description":"does","parameters":{"type":"object","properties":{},"required":[],"additionalProperties":false},"strict":true}]}`,
		},
		"code": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{codeTool}},
			run:       assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceCodeInterpreter}},
			want: `{"parallel_tool_calls":true,"tool_choice":{"type":"code_interpreter"},"include":["code_interpreter_call.outputs"],
				"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}`,
		},
		"a search in nothing": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}, codeTool}},
			run:       assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceFileSearch}},
			want: `{"parallel_tool_calls":true,"include":["code_interpreter_call.outputs"],
				"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}`,
		},
		"only a search in nothing": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}}},
			run:       assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceRequired}}, want: `{}`,
		},
		"a tool, any": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{{Function: &assistants.FunctionDefinition{Name: "g"}}}},
			run:       assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceRequired}},
			want: `{"parallel_tool_calls":true,"tool_choice":"required",
				"tools":[{"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":false}]}`,
		},
		"no tool": {
			assistant: assistants.AssistantCreateParams{Tools: []assistants.Tool{{Function: &assistants.FunctionDefinition{Name: "g"}}}},
			run:       assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceNone}},
			want: `{"parallel_tool_calls":true,"tool_choice":"none",
				"tools":[{"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":false}]}`,
		},
		"sampling": {
			assistant: assistants.AssistantCreateParams{Temperature: new(0.0), TopP: new(0.5)},
			want:      `{"temperature":0,"top_p":0.5}`,
		},
		"sampling as always": {
			assistant: assistants.AssistantCreateParams{Temperature: new(1.0), TopP: new(1.0)}, want: `{}`,
		},
		"a budget":   {run: assistants.RunCreateParams{MaxCompletionTokens: 300}, want: `{"max_output_tokens":300}`},
		"plain text": {run: assistants.RunCreateParams{ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatText}}, want: `{"text":{"format":{"type":"text"}}}`},
		"JSON":       {run: assistants.RunCreateParams{ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatJSONObject}}, want: `{"text":{"format":{"type":"json_object"}}}`},
		"JSON like this": {
			run:  assistants.RunCreateParams{ResponseFormat: assistants.ResponseFormat{JSONSchema: &assistants.JSONSchema{Name: "n", Description: "d", Schema: schema}}},
			want: `{"text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{"type":"object","properties":{},"required":[],"additionalProperties":false},"strict":false}}}`,
		},
		"reasoning": {
			assistant: assistants.AssistantCreateParams{ReasoningEffort: "low"},
			want:      `{"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"]}`,
		},
		"no reasoning": {assistant: assistants.AssistantCreateParams{ReasoningEffort: "none"}, want: `{"reasoning":{"effort":"none"}}`},
		"metadata":     {run: assistants.RunCreateParams{Metadata: assistants.Metadata{"customer": "7"}}, want: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(answerOf("Hi.")...))
			s := h.begin(test.assistant, test.run)
			run, err := s.Wait()
			require.NoError(t, err)
			require.Equal(t, assistants.RunCompleted, run.Status)
			want := map[string]json.RawMessage{}
			always := `{"model":"gpt-4o","input":[` + hello + `],"store":false,"stream":true,"stream_options":{"include_obfuscation":false},
				"prompt_cache_key":"` + run.ThreadID + `"}`
			require.NoError(t, json.Unmarshal([]byte(always), &want))
			require.NoError(t, json.Unmarshal([]byte(test.want), &want))
			expected, err := json.Marshal(want)
			require.NoError(t, err)
			assert.JSONEq(t, string(expected), h.fake.question(t, 0))
		})
	}
}

// Fields that a provider does not know are left out, but for those that make the question.
func TestWithoutFields(t *testing.T) {
	t.Parallel()
	h := buildWith(t, []responses.Option{nil, responses.WithoutFields("prompt_cache_key", "stream_options", "store", "model", "input", "stream")},
		stream(answerOf("Hi.")...))
	h.ask()
	assert.JSONEq(t, `{"model":"gpt-4o","input":[`+hello+`],"stream":true}`, h.fake.question(t, 0))
}

// Which models are asked for their reasoning goes by their names, or by what the operator says.
func TestReasoningModels(t *testing.T) {
	t.Parallel()
	every := responses.WithReasoning(func(string) bool { return true })
	for name, test := range map[string]struct {
		option responses.Option
		want   bool
	}{
		"gpt-5": {nil, true}, "gpt-5-mini": {nil, true}, "gpt-5.2": {nil, true}, "o1": {nil, true}, "o4-mini": {nil, true},
		"gpt-4o": {nil, false}, "gpt-5-chat-latest": {nil, false}, "gpt-": {nil, false}, "o": {nil, false}, "ollama": {nil, false},
		"mine": {every, true}, "o3": {responses.WithReasoning(nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := buildWith(t, []responses.Option{test.option}, stream(answerOf("Hi.")...))
			_, err := h.begin(assistants.AssistantCreateParams{Model: name}, assistants.RunCreateParams{}).Wait()
			require.NoError(t, err)
			assert.Equal(t, test.want, strings.Contains(h.fake.question(t, 0), "reasoning.encrypted_content"))
		})
	}
}

const noReasoning = `{"error":{"message":"Encrypted content is not supported with this model.","type":"invalid_request_error","param":"include"}}`

// A model that does not reason after all is asked once more, and from then on as it wants.
func TestReasoningRefused(t *testing.T) {
	t.Parallel()
	const asksReasoning = "reasoning.encrypted_content"
	h := build(t, status(400, noReasoning), stream(answerOf("Hi.")...))
	ask := func(model string) {
		_, err := h.begin(assistants.AssistantCreateParams{Model: model}, assistants.RunCreateParams{}).Wait()
		require.NoError(t, err)
	}
	ask("o9")
	assert.Contains(t, h.fake.question(t, 0), asksReasoning)
	assert.NotContains(t, h.fake.question(t, 1), "include\"")
	ask("o9")
	assert.NotContains(t, h.fake.question(t, 2), asksReasoning)
	ask("o8")
	assert.Contains(t, h.fake.question(t, 3), asksReasoning)
	assert.Len(t, h.fake.asked, 4)
}

// A refusal of something else that is included says nothing about reasoning.
func TestIncludeRefused(t *testing.T) {
	t.Parallel()
	h := build(t, status(400, noReasoning), status(400, noReasoning), stream(answerOf("Hi.")...))
	for range 2 {
		_, err := h.begin(assistants.AssistantCreateParams{Model: "o9"}, assistants.RunCreateParams{}).Wait()
		require.NoError(t, err)
	}
	assert.NotContains(t, h.fake.question(t, 1), "reasoning.encrypted_content")
	assert.Contains(t, h.fake.question(t, 2), "reasoning.encrypted_content")
}

// A container that is gone and a model that does not reason do not keep a run from its answer, whichever comes first.
func TestTwoRefusals(t *testing.T) {
	t.Parallel()
	const gone = `{"error":{"message":"Container with id 'cntr_1' has expired."}}`
	for name, refusals := range map[string][]string{"gone first": {gone, noReasoning}, "reasoning first": {noReasoning, gone}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(completed(code("ci_1", "1", "null"))), status(400, refusals[0]), status(400, refusals[1]), stream(answerOf("Hi.")...))
			s := h.begin(assistants.AssistantCreateParams{Model: "o9", Tools: []assistants.Tool{codeTool}}, assistants.RunCreateParams{})
			_, err := s.Wait()
			require.NoError(t, err)
			assert.Equal(t, assistants.RunCompleted, h.again(s).Run().Status)
			last := h.fake.question(t, 3)
			assert.Contains(t, last, autoContainer)
			assert.NotContains(t, last, "reasoning.encrypted_content")
		})
	}
}

// Where no tool may be used nothing is copied for one.
func TestNoToolNoCopies(t *testing.T) {
	t.Parallel()
	h := build(t, stream(answerOf("Hi.")...))
	file, err := h.Files.Upload(t.Context(), assistants.FileUploadParams{File: strings.NewReader("a"), Filename: "a.txt"})
	require.NoError(t, err)
	store, err := h.VectorStores.Create(t.Context(), assistants.VectorStoreCreateParams{FileIDs: []string{file.ID}})
	require.NoError(t, err)
	s := h.begin(assistants.AssistantCreateParams{
		Tools: []assistants.Tool{codeTool, {Type: assistants.ToolFileSearch}},
		ToolResources: assistants.ToolResources{CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{file.ID}},
			FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	}, assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceNone}})
	run, err := s.Wait()
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status, run.LastError)
	assert.NotContains(t, h.fake.question(t, 0), "tool")
	assert.Empty(t, h.fake.paths)
}

// Without a server in front a call may say less, and a tool that there is not is an error like the server's.
func TestBareCall(t *testing.T) {
	t.Parallel()
	h := build(t, stream(answerOf("Hi.")...))
	respond := func(tools ...assistants.Tool) (last error) {
		for _, err := range h.model.Respond(t.Context(), &server.ModelCall{Model: "m", Temperature: 1, TopP: 1, Tools: tools}) {
			last = err
		}
		return last
	}
	require.NoError(t, respond(assistants.Tool{Type: assistants.ToolFunction}, functionTool))
	assert.Contains(t, h.fake.question(t, 0), `"tools":[{"type":"function","name":"f",`)
	var shown *server.ModelError
	require.ErrorAs(t, respond(assistants.Tool{Type: "mcp"}), &shown)
	assert.Equal(t, server.ModelError{Code: "server_error", Message: "Invalid 'tools': there are no tools of type 'mcp' here."}, *shown)
}

// The conversation is told with roles and parts as the provider wants them.
func TestConversation(t *testing.T) {
	t.Parallel()
	h := build(t, stream(answerOf("Hi.")...))
	picture, err := h.Files.Upload(t.Context(), assistants.FileUploadParams{
		File: strings.NewReader("\x89PNG\r\n\x1a\n"), Filename: "a.png", Purpose: assistants.PurposeVision})
	require.NoError(t, err)
	user, assistant := assistants.RoleUser, assistants.RoleAssistant
	s := h.begin(assistants.AssistantCreateParams{}, assistants.RunCreateParams{},
		assistants.MessageCreateParams{Role: user, Parts: []assistants.ContentPartParam{
			assistants.TextPart("Look:"), assistants.ContentPartParam{ImageURL: &assistants.ImageURL{URL: "https://example.com/a.png", Detail: "low"}},
			assistants.ImageFilePart(picture.ID),
		}},
		assistants.MessageCreateParams{Role: user, Content: "And?"},
		assistants.MessageCreateParams{Role: assistant, Content: "A picture 【4:0†a.txt】."},
		assistants.MessageCreateParams{Role: assistant, Parts: []assistants.ContentPartParam{assistants.ImageFilePart(picture.ID)}},
		assistants.MessageCreateParams{Role: user, Content: "Thanks."})
	_, err = s.Wait()
	require.NoError(t, err)
	var asked struct{ Input json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(h.fake.question(t, 0)), &asked))
	assert.JSONEq(t, `[{"type":"message","role":"user","content":[{"type":"input_text","text":"Look:"},
			{"type":"input_image","image_url":"https://example.com/a.png","detail":"low"},
			{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}]},
		{"type":"message","role":"user","content":[{"type":"input_text","text":"And?"}]},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"A picture 【4:0†a.txt】.","annotations":[]}]},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"[An image was shown here]","annotations":[]}]},
		{"type":"message","role":"user","content":[{"type":"input_text","text":"Thanks."}]}]`, string(asked.Input))
}

// A refusal is told as one, in the next run.
func TestRefusalIsTold(t *testing.T) {
	t.Parallel()
	h := build(t, stream(delta2("refusal", 0, "No."), completed()), stream(answerOf("Hi.")...))
	s := h.ask()
	_, err := h.Runs.CreateAndPoll(t.Context(), s.Run().ThreadID, assistants.RunCreateParams{AssistantID: s.Run().AssistantID})
	require.NoError(t, err)
	assert.Contains(t, h.fake.question(t, 1), `{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}`)
}

// A thread without messages has its instructions for an opening.
func TestEmptyThread(t *testing.T) {
	t.Parallel()
	h := build(t, stream(answerOf("Hi.")...))
	_, err := h.begin(assistants.AssistantCreateParams{Instructions: "Greet."}, assistants.RunCreateParams{}, []assistants.MessageCreateParams{}...).Wait()
	require.NoError(t, err)
	asked := h.fake.question(t, 0)
	assert.Contains(t, asked, `"input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"Greet."}]}]`)
	assert.NotContains(t, asked, "instructions")
}

// A budget that is less than a provider lets ask for is used up.
func TestSmallBudget(t *testing.T) {
	t.Parallel()
	h := build(t, stream(completed(function("a", "call_a", "{}"))))
	s := h.begin(assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool}}, assistants.RunCreateParams{MaxCompletionTokens: 256})
	_, err := s.Wait()
	require.NoError(t, err)
	h.fake.mu.Lock()
	h.fake.answers = append(h.fake.answers, stream(strings.Replace(completed(function("b", "call_b", "{}")), `"output_tokens":5`, `"output_tokens":240`, 1)))
	h.fake.mu.Unlock()
	s = h.answer(s, "1")
	assert.Contains(t, h.fake.question(t, 1), `"max_output_tokens":251`)
	s = h.answer(s, "2")
	assert.Equal(t, "incomplete max_completion_tokens", told(t, h, s)[2])
	assert.Len(t, h.fake.asked, 2)
}

// Tools that nobody here can use are refused when an assistant is made.
func TestCheck(t *testing.T) {
	t.Parallel()
	h := build(t, stream(answerOf("Hi.")...))
	require.NoError(t, h.model.Check("any", []assistants.Tool{codeTool, {Type: assistants.ToolFunction}, {Type: assistants.ToolFileSearch}, functionTool}))
	err := h.model.Check("any", []assistants.Tool{{Type: "mcp"}})
	require.EqualError(t, err, "there are no tools of type 'mcp' here")
}

// The provider's models are listed by name.
func TestModels(t *testing.T) {
	t.Parallel()
	provider, err := assistants.NewClient(assistants.WithHandler(status(200, `{"object":"list","data":[{"id":"b","created":7,"owned_by":"me"},{"id":""},{"id":"a"},{"id":"b"}]}`)))
	require.NoError(t, err)
	list, err := responses.New(provider).Models(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "a", list[0].ID)
	assert.Equal(t, "me", list[1].OwnedBy)
	assert.EqualValues(t, 7, list[1].CreatedAt)
	provider, err = assistants.NewClient(assistants.WithHandler(status(200, `[{"id":"b","created":1.7e9},{"id":"a","created":"today"}]`)))
	require.NoError(t, err)
	list, err = responses.New(provider).Models(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []server.ModelInfo{{ID: "a"}, {ID: "b", CreatedAt: 1_700_000_000}}, list)
	provider, err = assistants.NewClient(assistants.WithHandler(status(404, `{}`)))
	require.NoError(t, err)
	_, err = responses.New(provider).Models(t.Context())
	require.ErrorIs(t, err, assistants.ErrNotFound)
}
