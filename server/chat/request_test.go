package chat_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server/chat"
)

// pixel is a PNG, or begins like one.
const pixel = "\x89PNG\r\n\x1a\n"

// What is set is sent, in the provider's words, and nothing else.
func TestRequests(t *testing.T) {
	t.Parallel()
	zero, no := 0.0, false
	f := assistants.Tool{Function: &assistants.FunctionDefinition{Name: "f", Description: "Does.", Strict: true,
		Parameters: json.RawMessage(`{"type":"object","properties":{},"additionalProperties":false}`)}}
	const offered = `"tools":[{"type":"function","function":{"name":"f","description":"Does.","parameters":{"type":"object","properties":{},"additionalProperties":false},"strict":true}}]`
	for _, test := range []struct {
		name   string
		opts   []chat.Option
		params assistants.ThreadCreateAndRunParams
		want   string // besides model, messages, stream and stream_options
	}{
		{"nothing", nil, assistants.ThreadCreateAndRunParams{}, ``},
		{"nil options", []chat.Option{nil}, assistants.ThreadCreateAndRunParams{}, ``},
		{"temperature", nil, assistants.ThreadCreateAndRunParams{Temperature: &zero, TopP: &zero}, `"temperature":0,"top_p":0`},
		{"budget", nil, assistants.ThreadCreateAndRunParams{MaxCompletionTokens: 300}, `"max_completion_tokens":300`},
		{"old budget", []chat.Option{chat.WithMaxTokensField()}, assistants.ThreadCreateAndRunParams{MaxCompletionTokens: 300}, `"max_tokens":300`},
		{"format", nil, assistants.ThreadCreateAndRunParams{ResponseFormat: assistants.ResponseFormat{JSONSchema: &assistants.JSONSchema{Name: "n", Schema: json.RawMessage(`{"type":"object"}`)}}},
			`"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}`},
		{"automatic format", nil, assistants.ThreadCreateAndRunParams{ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatAuto}}, ``},
		{"functions", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}}, offered},
		{"functions one by one", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}, ParallelToolCalls: &no}, offered + `,"parallel_tool_calls":false`},
		{"no functions one by one", nil, assistants.ThreadCreateAndRunParams{ParallelToolCalls: &no}, ``},
		{"forced", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}, ToolChoice: assistants.ToolChoice{Function: &assistants.FunctionChoice{Name: "f"}}},
			offered + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		{"required", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}, ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceRequired}}, offered + `,"tool_choice":"required"`},
		{"none", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}, ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceNone}}, offered + `,"tool_choice":"none"`},
		{"automatic", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{f}, ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceAuto}}, offered},
		{"search without stores", nil, assistants.ThreadCreateAndRunParams{Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}},
			ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceFileSearch}}, ``},
		{"ignored code", []chat.Option{chat.WithIgnoredTools(assistants.ToolCodeInterpreter)}, assistants.ThreadCreateAndRunParams{
			Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}}, ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceCodeInterpreter}}, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, assistants.AssistantCreateParams{}, test.opts, answers("."))
			k.ask(test.params)
			want := `{"model":"m","messages":[{"role":"user","content":"Hello?"}],"stream":true,"stream_options":{"include_usage":true}`
			if test.want != "" {
				want += "," + test.want
			}
			assert.JSONEq(t, want+"}", k.upstream.requests()[0])
		})
	}
}

func TestRequestsToOtherServers(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{Instructions: "Be brief.", ReasoningEffort: "low"},
		[]chat.Option{chat.WithDeveloperRole(), chat.WithoutFields("stream_options", "model")}, answers("."))
	k.hello()
	assert.JSONEq(t, `{"model":"m","messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"Hello?"}],
		"reasoning_effort":"low","stream":true}`, k.upstream.requests()[0])
}

// The conversation is sent as the provider's own: text as strings, images as parts, what is not there any more as a
// note.
func TestConversation(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{}, nil, answers("."))
	upload := func(name, content string) string {
		file, err := k.client.Files.Upload(t.Context(), assistants.FileUploadParams{File: strings.NewReader(content), Filename: name, Purpose: assistants.PurposeVision})
		require.NoError(t, err)
		return file.ID
	}
	image, page, gone := upload("a.png", pixel), upload("b.png", "text"), upload("c.png", pixel)
	said := []assistants.MessageCreateParams{
		assistants.UserMessage("One", assistants.TextPart("two")),
		{Role: assistants.RoleAssistant, Content: "Three"},
		assistants.UserMessage("Look:", assistants.ImageFilePart(image), assistants.ImageURLPart("https://example.com/x.png"),
			assistants.ImageFilePart(page), assistants.ImageFilePart(gone)),
		{Role: assistants.RoleAssistant, Parts: []assistants.ContentPartParam{assistants.ImageFilePart(image)}},
	}
	thread, err := k.client.Threads.Create(t.Context(), assistants.ThreadCreateParams{Messages: said})
	require.NoError(t, err)
	_, err = k.client.Files.Delete(t.Context(), gone)
	require.NoError(t, err)
	run, err := k.client.Runs.CreateAndPoll(t.Context(), thread.ID, assistants.RunCreateParams{AssistantID: k.assistant}, assistants.WithPollInterval(time.Millisecond))
	require.NoError(t, err)
	require.Equal(t, assistants.RunCompleted, run.Status)
	var sent struct{ Messages json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(k.upstream.requests()[0]), &sent))
	assert.JSONEq(t, `[{"role":"user","content":"One\ntwo"},{"role":"assistant","content":"Three"},{"role":"user","content":[
		{"type":"text","text":"Look:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}},
		{"type":"image_url","image_url":{"url":"https://example.com/x.png","detail":"auto"}},
		{"type":"text","text":"[A file that is no image: b.png]"},{"type":"text","text":"[An image that is not available any more]"}]},
		{"role":"assistant","content":"[An image was shown here]"}]`, string(sent.Messages))
}

// Within a run the model sees what it has called, with the text that it wrote before, and what came of it.
func TestOutputs(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f"), functionTool("g")}}, nil,
		streams(word("Let me see."), calls("0", "a", "f", `{"x":1}`), calls("1", "b", "g", "{}"), finish("tool_calls"), done),
		streams(calls("0", "a", "f", "{}"), finish("tool_calls"), done), answers("There."))
	s := k.hello()
	require.Equal(t, assistants.RunCompleted, s.run.Status, s.run.LastError)
	assert.Equal(t, "Let me see.\nThere.", s.text())
	assert.Equal(t, []string{"message_creation", "function", "function", "message_creation"}, s.kinds())
	var sent struct{ Messages []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(k.upstream.requests()[2]), &sent))
	second := s.steps[2].StepDetails.ToolCalls[0].ID
	assert.Regexp(t, "^call_[A-Z2-7]{24}$", second, "the id that was used before is not used again")
	for i, want := range []string{
		`{"role":"user","content":"Hello?"}`,
		`{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
			{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}`,
		`{"role":"tool","tool_call_id":"a","content":"echo {\"x\":1}"}`, `{"role":"tool","tool_call_id":"b","content":"echo {}"}`,
		`{"role":"assistant","content":null,"tool_calls":[{"id":"` + second + `","type":"function","function":{"name":"f","arguments":"{}"}}]}`,
		`{"role":"tool","tool_call_id":"` + second + `","content":"echo {}"}`,
	} {
		assert.JSONEq(t, want, string(sent.Messages[i]))
	}
}
