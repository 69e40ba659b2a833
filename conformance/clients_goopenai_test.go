package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// popular is go-openai, which has no streams of runs: it polls.
type popular struct {
	*openai.Client
	t    *testing.T
	last *lastAnswer
}

func newPopular(t *testing.T, config openai.ClientConfig) popular {
	last := &lastAnswer{}
	config.HTTPClient = &http.Client{Transport: last}
	return popular{openai.NewClientWithConfig(config), t, last}
}

func popularConfig(address, key string) openai.ClientConfig {
	config := openai.DefaultConfig(key)
	config.BaseURL = address + "/v1"
	return config
}

// answer is what came over the line.
func (c popular) answer(any) string { return string(c.last.body) }

func (c popular) test() *testing.T { return c.t }

// lastAnswer is a transport that keeps the last body.
type lastAnswer struct{ body []byte }

func (l *lastAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	l.body, err = io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(l.body))
	return answer, err
}

func (c popular) assistant() openai.Assistant {
	c.t.Helper()
	return take(c.CreateAssistant(c.t.Context(), openai.AssistantRequest{
		Model: "gpt-4o", Name: new("Helper"), Description: new("Helps."), Instructions: new("Be brief."),
		Metadata: map[string]any{"team": "blue"}, Temperature: new(float32(0.5)), TopP: new(float32(0.9)),
		Tools: []openai.AssistantTool{
			{Type: openai.AssistantToolTypeCodeInterpreter},
			{Type: openai.AssistantToolTypeFileSearch},
			{Type: openai.AssistantToolTypeFunction, Function: &openai.FunctionDefinition{
				Name: "get_weather", Description: "The weather of a city.", Strict: true,
				Parameters: map[string]any{
					"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}},
					"required": []string{"city"}, "additionalProperties": false,
				},
			}},
		},
		ToolResources: &openai.AssistantToolResource{
			CodeInterpreter: &openai.AssistantToolCodeInterpreter{FileIDs: []string{"file-1"}},
			FileSearch:      &openai.AssistantToolFileSearch{VectorStoreIDs: []string{"vs_1"}},
		},
		ResponseFormat: map[string]any{"type": "json_object"},
	})).intact(c)
}

func (c popular) thread(question string) openai.Thread {
	c.t.Helper()
	return take(c.CreateThread(c.t.Context(), openai.ThreadRequest{
		Metadata: map[string]any{"topic": "tests"},
		Messages: []openai.ThreadMessage{{Role: openai.ThreadMessageRoleUser, Content: question}},
	})).intact(c)
}

func (c popular) say(threadID, text string) openai.Message {
	c.t.Helper()
	return take(c.CreateMessage(c.t.Context(), threadID, openai.MessageRequest{Role: "user", Content: text})).intact(c)
}

func (c popular) messages(threadID string, limit *int, order, after, before, runID *string) openai.MessagesList {
	c.t.Helper()
	return take(c.ListMessage(c.t.Context(), threadID, limit, order, after, before, runID)).intact(c)
}

// settled polls a run until it has ended, or waits for outputs.
func (c popular) settled(run openai.Run) openai.Run {
	c.t.Helper()
	eventually(c.t, func() (openai.Run, error) {
		return c.RetrieveRun(c.t.Context(), run.ThreadID, run.ID)
	}, func(r openai.Run) bool { return !atWork(string(r.Status)) })
	return take(c.RetrieveRun(c.t.Context(), run.ThreadID, run.ID)).intact(c)
}

func TestPopularClientKeepsAssistants(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newPopular(t, popularConfig(address, "sk-popular"))
	made := c.assistant()
	require.Equal(t, "get_weather", made.Tools[2].Function.Name)
	got := take(c.RetrieveAssistant(t.Context(), made.ID)).intact(c)
	require.Equal(t, "Helper", *got.Name)

	changed := take(c.ModifyAssistant(t.Context(), made.ID, openai.AssistantRequest{
		Model: "gpt-4o-mini", Name: new("Other"), Tools: []openai.AssistantTool{},
	})).intact(c)
	require.Equal(t, "Other", *changed.Name)
	require.Empty(t, changed.Tools)
	require.Equal(t, "Be brief.", *changed.Instructions)

	other := c.assistant()
	list := take(c.ListAssistants(t.Context(), new(1), new("asc"), nil, nil)).intact(c)
	require.Equal(t, made.ID, *list.FirstID)
	require.True(t, list.HasMore)
	list = take(c.ListAssistants(t.Context(), nil, new("asc"), list.LastID, nil)).intact(c)
	require.Len(t, list.Assistants, 1)
	require.Equal(t, other.ID, *list.LastID)

	require.True(t, take(c.DeleteAssistant(t.Context(), made.ID)).intact(c).Deleted)
	_, err := c.RetrieveAssistant(t.Context(), made.ID)
	requirePopularError(t, err, refusal{404, "invalid_request_error", "", "", "No assistant found with id '" + made.ID + "'."})
}

func TestPopularClientKeepsThreadsAndMessages(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newPopular(t, popularConfig(address, "sk-popular"))
	thread := take(c.CreateThread(t.Context(), openai.ThreadRequest{
		Metadata: map[string]any{"topic": "tests"},
		ToolResources: &openai.ToolResourcesRequest{
			CodeInterpreter: &openai.CodeInterpreterToolResourcesRequest{FileIDs: []string{"file-1"}},
			FileSearch: &openai.FileSearchToolResourcesRequest{VectorStores: []openai.VectorStoreToolResources{{
				FileIDs:          []string{"file-2"},
				ChunkingStrategy: &openai.ChunkingStrategy{Type: "static", Static: &openai.StaticChunkingStrategy{MaxChunkSizeTokens: 200, ChunkOverlapTokens: 100}},
			}}},
		},
	})).intact(c)
	require.Len(t, thread.ToolResources.FileSearch.VectorStoreIDs, 1)
	changed := take(c.ModifyThread(t.Context(), thread.ID, openai.ModifyThreadRequest{Metadata: map[string]any{"topic": "more"}})).intact(c)
	require.Equal(t, map[string]any{"topic": "more"}, changed.Metadata)
	require.Equal(t, thread.ToolResources, take(c.RetrieveThread(t.Context(), thread.ID)).intact(c).ToolResources)

	message := take(c.CreateMessage(t.Context(), thread.ID, openai.MessageRequest{
		Role: "user", Content: "See this.", Metadata: map[string]any{"a": "b"},
		Attachments: []openai.ThreadAttachment{{FileID: "file-3", Tools: []openai.ThreadAttachmentTool{{Type: "code_interpreter"}}}},
	})).intact(c)
	require.Equal(t, []string{"file-1", "file-3"}, take(c.RetrieveThread(t.Context(), thread.ID)).intact(c).ToolResources.CodeInterpreter.FileIDs)
	require.Equal(t, "See this.", take(c.RetrieveMessage(t.Context(), thread.ID, message.ID)).intact(c).Content[0].Text.Value)
	message = take(c.ModifyMessage(t.Context(), thread.ID, message.ID, map[string]string{"a": "c"})).intact(c)
	require.Equal(t, map[string]any{"a": "c"}, message.Metadata)

	require.True(t, take(c.DeleteMessage(t.Context(), thread.ID, message.ID)).intact(c).Deleted)
	require.True(t, take(c.DeleteThread(t.Context(), thread.ID)).intact(c).Deleted)
	_, err := c.RetrieveThread(t.Context(), thread.ID)
	requirePopularError(t, err, refusal{404, "invalid_request_error", "", "", "No thread found with id '" + thread.ID + "'."})
}

func TestPopularClientPages(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newPopular(t, popularConfig(address, "sk-popular"))
	thread, want := c.thread("1"), []string{"1"}
	for i := 2; i <= 25; i++ {
		want = append(want, c.say(thread.ID, fmt.Sprint(i)).Content[0].Text.Value)
	}
	var got []string
	for page := c.messages(thread.ID, new(10), new("asc"), nil, nil, nil); ; {
		for _, m := range page.Messages {
			got = append(got, m.Content[0].Text.Value)
		}
		if !page.HasMore {
			break
		}
		page = c.messages(thread.ID, new(10), new("asc"), page.LastID, nil, nil)
	}
	require.Equal(t, want, got)
	newest := c.messages(thread.ID, nil, nil, nil, nil, nil)
	require.Equal(t, "25", newest.Messages[0].Content[0].Text.Value)
	back := c.messages(thread.ID, new(2), nil, nil, &newest.Messages[5].ID, nil)
	require.Equal(t, []string{"22", "21"}, []string{back.Messages[0].Content[0].Text.Value, back.Messages[1].Content[0].Text.Value})
	_, err := c.ListMessage(t.Context(), thread.ID, new(0), nil, nil, nil, nil)
	requirePopularError(t, err, refusal{400, "invalid_request_error", "integer_below_min_value", "limit",
		"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead."})
}

// knownToPopular is what there is of an outcome for this client, whose types have no place for the rest.
func knownToPopular(o outcome) outcome {
	o.Reason, o.Message, o.Details = "", "", nil
	for i, part := range o.Parts {
		if strings.HasPrefix(part, "refusal: ") {
			o.Parts[i] = "refusal: "
		}
		o.Parts[i] = strings.TrimSuffix(o.Parts[i], " auto")
	}
	return o
}

func (c popular) outcome(run openai.Run, calls []string) outcome {
	c.t.Helper()
	o := outcome{Status: string(run.Status), Calls: calls}
	if run.LastError != nil {
		o.Error = string(run.LastError.Code) + ": " + run.LastError.Message
	}
	for _, m := range c.messages(run.ThreadID, new(1), nil, nil, nil, &run.ID).Messages {
		for _, part := range m.Content {
			switch {
			case part.Text != nil:
				o.Parts = append(o.Parts, "text: "+part.Text.Value)
				for _, a := range part.Text.Annotations {
					o.Marks = append(o.Marks, describeAnnotation(a))
				}
			case part.ImageFile != nil:
				o.Parts = append(o.Parts, "image_file: "+part.ImageFile.FileID)
			default:
				o.Parts = append(o.Parts, part.Type+": ")
			}
		}
	}
	steps := take(c.ListRunSteps(c.t.Context(), run.ThreadID, run.ID, openai.Pagination{Order: new("asc"), Limit: new(100)})).intact(c)
	for _, step := range steps.RunSteps {
		require.Equal(c.t, step.StepDetails, take(c.RetrieveRunStep(c.t.Context(), run.ThreadID, run.ID, step.ID)).intact(c).StepDetails)
		kind := string(step.Type)
		for _, call := range step.StepDetails.ToolCalls {
			kind += " " + string(call.Type)
		}
		o.Steps = append(o.Steps, kind+" "+string(step.Status))
	}
	return o
}

// describeAnnotation reads what the client leaves as JSON.
func describeAnnotation(annotation any) string {
	a, _ := annotation.(map[string]any)
	file, _ := a[fmt.Sprint(a["type"])].(map[string]any)
	return fmt.Sprintf("%v %v %v %v %v", a["type"], a["text"], a["start_index"], a["end_index"], file["file_id"])
}

// popularRun is the request for a run that holds a conversation.
func (talk *conversation) popularRun(assistantID string) openai.RunRequest {
	request := openai.RunRequest{AssistantID: assistantID, MaxCompletionTokens: talk.maxTokens}
	if talk.format {
		request.ResponseFormat = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "colours", "schema": colours, "strict": true}}
	}
	return request
}

func TestPopularClientHoldsConversations(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	for _, talk := range conversations() {
		t.Run(talk.name, func(t *testing.T) {
			t.Parallel()
			c := newPopular(t, popularConfig(address, "sk-popular"))
			assistant, thread := c.assistant(), c.thread(talk.question)
			run := take(c.CreateRun(t.Context(), thread.ID, talk.popularRun(assistant.ID))).intact(c)
			require.Equal(t, openai.RunStatusQueued, run.Status)
			run = c.settled(run)
			var calls []string
			if talk.outputs != nil {
				require.Equal(t, openai.RunStatusRequiresAction, run.Status)
				var request openai.SubmitToolOutputsRequest
				for _, call := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
					calls = append(calls, call.Function.Name+" "+call.Function.Arguments)
					request.ToolOutputs = append(request.ToolOutputs, openai.ToolOutput{ToolCallID: call.ID, Output: talk.outputs[call.Function.Arguments]})
				}
				run = c.settled(take(c.SubmitToolOutputs(t.Context(), thread.ID, run.ID, request)).intact(c))
			}
			require.Equal(t, knownToPopular(talk.want), c.outcome(run, calls))
		})
	}
}

func TestPopularClientGoesOnTalking(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newPopular(t, popularConfig(address, "sk-popular"))
	first := c.settled(take(c.CreateThreadAndRun(t.Context(), openai.CreateThreadAndRunRequest{
		RunRequest: openai.RunRequest{AssistantID: c.assistant().ID},
		Thread:     openai.ThreadRequest{Messages: []openai.ThreadMessage{{Role: openai.ThreadMessageRoleUser, Content: askCapital}}},
	})).intact(c))
	require.Equal(t, knownToPopular(conversations()[0].want), c.outcome(first, nil))
	second := c.settled(take(c.CreateRun(t.Context(), first.ThreadID, openai.RunRequest{
		AssistantID: first.AssistantID, Model: "gpt-4o-mini", Instructions: "Count.", AdditionalInstructions: "Well.",
		AdditionalMessages: []openai.ThreadMessage{{Role: openai.ThreadMessageRoleUser, Content: askCount}},
		Tools: []openai.Tool{{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
			Name: "count", Parameters: map[string]any{"type": "object"},
		}}},
		Metadata: map[string]any{"turn": "2"}, Temperature: new(float32(0.25)), TopP: new(float32(0.75)),
		MaxPromptTokens: 1000, MaxCompletionTokens: 500, ParallelToolCalls: false, ResponseFormat: "auto",
		ToolChoice:         openai.ToolChoice{Type: openai.ToolTypeFunction, Function: openai.ToolFunction{Name: "count"}},
		TruncationStrategy: &openai.ThreadTruncationStrategy{Type: openai.TruncationStrategyLastMessages, LastMessages: new(3)},
	})).intact(c))
	require.Equal(t, openai.RunStatusCompleted, second.Status)
	require.Equal(t, "Count.\nWell.", second.Instructions)
	require.Positive(t, second.Usage.TotalTokens)
	own := c.messages(first.ThreadID, nil, nil, nil, nil, &second.ID)
	require.Equal(t, "2 times.", own.Messages[0].Content[0].Text.Value)

	runs := take(c.ListRuns(t.Context(), first.ThreadID, openai.Pagination{Order: new("asc"), After: &first.ID})).intact(c)
	require.Len(t, runs.Runs, 1)
	require.Equal(t, second.ID, runs.Runs[0].ID)
	changed := take(c.ModifyRun(t.Context(), first.ThreadID, first.ID, openai.RunModifyRequest{Metadata: map[string]any{"good": "yes"}})).intact(c)
	require.Equal(t, map[string]any{"good": "yes"}, changed.Metadata)
}

// waiting starts a run and returns it when the assistant has begun to write, and will not go on.
func (c popular) waiting() openai.Run {
	c.t.Helper()
	thread := c.thread(askWait)
	run := take(c.CreateRun(c.t.Context(), thread.ID, openai.RunRequest{AssistantID: c.assistant().ID})).intact(c)
	eventually(c.t, func() (openai.MessagesList, error) {
		return c.ListMessage(c.t.Context(), thread.ID, nil, nil, nil, nil, &run.ID)
	}, func(list openai.MessagesList) bool {
		return len(list.Messages) == 1 && len(list.Messages[0].Content) == 1 && list.Messages[0].Content[0].Text.Value == "One moment."
	})
	return take(c.RetrieveRun(c.t.Context(), thread.ID, run.ID)).intact(c)
}

func TestPopularClientIsRefusedWhileARunIsAtWork(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newPopular(t, popularConfig(address, "sk-popular"))
	run := c.waiting()
	require.Equal(t, openai.RunStatusInProgress, run.Status)

	_, err := c.CreateMessage(t.Context(), run.ThreadID, openai.MessageRequest{Role: "user", Content: "Are you there?"})
	requirePopularError(t, err, lockedForMessages(run.ThreadID, run.ID))
	_, err = c.CreateRun(t.Context(), run.ThreadID, openai.RunRequest{AssistantID: run.AssistantID})
	requirePopularError(t, err, lockedForRuns(run.ThreadID, run.ID))
	_, err = c.ModifyRun(t.Context(), run.ThreadID, run.ID, openai.RunModifyRequest{Metadata: map[string]any{"a": "b"}})
	requirePopularError(t, err, cannotModify("in_progress"))
	_, err = c.SubmitToolOutputs(t.Context(), run.ThreadID, run.ID, openai.SubmitToolOutputsRequest{ToolOutputs: []openai.ToolOutput{}})
	requirePopularError(t, err, noOutputsWanted("in_progress"))

	require.Equal(t, openai.RunStatusCancelling, take(c.CancelRun(t.Context(), run.ThreadID, run.ID)).intact(c).Status)
	run = c.settled(run)
	require.Equal(t, outcome{Status: "cancelled", Parts: []string{"text: One moment."}, Steps: []string{"message_creation cancelled"}}, c.outcome(run, nil))
	require.NotNil(t, run.CancelledAt)
	_, err = c.CancelRun(t.Context(), run.ThreadID, run.ID)
	requirePopularError(t, err, cannotCancel("cancelled"))
	c.say(run.ThreadID, "Are you there?")
}

func TestPopularClientSeesRunsExpire(t *testing.T) {
	t.Parallel()
	now := movable()
	_, address := serve(t, server.WithModel(script()), server.WithClock(now.Now))
	c := newPopular(t, popularConfig(address, "sk-popular"))
	run := c.waiting()
	now.move(11 * time.Minute)
	run = take(c.RetrieveRun(t.Context(), run.ThreadID, run.ID)).intact(c)
	require.Equal(t, outcome{Status: "expired", Parts: []string{"text: One moment."}, Steps: []string{"message_creation expired"}}, c.outcome(run, nil))
}

// requirePopularError holds an error of the client against the refusal.
func requirePopularError(t *testing.T, err error, want refusal) {
	t.Helper()
	var got *openai.APIError
	require.True(t, errors.As(err, &got), "%v", err)
	r := refusal{Status: got.HTTPStatusCode, Type: got.Type, Message: got.Message}
	r.Code, _ = got.Code.(string)
	if got.Param != nil {
		r.Param = *got.Param
	}
	require.Equal(t, want, r)
}

func TestPopularClientIsAskedForItsKey(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithAPIKeys("sk-popular"))
	newPopular(t, popularConfig(address, "sk-popular")).thread("Hello.")
	_, err := newPopular(t, popularConfig(address, "sk-wrong")).CreateThread(t.Context(), openai.ThreadRequest{})
	requirePopularError(t, err, refusal{401, "invalid_request_error", "invalid_api_key", "",
		"Incorrect API key provided: sk-wrong. You can find your API key at https://platform.openai.com/account/api-keys."})
}

func TestPopularClientSpeaksAzure(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()), server.WithAPIKeys("az-key"))
	c := newPopular(t, openai.DefaultAzureConfig("az-key", address+"/"))
	thread := c.thread(askCapital)
	run := c.settled(take(c.CreateRun(t.Context(), thread.ID, openai.RunRequest{AssistantID: c.assistant().ID})).intact(c))
	require.Equal(t, knownToPopular(conversations()[0].want), c.outcome(run, nil))
	require.Len(t, c.messages(thread.ID, new(1), new("asc"), nil, nil, nil).Messages, 1)
}
