package standin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/internal/standin"
	"github.com/assistants-go/assistants/server"
)

// begin returns a client of a stand-in, with an assistant and a thread that holds a question.
func begin(t *testing.T, turns ...standin.Turn) (*assistants.Client, assistants.RunCreateParams, string) {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(standin.New(server.New(), turns...)))
	require.NoError(t, err)
	assistant, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{
		Model: "gpt-4o", Instructions: "Be brief.", Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	require.NoError(t, err)
	thread, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage("How are you?")},
	})
	require.NoError(t, err)
	return client, assistants.RunCreateParams{AssistantID: assistant.ID}, thread.ID
}

// told are the names of the events of a stream, shortened; equal neighbours are one.
func told(t *testing.T, stream *assistants.Stream, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer stream.Close()
	var names []string
	for event, err := range stream.Events() {
		require.NoError(t, err)
		name := strings.TrimPrefix(string(event.Type), "thread.")
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

const (
	started = "run.created run.queued run.in_progress "
	opened  = "run.step.created run.step.in_progress "
	written = opened + "message.created message.in_progress message.delta message.completed run.step.completed "
)

func TestText(t *testing.T) {
	t.Parallel()
	cites := &standin.File{ID: "file-1", Name: "notes.txt"}
	client, params, thread := begin(t, standin.Turn{Text: "Very well, thänk you.", Cites: cites}, standin.Turn{Text: "Yes."})
	stream, err := client.Runs.Stream(t.Context(), thread, params)
	assert.Equal(t, started+written+"run.completed", told(t, stream, err))

	message, err := client.Messages.Retrieve(t.Context(), thread, "msg_2")
	require.NoError(t, err)
	assert.Equal(t, stream.Messages(), []*assistants.Message{message}, "the stream adds up to the message")
	assert.Equal(t, "Very well, thänk you.【4:0†notes.txt】", message.Text())
	mark := message.Annotations()[0]
	assert.Equal(t, mark.Text, string([]rune(message.Text())[mark.StartIndex:mark.EndIndex]))
	assert.Equal(t, assistants.MessageCompleted, message.Status)

	run, err := client.Runs.Create(t.Context(), thread, params)
	require.NoError(t, err)
	assert.Equal(t, assistants.RunQueued, run.Status)
	run, err = client.Runs.Retrieve(t.Context(), thread, run.ID)
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)
	assert.Equal(t, "gpt-4o Be brief. code_interpreter", strings.Join([]string{run.Model, run.Instructions, string(run.Tools[0].Type)}, " "))
	assert.Equal(t, 21, run.Usage.TotalTokens)
	steps, err := client.RunSteps.List(t.Context(), thread, run.ID, assistants.ListParams{})
	require.NoError(t, err)
	assert.Equal(t, "msg_3", steps.Data[0].StepDetails.MessageCreation.MessageID)

	run, err = client.Runs.CreateAndPoll(t.Context(), thread, params)
	require.NoError(t, err)
	assert.Equal(t, assistants.RunFailed, run.Status, "there are no more turns")
	assert.Contains(t, run.LastError.Message, "no more to say")
}

func TestCode(t *testing.T) {
	t.Parallel()
	code := &standin.Code{Input: "x = 2\nprint(x)", Logs: "2\n"}
	client, params, thread := begin(t, standin.Turn{Code: code, Text: "Two."})
	stream, err := client.Runs.Stream(t.Context(), thread, params)
	assert.Equal(t, started+opened+"run.step.delta run.step.completed "+written+"run.completed", told(t, stream, err))

	step, err := client.RunSteps.Retrieve(t.Context(), thread, "run_1", "step_1")
	require.NoError(t, err)
	assert.Equal(t, stream.Steps()[0], step)
	call := step.StepDetails.ToolCalls[0].CodeInterpreter
	assert.Equal(t, code, &standin.Code{Input: call.Input, Logs: call.Outputs[0].Logs})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	calls := []standin.Call{{Name: "a", Arguments: `{"n":1}`}, {Name: "b", Arguments: `{"n":2}`}}
	reply := func(outputs []string) string { return strings.Join(outputs, " and ") }
	client, params, thread := begin(t, standin.Turn{Calls: calls}, standin.Turn{Reply: reply})
	stream, err := client.Runs.Stream(t.Context(), thread, params)
	assert.Equal(t, started+opened+"run.step.delta run.requires_action", told(t, stream, err))
	assert.Equal(t, stream.Run().FunctionCalls(), stream.Steps()[0].StepDetails.ToolCalls)

	_, err = client.Messages.Create(t.Context(), thread, assistants.UserMessage("Well?"))
	require.ErrorContains(t, err, "Can't add messages to thread_1 while a run run_1 is active.")
	_, err = client.Runs.Create(t.Context(), thread, params)
	require.ErrorContains(t, err, "Thread thread_1 already has an active run run_1.")
	outputs := []assistants.ToolOutput{{ToolCallID: "call_2", Output: "two"}}
	_, err = client.Runs.SubmitToolOutputs(t.Context(), thread, "run_1", assistants.RunSubmitToolOutputsParams{ToolOutputs: outputs})
	require.ErrorContains(t, err, "Expected tool outputs")

	outputs = append(outputs, assistants.ToolOutput{ToolCallID: "call_1", Output: "one"})
	stream, err = client.Runs.SubmitToolOutputsStream(t.Context(), thread, "run_1", assistants.RunSubmitToolOutputsParams{ToolOutputs: outputs})
	assert.Equal(t, "run.step.completed run.queued run.in_progress "+written+"run.completed", told(t, stream, err))
	assert.Equal(t, "one and two", stream.Messages()[0].Text())
	_, err = client.Runs.SubmitToolOutputs(t.Context(), thread, "run_1", assistants.RunSubmitToolOutputsParams{ToolOutputs: outputs})
	require.ErrorContains(t, err, `Runs in status "completed" do not accept tool outputs.`)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	client, params, thread := begin(t, standin.Turn{Text: "Once upon a time"})
	stream, err := client.Runs.Stream(t.Context(), thread, params)
	require.NoError(t, err)
	for text, err := range stream.Text() {
		require.NoError(t, err)
		require.Equal(t, "Once", text)
		break
	}
	run, err := client.Runs.Cancel(t.Context(), thread, "run_1")
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCancelling, run.Status)
	assert.Regexp(t, `^(message.delta )?run.cancelling message.incomplete run.step.cancelled run.cancelled$`, told(t, stream, nil))
	_, err = client.Runs.Cancel(t.Context(), thread, "run_1")
	require.ErrorContains(t, err, "Cannot cancel run with status 'cancelled'.")
}

// A run whose stream is left stands still, and goes on when somebody looks at it.
func TestLeftStream(t *testing.T) {
	t.Parallel()
	client, params, thread := begin(t, standin.Turn{Text: "Once upon a time"})
	stream, err := client.Runs.Stream(t.Context(), thread, params)
	require.NoError(t, err)
	for range stream.Text() {
		run, err := client.Runs.Retrieve(t.Context(), thread, "run_1")
		require.NoError(t, err)
		assert.Equal(t, assistants.RunInProgress, run.Status, "the stream is being read")
		break
	}
	require.NoError(t, stream.Close())
	run, err := client.Runs.Poll(t.Context(), thread, "run_1")
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)
}

func TestLists(t *testing.T) {
	t.Parallel()
	client, _, thread := begin(t)
	for _, text := range []string{"One", "Two", "Three"} {
		_, err := client.Messages.Create(t.Context(), thread, assistants.UserMessage(text, assistants.ImageFilePart("file-1")))
		require.NoError(t, err)
	}
	var texts []string
	var params assistants.MessageListParams
	params.Limit, params.Order = 2, assistants.OrderAsc
	for message, err := range client.Messages.All(t.Context(), thread, params) {
		require.NoError(t, err)
		texts = append(texts, message.Text())
	}
	assert.Equal(t, []string{"How are you?", "One", "Two", "Three"}, texts)
	_, err := client.Messages.Delete(t.Context(), thread, "msg_4")
	require.NoError(t, err)
	page, err := client.Messages.List(t.Context(), thread, assistants.MessageListParams{})
	require.NoError(t, err)
	assert.Len(t, page.Data, 3)
	assert.Equal(t, assistants.ImageDetailAuto, page.Data[0].Content[1].ImageFile.Detail)
	_, err = client.Threads.Delete(t.Context(), thread)
	require.NoError(t, err)
	_, err = client.Threads.Retrieve(t.Context(), thread)
	require.ErrorIs(t, err, assistants.ErrNotFound)
}

// It serves a network as well, below /v1, and leaves to others what is theirs.
func TestNetwork(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(standin.New(server.New(server.WithAPIKeys("key-of-mine")), standin.Turn{Text: "Fine."}))
	defer srv.Close()
	client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL+"/v1"), assistants.WithAPIKey("key-of-mine"),
		assistants.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = client.Threads.CreateAndRun(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_gone"})
	require.ErrorContains(t, err, "No assistant found with id 'asst_gone'.")
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
	require.NoError(t, err)
	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{AssistantID: assistant.ID})
	assert.Equal(t, "created "+started+written+"run.completed", told(t, stream, err))
}
