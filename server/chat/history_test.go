package chat_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// What a run has done is known without what the model has kept, such as from another model that began the run.
func TestHistoryOfAnotherModel(t *testing.T) {
	t.Parallel()
	written := func(role assistants.Role, runID, text string) server.Turn {
		return server.Turn{Message: &assistants.Message{Role: role, RunID: runID,
			Content: []assistants.ContentPart{{Text: &assistants.Text{Value: text}}}}}
	}
	made := func(calls ...assistants.ToolCall) server.Turn { return server.Turn{ToolCalls: calls} }
	call := question()
	call.RunID, call.Round, call.State = "run_2", 1, []byte(`{"response":"of another model"}`)
	call.History = []server.Turn{
		written(assistants.RoleUser, "", "Hello?"), written(assistants.RoleAssistant, "run_1", "Hi!"), written(assistants.RoleUser, "", "And?"),
		written(assistants.RoleAssistant, "run_2", "Let me"), written(assistants.RoleAssistant, "run_2", "see."),
		made(assistants.ToolCall{ID: "s", FileSearch: &assistants.FileSearchCall{Results: []assistants.FileSearchResult{
			{FileName: "a.md", Content: []assistants.FileSearchContent{{Text: "Found."}}}}}}),
		made(assistants.ToolCall{ID: "c", CodeInterpreter: &assistants.CodeInterpreterCall{Input: "1", Outputs: []assistants.CodeInterpreterOutput{
			{Logs: "one"}, {Image: &assistants.ImageFile{FileID: "file-1"}}}}}),
		made(assistants.ToolCall{ID: "f", Function: &assistants.FunctionCall{Name: "f", Arguments: "{}", Output: "out"}}),
		written(assistants.RoleAssistant, "run_2", "More."),
	}
	u := &upstream{t: t, answers: []http.HandlerFunc{answers("So.")}}
	require.NoError(t, respond(t, u.ServeHTTP, call).failed)
	var sent struct{ Messages json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(u.requests()[0]), &sent))
	assert.JSONEq(t, `[{"role":"user","content":"Hello?"},{"role":"assistant","content":"Hi!"},{"role":"user","content":"And?"},
		{"role":"assistant","content":"Let me\nsee.","tool_calls":[{"id":"s","type":"function","function":{"name":"file_search","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"s","content":"\"a.md\"\nFound."},
		{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"code_interpreter","arguments":"{\"code\":\"1\"}"}}]},
		{"role":"tool","tool_call_id":"c","content":"one\n[The user is shown an image]"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"f","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"f","content":"out"},{"role":"assistant","content":"More."}]`, string(sent.Messages))
}

// A run that waits for outputs goes on with the next server as if there had been no other: the model sees the same,
// marks and files are known.
func TestRestart(t *testing.T) {
	t.Parallel()
	store, blobs := server.NewMemoryStore(), server.NewMemoryBlobs()
	u := &upstream{t: t, answers: []http.HandlerFunc{
		streams(searches("s", "opens"), calls("1", "c", "code_interpreter", `{"code":"1"}`), finish("tool_calls")),
		streams(word("Now:"), calls("0", "f", "f", "{}"), finish("tool_calls")),
		streams(word("At nine【4:0】, sandbox:/mnt/data/a.txt"), finish("stop")),
	}}
	runner := runnerFunc(func(context.Context, chat.Code) (chat.CodeResult, error) {
		return chat.CodeResult{Files: []chat.CodeOutput{{Name: "a.txt"}}}, nil
	})
	start := func() (*server.Server, *assistants.Client) {
		s := server.New(server.WithStore(store), server.WithBlobs(blobs), server.WithModel(chat.New(newClient(t, u), chat.WithCodeRunner(runner))))
		return s, newClient(t, s)
	}
	s, client := start()
	ctx, often := t.Context(), assistants.WithPollInterval(time.Millisecond)
	vs, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{})
	require.NoError(t, err)
	file, err := client.VectorStoreFiles.UploadAndPoll(ctx, vs.ID, assistants.VectorStoreFileUploadParams{
		File: assistants.FileUploadParams{File: strings.NewReader("The shop opens at nine."), Filename: "handbook.md"}}, often)
	require.NoError(t, err)
	a, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "m",
		Tools:         []assistants.Tool{functionTool("f"), {Type: assistants.ToolFileSearch}, {Type: assistants.ToolCodeInterpreter}},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{vs.ID}}}})
	require.NoError(t, err)
	run, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{AssistantID: a.ID,
		Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("?")}}}, often)
	require.NoError(t, err)
	require.Equal(t, assistants.RunRequiresAction, run.Status, run.LastError)
	require.NoError(t, s.Close())

	s, client = start()
	defer s.Close()
	run, err = client.Runs.SubmitToolOutputsAndPoll(ctx, run.ThreadID, run.ID, assistants.RunSubmitToolOutputsParams{
		ToolOutputs: []assistants.ToolOutput{{ToolCallID: "f", Output: "out"}}}, often)
	require.NoError(t, err)
	require.Equal(t, assistants.RunCompleted, run.Status, run.LastError)
	k := &talk{t: t, upstream: u, client: client}
	before, after := k.sent(1), k.sent(2)
	require.Len(t, after, len(before)+2)
	assert.Equal(t, before, after[:len(before)])
	assert.JSONEq(t, `{"role":"tool","tool_call_id":"f","content":"out"}`, after[len(after)-1])
	annotations := k.seen(run).messages[1].Annotations()
	require.Len(t, annotations, 2)
	assert.Equal(t, file.ID, annotations[0].FileID())
	assert.Equal(t, "sandbox:/mnt/data/a.txt", annotations[1].Text)
}
