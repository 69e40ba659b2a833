//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

func (c official) start(threadID string, params openai.BetaThreadRunNewParams) *openai.Run {
	c.t.Helper()
	return take(c.Beta.Threads.Runs.New(c.t.Context(), threadID, params)).intact(c)
}

func (c official) run(threadID, runID string) *openai.Run {
	c.t.Helper()
	return take(c.Beta.Threads.Runs.Get(c.t.Context(), threadID, runID)).intact(c)
}

// settled polls a run until it has ended, or waits for outputs.
func (c official) settled(run *openai.Run) *openai.Run {
	c.t.Helper()
	eventually(c.t, func() (*openai.Run, error) {
		return c.Beta.Threads.Runs.Get(c.t.Context(), run.ThreadID, run.ID)
	}, func(r *openai.Run) bool { return !atWork(string(r.Status)) })
	return c.run(run.ThreadID, run.ID)
}

// params are those of a run that holds a conversation.
func (talk *conversation) params(assistantID string) openai.BetaThreadRunNewParams {
	params := openai.BetaThreadRunNewParams{AssistantID: assistantID}
	if talk.maxTokens > 0 {
		params.MaxCompletionTokens = openai.Int(int64(talk.maxTokens))
	}
	if talk.format {
		params.ResponseFormat = openai.AssistantResponseFormatOptionParamOfJSONSchema(schemaParam())
	}
	return params
}

// outputsFor answers the calls that a run waits for.
func (talk *conversation) outputsFor(run *openai.Run) openai.BetaThreadRunSubmitToolOutputsParams {
	var params openai.BetaThreadRunSubmitToolOutputsParams
	for _, call := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
		params.ToolOutputs = append(params.ToolOutputs, openai.BetaThreadRunSubmitToolOutputsParamsToolOutput{
			ToolCallID: openai.String(call.ID), Output: openai.String(talk.outputs[call.Function.Arguments]),
		})
	}
	return params
}

func requiredCalls(run *openai.Run) []string {
	var calls []string
	for _, call := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
		calls = append(calls, call.Function.Name+" "+call.Function.Arguments)
	}
	return calls
}

// outcome puts together what became of a run.
func (c official) outcome(run *openai.Run, calls []string) outcome {
	c.t.Helper()
	o := outcome{Status: string(run.Status), Reason: run.IncompleteDetails.Reason, Calls: calls}
	if run.LastError.Code != "" {
		o.Error = run.LastError.Code + ": " + run.LastError.Message
	}
	messages := take(c.Beta.Threads.Messages.List(c.t.Context(), run.ThreadID, openai.BetaThreadMessageListParams{RunID: openai.String(run.ID)})).intact(c)
	if len(messages.Data) > 0 {
		o.describeMessage(&messages.Data[0])
	}
	steps := c.Beta.Threads.Runs.Steps.ListAutoPaging(c.t.Context(), run.ThreadID, run.ID, openai.BetaThreadRunStepListParams{
		Order: openai.BetaThreadRunStepListParamsOrderAsc, Limit: openai.Int(1), Include: withContent,
	})
	for steps.Next() {
		step := steps.Current()
		alone := c.step(run, step.ID, withContent...)
		require.Equal(c.t, step.RawJSON(), alone.RawJSON())
		o.describeStep(alone)
	}
	require.NoError(c.t, steps.Err())
	return o
}

var withContent = []openai.RunStepInclude{openai.RunStepIncludeStepDetailsToolCallsFileSearchResultsContent}

func (c official) step(run *openai.Run, id string, include ...openai.RunStepInclude) *openai.RunStep {
	c.t.Helper()
	params := openai.BetaThreadRunStepGetParams{Include: include}
	return take(c.Beta.Threads.Runs.Steps.Get(c.t.Context(), run.ThreadID, run.ID, id, params)).intact(c)
}

func (o *outcome) describeMessage(m *openai.Message) {
	o.Message = string(m.Status)
	if m.IncompleteDetails.Reason != "" {
		o.Message += " " + m.IncompleteDetails.Reason
	}
	for _, part := range m.Content {
		switch part := part.AsAny().(type) {
		case openai.TextContentBlock:
			o.Parts = append(o.Parts, "text: "+part.Text.Value)
			for _, a := range part.Text.Annotations {
				o.Marks = append(o.Marks, fmt.Sprintf("%s %s %d %d %s", a.Type, a.Text, a.StartIndex, a.EndIndex, a.FileCitation.FileID+a.FilePath.FileID))
			}
		case openai.RefusalContentBlock:
			o.Parts = append(o.Parts, "refusal: "+part.Refusal)
		case openai.ImageFileContentBlock:
			o.Parts = append(o.Parts, "image_file: "+part.ImageFile.FileID+" "+string(part.ImageFile.Detail))
		default:
			o.Parts = append(o.Parts, "unknown: "+fmt.Sprint(part))
		}
	}
}

func (o *outcome) describeStep(step *openai.RunStep) {
	kind := string(step.Type)
	for _, call := range step.StepDetails.ToolCalls {
		kind += " " + call.Type
		switch call := call.AsAny().(type) {
		case openai.FunctionToolCall:
			o.Details = append(o.Details, call.Function.Name+" "+call.Function.Arguments+" = "+call.Function.Output)
		case openai.CodeInterpreterToolCall:
			o.Details = append(o.Details, call.CodeInterpreter.Input)
			for _, output := range call.CodeInterpreter.Outputs {
				o.Details = append(o.Details, output.Type+" "+output.Logs+output.Image.FileID)
			}
		case openai.FileSearchToolCall:
			o.Details = append(o.Details, call.FileSearch.RankingOptions.Ranker+" "+score(call.FileSearch.RankingOptions.ScoreThreshold))
			for _, r := range call.FileSearch.Results {
				text := ""
				for _, content := range r.Content {
					text += content.Text
				}
				o.Details = append(o.Details, r.FileID+" "+r.FileName+" "+score(r.Score)+" ["+text+"]")
			}
		}
	}
	o.Steps = append(o.Steps, kind+" "+string(step.Status))
}

func score(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func TestOfficialClientHoldsConversations(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	for _, talk := range conversations() {
		t.Run(talk.name, func(t *testing.T) {
			t.Parallel()
			c := newOfficial(t, address)
			assistant, thread := c.assistant(), c.thread(talk.question)
			run := c.start(thread.ID, talk.params(assistant.ID))
			require.Equal(t, openai.RunStatusQueued, run.Status)
			run = c.settled(run)
			calls := requiredCalls(run)
			if talk.outputs != nil {
				require.Equal(t, openai.RunStatusRequiresAction, run.Status)
				run = c.settled(take(c.Beta.Threads.Runs.SubmitToolOutputs(t.Context(), thread.ID, run.ID, talk.outputsFor(run))).intact(c))
			}
			require.Equal(t, talk.want, c.outcome(run, calls))
		})
	}
}

func TestOfficialClientGoesOnTalking(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newOfficial(t, address)
	assistant, thread := c.assistant(), c.thread(askCapital)
	first := c.settled(c.start(thread.ID, openai.BetaThreadRunNewParams{AssistantID: assistant.ID}))
	c.say(thread.ID, askCount)
	second := c.settled(c.start(thread.ID, openai.BetaThreadRunNewParams{AssistantID: assistant.ID}))
	third := c.settled(c.start(thread.ID, openai.BetaThreadRunNewParams{
		AssistantID: assistant.ID, Model: "gpt-4o-mini", Instructions: openai.String("Count."), AdditionalInstructions: openai.String("Well."),
		AdditionalMessages: []openai.BetaThreadRunNewParamsAdditionalMessage{{
			Role: "user", Content: openai.BetaThreadRunNewParamsAdditionalMessageContentUnion{OfString: openai.String(askCount)},
		}},
		Metadata: shared.Metadata{"turn": "3"}, Temperature: openai.Float(0.25), TopP: openai.Float(0.75),
		MaxPromptTokens: openai.Int(1000), MaxCompletionTokens: openai.Int(500), ParallelToolCalls: openai.Bool(false),
		Tools: []openai.AssistantToolUnionParam{openai.AssistantToolParamOfFunction(shared.FunctionDefinitionParam{Name: "count"})},
		ToolChoice: openai.AssistantToolChoiceOptionUnionParam{OfAssistantToolChoice: &openai.AssistantToolChoiceParam{
			Type: openai.AssistantToolChoiceTypeFunction, Function: openai.AssistantToolChoiceFunctionParam{Name: "count"},
		}},
		TruncationStrategy: openai.BetaThreadRunNewParamsTruncationStrategy{Type: "last_messages", LastMessages: openai.Int(3)},
		ResponseFormat:     openai.AssistantResponseFormatOptionParamOfAuto(),
	}))
	require.Equal(t, openai.RunStatusCompleted, third.Status)
	require.Equal(t, "gpt-4o-mini", third.Model)
	require.Equal(t, "Count.\nWell.", third.Instructions)
	require.Equal(t, "count", third.ToolChoice.AsAssistantToolChoice().Function.Name)
	require.EqualValues(t, 3, third.TruncationStrategy.LastMessages)
	require.Positive(t, third.Usage.TotalTokens)
	require.Positive(t, third.CompletedAt)

	oldestFirst := openai.BetaThreadMessageListParams{Order: openai.BetaThreadMessageListParamsOrderAsc}
	all := take(c.Beta.Threads.Messages.List(t.Context(), thread.ID, oldestFirst)).intact(c)
	// The third run is shown three messages, of which two are questions.
	require.Equal(t, askCapital+" Paris, of course. "+askCount+" 2 times. "+askCount+" 2 times.", texts(all.Data))
	own := take(c.Beta.Threads.Messages.List(t.Context(), thread.ID, openai.BetaThreadMessageListParams{RunID: openai.String(second.ID)})).intact(c)
	require.Equal(t, "2 times.", texts(own.Data))
	require.Equal(t, second.ID, own.Data[0].RunID)

	var runs []string
	pages := c.Beta.Threads.Runs.ListAutoPaging(t.Context(), thread.ID, openai.BetaThreadRunListParams{Limit: openai.Int(1)})
	for pages.Next() {
		runs = append(runs, pages.Current().ID)
	}
	require.NoError(t, pages.Err())
	require.Equal(t, []string{third.ID, second.ID, first.ID}, runs)

	labels := openai.BetaThreadRunUpdateParams{Metadata: shared.Metadata{"good": "yes"}}
	changed := take(c.Beta.Threads.Runs.Update(t.Context(), thread.ID, first.ID, labels)).intact(c)
	require.Equal(t, shared.Metadata{"good": "yes"}, changed.Metadata)
	require.Equal(t, changed.RawJSON(), c.run(thread.ID, first.ID).RawJSON())
}

func TestOfficialClientIsShownWhatItIncludes(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newOfficial(t, address)
	run := c.settled(c.start(c.thread(askHandbook).ID, openai.BetaThreadRunNewParams{AssistantID: c.assistant().ID}))
	steps := take(c.Beta.Threads.Runs.Steps.List(t.Context(), run.ThreadID, run.ID, openai.BetaThreadRunStepListParams{})).intact(c)
	require.Len(t, steps.Data, 2)
	newest, search := steps.Data[0], steps.Data[1]
	require.Equal(t, "message_creation", newest.StepDetails.Type)
	found := search.StepDetails.ToolCalls[0].AsFileSearch().FileSearch.Results[0]
	require.Equal(t, "handbook.md", found.FileName)
	require.False(t, found.JSON.Content.Valid())
	require.Equal(t, search.RawJSON(), c.step(run, search.ID).RawJSON())
	found = c.step(run, search.ID, withContent...).StepDetails.ToolCalls[0].AsFileSearch().FileSearch.Results[0]
	require.Equal(t, "Leave: thirty days.", found.Content[0].Text)

	_, err := c.Beta.Threads.Runs.Steps.List(t.Context(), run.ThreadID, run.ID, openai.BetaThreadRunStepListParams{Include: []openai.RunStepInclude{"all"}})
	var refused *openai.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Equal(t, "invalid_value", refused.Code)
}

func TestOfficialClientIsRefusedOtherOutputs(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newOfficial(t, address)
	run := c.settled(c.start(c.thread(askWeather).ID, openai.BetaThreadRunNewParams{AssistantID: c.assistant().ID}))
	wanted := run.RequiredAction.SubmitToolOutputs.ToolCalls
	one, two := wanted[0].ID, wanted[1].ID
	for _, mistake := range []struct {
		ids  []string
		text string
	}{
		{[]string{one}, "Expected tool outputs for call_ids ['" + one + "', '" + two + "'], got ['" + one + "']"},
		{[]string{one, two, "call_3"}, "Expected tool outputs for call_ids ['" + one + "', '" + two + "'], got ['" + one + "', '" + two + "', 'call_3']"},
		{[]string{one, one, two}, "Duplicate call_ids submitted: ['" + one + "', '" + one + "', '" + two + "']"},
	} {
		var params openai.BetaThreadRunSubmitToolOutputsParams
		for _, id := range mistake.ids {
			params.ToolOutputs = append(params.ToolOutputs, openai.BetaThreadRunSubmitToolOutputsParamsToolOutput{ToolCallID: openai.String(id)})
		}
		_, err := c.Beta.Threads.Runs.SubmitToolOutputs(t.Context(), run.ThreadID, run.ID, params)
		requireOfficialError(t, err, refusal{400, "invalid_request_error", "", "", mistake.text})
	}
	require.Equal(t, run.RawJSON(), c.run(run.ThreadID, run.ID).RawJSON(), "nothing has changed")

	require.Equal(t, openai.RunStatusCancelling, take(c.Beta.Threads.Runs.Cancel(t.Context(), run.ThreadID, run.ID)).intact(c).Status)
	require.Equal(t, openai.RunStatusCancelled, c.run(run.ThreadID, run.ID).Status)
}

func TestOfficialClientRunsNewThreads(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newOfficial(t, address)
	run := c.settled(take(c.Beta.Threads.NewAndRun(t.Context(), c.threadAndRun(askCapital))).intact(c))
	want := conversations()[0].want
	require.Equal(t, want, c.outcome(run, nil))
	require.Equal(t, shared.Metadata{"topic": "tests"}, take(c.Beta.Threads.Get(t.Context(), run.ThreadID)).intact(c).Metadata)
}

func (c official) threadAndRun(question string) openai.BetaThreadNewAndRunParams {
	c.t.Helper()
	return openai.BetaThreadNewAndRunParams{
		AssistantID: c.assistant().ID,
		Metadata:    shared.Metadata{"at": "once"},
		Thread: openai.BetaThreadNewAndRunParamsThread{
			Metadata: shared.Metadata{"topic": "tests"},
			Messages: []openai.BetaThreadNewAndRunParamsThreadMessage{{
				Role: "user", Content: openai.BetaThreadNewAndRunParamsThreadMessageContentUnion{OfString: openai.String(question)},
			}},
		},
	}
}

// waiting starts a run and returns it when the assistant has begun to write, and will not go on.
func (c official) waiting() *openai.Run {
	c.t.Helper()
	thread := c.thread(askWait)
	run := c.start(thread.ID, openai.BetaThreadRunNewParams{AssistantID: c.assistant().ID})
	eventually(c.t, func() (string, error) {
		page, err := c.Beta.Threads.Messages.List(c.t.Context(), thread.ID, openai.BetaThreadMessageListParams{RunID: openai.String(run.ID)})
		if err != nil {
			return "", err
		}
		return texts(page.Data), nil
	}, func(text string) bool { return text == "One moment." })
	return c.run(thread.ID, run.ID)
}

func TestOfficialClientIsRefusedWhileARunIsAtWork(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c := newOfficial(t, address)
	run := c.waiting()
	require.Equal(t, openai.RunStatusInProgress, run.Status)

	runs, messages := c.Beta.Threads.Runs, c.Beta.Threads.Messages
	again := openai.BetaThreadRunNewParams{AssistantID: run.AssistantID}
	outputs := openai.BetaThreadRunSubmitToolOutputsParams{ToolOutputs: []openai.BetaThreadRunSubmitToolOutputsParamsToolOutput{}}
	_, err := messages.New(t.Context(), run.ThreadID, userMessage("Are you there?"))
	requireOfficialError(t, err, lockedForMessages(run.ThreadID, run.ID))
	_, err = runs.New(t.Context(), run.ThreadID, again)
	requireOfficialError(t, err, lockedForRuns(run.ThreadID, run.ID))
	stream := runs.NewStreaming(t.Context(), run.ThreadID, again)
	require.False(t, stream.Next())
	requireOfficialError(t, stream.Err(), lockedForRuns(run.ThreadID, run.ID))
	_, err = runs.Update(t.Context(), run.ThreadID, run.ID, openai.BetaThreadRunUpdateParams{Metadata: shared.Metadata{"a": "b"}})
	requireOfficialError(t, err, cannotModify("in_progress"))
	_, err = runs.SubmitToolOutputs(t.Context(), run.ThreadID, run.ID, outputs)
	requireOfficialError(t, err, noOutputsWanted("in_progress"))

	cancelling := take(runs.Cancel(t.Context(), run.ThreadID, run.ID)).intact(c)
	require.Equal(t, openai.RunStatusCancelling, cancelling.Status)
	run = c.settled(run)
	require.Equal(t, outcome{
		Status: "cancelled", Message: "incomplete run_cancelled", Parts: []string{"text: One moment."}, Steps: []string{"message_creation cancelled"},
	}, c.outcome(run, nil))
	require.Positive(t, run.CancelledAt)
	_, err = runs.Cancel(t.Context(), run.ThreadID, run.ID)
	requireOfficialError(t, err, cannotCancel("cancelled"))
	c.say(run.ThreadID, "Are you there?")
}

func TestOfficialClientSeesRunsExpire(t *testing.T) {
	t.Parallel()
	now := movable()
	_, address := serve(t, server.WithModel(script()), server.WithClock(now.Now))
	c := newOfficial(t, address)
	for _, talk := range []struct {
		run  func() *openai.Run
		want outcome
	}{
		{c.waiting, outcome{
			Status: "expired", Message: "incomplete run_expired", Parts: []string{"text: One moment."}, Steps: []string{"message_creation expired"},
		}},
		{func() *openai.Run {
			return c.settled(c.start(c.thread(askWeather).ID, openai.BetaThreadRunNewParams{AssistantID: c.assistant().ID}))
		}, outcome{
			Status: "expired", Message: "completed", Parts: []string{"text: Let me look."},
			Steps:   []string{"message_creation completed", "tool_calls function function expired"},
			Details: []string{`get_weather {"city":"Paris"} = `, `get_weather {"city":"Rome"} = `},
		}},
	} {
		run := talk.run()
		now.move(11 * time.Minute)
		require.Equal(t, talk.want, c.outcome(c.run(run.ThreadID, run.ID), nil))
		c.say(run.ThreadID, "Still there?")
	}
}
