//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// Names of events, without "thread." in front, and those of deltas that follow each other once.
const (
	begun = "run.created run.queued run.in_progress "
	wrote = "run.step.created run.step.in_progress message.created message.in_progress message.delta message.completed run.step.completed "
	used  = "run.step.created run.step.in_progress run.step.delta run.step.completed "
	cut   = "run.step.created run.step.in_progress message.created message.in_progress message.delta message.incomplete "
)

// streamsOf are the events of the streams of a conversation, by its name.
var streamsOf = map[string][]string{
	"functions": {
		begun + wrote + "run.step.created run.step.in_progress run.step.delta run.requires_action",
		"run.step.completed run.queued run.in_progress " + wrote + "run.completed",
	},
	"code interpreter":    {begun + used + wrote + "run.completed"},
	"file search":         {begun + used + wrote + "run.completed"},
	"too few tokens":      {begun + cut + "run.step.completed run.incomplete"},
	"content filter":      {begun + cut + "run.step.completed run.incomplete"},
	"failure":             {begun + "run.failed"},
	"failure behind text": {begun + cut + "run.step.failed run.failed"},
}

type officialStream = *ssestream.Stream[openai.AssistantStreamEventUnion]

// listener reads streams of a run with the client's types. What it puts together of deltas has to be what the whole
// objects say that follow them.
type listener struct {
	t      *testing.T
	events []string
	thread *openai.Thread
	run    openai.Run
	seen   outcome // of whole objects

	parts outcome  // of the deltas of a message
	calls []string // of those of a step: kinds, names, arguments and code
	saw   []string // of those of a step: outputs of code
}

// listen reads to the end of a stream, or to the first event that is told, and returns the names of the events.
func (l *listener) listen(stream officialStream, until string) string {
	l.t.Helper()
	l.events = nil
	for stream.Next() {
		event := stream.Current()
		requireArrived(l.t, event.RawJSON(), event.AsAny())
		requireArrived(l.t, event.RawJSON(), event)
		name := strings.TrimPrefix(event.Event, "thread.")
		if n := len(l.events); n == 0 || l.events[n-1] != name {
			l.events = append(l.events, name)
		}
		l.take(event)
		if event.Event == until {
			break
		}
	}
	return strings.Join(l.events, " ")
}

func (l *listener) take(event openai.AssistantStreamEventUnion) {
	switch e := event.AsAny().(type) {
	case openai.AssistantStreamEventThreadCreated:
		l.thread = &e.Data
	case openai.AssistantStreamEventThreadMessageCreated:
		l.parts = outcome{}
	case openai.AssistantStreamEventThreadMessageDelta:
		for _, part := range e.Data.Delta.Content {
			l.addPart(part)
		}
	case openai.AssistantStreamEventThreadMessageCompleted:
		l.endMessage(e.Data)
	case openai.AssistantStreamEventThreadMessageIncomplete:
		l.endMessage(e.Data)
	case openai.AssistantStreamEventThreadRunStepCreated:
		l.calls, l.saw = nil, nil
	case openai.AssistantStreamEventThreadRunStepDelta:
		for _, call := range e.Data.Delta.StepDetails.ToolCalls {
			l.addCall(call)
		}
	case openai.AssistantStreamEventThreadRunStepCompleted:
		l.endStep(e.Data)
	case openai.AssistantStreamEventThreadRunStepFailed:
		l.endStep(e.Data)
	case openai.AssistantStreamEventThreadRunStepCancelled:
		l.endStep(e.Data)
	case openai.AssistantStreamEventThreadRunRequiresAction:
		l.run = e.Data
		require.Equal(l.t, l.calls, requiredCalls(&e.Data))
	case openai.AssistantStreamEventThreadRunCompleted:
		l.run = e.Data
	case openai.AssistantStreamEventThreadRunIncomplete:
		l.run = e.Data
	case openai.AssistantStreamEventThreadRunFailed:
		l.run = e.Data
	case openai.AssistantStreamEventThreadRunCancelled:
		l.run = e.Data
	case openai.AssistantStreamEventThreadRunCreated:
		l.run = e.Data
	}
}

func (l *listener) addPart(delta openai.MessageContentDeltaUnion) {
	grow := func(head, more string) {
		if int(delta.Index) == len(l.parts.Parts) {
			l.parts.Parts = append(l.parts.Parts, head)
		}
		l.parts.Parts[delta.Index] += more
	}
	switch part := delta.AsAny().(type) {
	case openai.TextDeltaBlock:
		grow("text: ", part.Text.Value)
		for _, a := range part.Text.Annotations {
			require.EqualValues(l.t, len(l.parts.Marks), a.Index)
			require.Equal(l.t, a.Type == "file_citation", a.FileCitation.JSON.Quote.Valid(), "citations have an empty quote here")
			l.parts.Marks = append(l.parts.Marks, fmt.Sprintf("%s %s %d %d %s", a.Type, a.Text, a.StartIndex, a.EndIndex, a.FileCitation.FileID+a.FilePath.FileID))
		}
	case openai.RefusalDeltaBlock:
		grow("refusal: ", part.Refusal)
	case openai.ImageFileDeltaBlock:
		grow("image_file: ", part.ImageFile.FileID+" "+string(part.ImageFile.Detail))
	default:
		require.Fail(l.t, "a part of an unknown type", delta.RawJSON())
	}
}

func (l *listener) addCall(delta openai.ToolCallDeltaUnion) {
	if int(delta.Index) == len(l.calls) {
		require.NotEmpty(l.t, delta.ID)
		l.calls = append(l.calls, "")
	}
	switch call := delta.AsAny().(type) {
	case openai.FunctionToolCallDelta:
		if call.Function.Name != "" {
			l.calls[call.Index] += call.Function.Name + " "
		}
		l.calls[call.Index] += call.Function.Arguments
	case openai.CodeInterpreterToolCallDelta:
		l.calls[call.Index] += call.CodeInterpreter.Input
		for _, output := range call.CodeInterpreter.Outputs {
			require.EqualValues(l.t, len(l.saw), output.Index)
			l.saw = append(l.saw, output.Type+" "+output.Logs+output.Image.FileID)
		}
	case openai.FileSearchToolCallDelta:
		require.NotNil(l.t, call.FileSearch)
	default:
		require.Fail(l.t, "a call of an unknown type", delta.RawJSON())
	}
}

func (l *listener) endMessage(m openai.Message) {
	var whole outcome
	whole.describeMessage(&m)
	require.Equal(l.t, whole.Parts, l.parts.Parts)
	require.Equal(l.t, whole.Marks, l.parts.Marks)
	l.seen.Message, l.seen.Parts, l.seen.Marks = whole.Message, whole.Parts, whole.Marks
}

func (l *listener) endStep(step openai.RunStep) {
	var whole outcome
	whole.describeStep(&step)
	if calls := step.StepDetails.ToolCalls; len(calls) > 0 && calls[0].Type == "code_interpreter" {
		require.Equal(l.t, whole.Details, append(l.calls, l.saw...))
	}
	l.seen.Steps = append(l.seen.Steps, whole.Steps...)
	l.seen.Details = append(l.seen.Details, whole.Details...)
}

// outcome is what the stream has told of the run.
func (l *listener) outcome(calls []string) outcome {
	o := l.seen
	o.Status, o.Reason, o.Calls = string(l.run.Status), l.run.IncompleteDetails.Reason, calls
	if l.run.LastError.Code != "" {
		o.Error = l.run.LastError.Code + ": " + l.run.LastError.Message
	}
	return o
}

func TestOfficialClientStreamsConversations(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	for _, talk := range conversations() {
		t.Run(talk.name, func(t *testing.T) {
			t.Parallel()
			c := newOfficial(t, address)
			l := &listener{t: t}
			params := talk.params(c.assistant().ID)
			params.Include = withContent
			thread := c.thread(talk.question)
			want := streamsOf[talk.name]
			if want == nil {
				want = []string{begun + wrote + "run.completed"}
			}
			stream := c.Beta.Threads.Runs.NewStreaming(t.Context(), thread.ID, params)
			require.Equal(t, want[0], l.listen(stream, ""))
			require.NoError(t, stream.Err())
			calls := requiredCalls(&l.run)
			if talk.outputs != nil {
				stream = c.Beta.Threads.Runs.SubmitToolOutputsStreaming(t.Context(), thread.ID, l.run.ID, talk.outputsFor(&l.run))
				require.Equal(t, want[1], l.listen(stream, ""))
				require.NoError(t, stream.Err())
			}
			require.Equal(t, talk.want, l.outcome(calls))
			require.Equal(t, talk.want, c.outcome(c.run(thread.ID, l.run.ID), calls), "and that is what is kept")
		})
	}
}

func TestOfficialClientStreamsNewThreads(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c, l := newOfficial(t, address), &listener{t: t}
	stream := c.Beta.Threads.NewAndRunStreaming(t.Context(), c.threadAndRun(askCapital))
	require.Equal(t, "created "+begun+wrote+"run.completed", l.listen(stream, ""))
	require.NoError(t, stream.Err())
	require.Equal(t, conversations()[0].want, l.outcome(nil))
	require.Equal(t, l.thread.ID, l.run.ThreadID)
	require.Equal(t, l.thread.RawJSON(), take(c.Beta.Threads.Get(t.Context(), l.thread.ID)).intact(c).RawJSON())
}

func TestOfficialClientStopsReading(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()))
	c, l := newOfficial(t, address), &listener{t: t}
	stream := c.Beta.Threads.NewAndRunStreaming(t.Context(), c.threadAndRun(askCapital))
	l.listen(stream, "thread.run.created")
	require.NoError(t, stream.Close())
	require.Equal(t, conversations()[0].want, c.outcome(c.settled(&l.run), nil), "the run goes on")
}

// streamWaiting opens the stream of a run that has begun to write, and will not go on.
func (c official) streamWaiting(l *listener) officialStream {
	c.t.Helper()
	stream := c.Beta.Threads.NewAndRunStreaming(c.t.Context(), c.threadAndRun(askWait))
	l.listen(stream, "thread.message.delta")
	if len(l.parts.Parts) == 1 && l.parts.Parts[0] == "text: One" {
		l.listen(stream, "thread.message.delta")
	}
	require.Equal(c.t, []string{"text: One moment."}, l.parts.Parts)
	return stream
}

func TestOfficialClientStreamsWhatStopsARun(t *testing.T) {
	t.Parallel()
	store := &faultyStore{Store: stocked(t)}
	s, address := serve(t, server.WithModel(script()), server.WithStore(store))
	c := newOfficial(t, address)

	l := &listener{t: t}
	stream := c.streamWaiting(l)
	_ = take(c.Beta.Threads.Runs.Cancel(t.Context(), l.run.ThreadID, l.run.ID)).intact(c)
	require.Equal(t, "run.cancelling message.incomplete run.step.cancelled run.cancelled", l.listen(stream, ""))
	require.NoError(t, stream.Err())
	require.Equal(t, outcome{
		Status: "cancelled", Message: "incomplete run_cancelled", Parts: []string{"text: One moment."}, Steps: []string{"message_creation cancelled"},
	}, l.outcome(nil))

	l = &listener{t: t}
	stream = c.streamWaiting(l)
	store.faulty.Store(true)
	_, err := c.Beta.Threads.Runs.Cancel(t.Context(), l.run.ThreadID, l.run.ID)
	var refused *openai.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Equal(t, 500, refused.StatusCode)
	require.Empty(t, l.listen(stream, ""))
	var failed *ssestream.StreamError
	require.True(t, errors.As(stream.Err(), &failed), "%v", stream.Err())
	require.Equal(t, "error", failed.Event.Type)
	require.Contains(t, failed.Message, "The server had an error")
	store.faulty.Store(false)

	l = &listener{t: t}
	stream = c.streamWaiting(l)
	require.NoError(t, s.Close())
	require.Equal(t, "message.incomplete run.step.failed run.failed", l.listen(stream, ""))
	require.NoError(t, stream.Err())
	require.Equal(t, "server_error: The server was shut down.", l.outcome(nil).Error)
	_, err = c.Beta.Threads.Get(t.Context(), l.run.ThreadID)
	requireOfficialError(t, err, refusal{503, "server_error", "", "", "The server is shut down and takes no more requests."})
}

// faultyStore cannot write runs down while it is faulty.
type faultyStore struct {
	server.Store
	faulty atomic.Bool
}

func (s *faultyStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	if s.faulty.Load() && c.Kind == "thread.run" {
		return server.Record{}, errors.New("the disk is full")
	}
	return s.Store.Update(ctx, c, id, change)
}
