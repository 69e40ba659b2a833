package assistants

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An Event is something that happened to a run, as a [Stream] reports it. Type says what, and one field holds the
// object as it then is, or what was added to it. For a type that this package does not know there are only Type and
// Data, and Run if it is a run.
//
// Reference: https://platform.openai.com/docs/api-reference/assistants-streaming/events
type Event struct {
	Type EventType
	// Data is the JSON that the event came with.
	Data         json.RawMessage
	Thread       *Thread       // of EventThreadCreated
	Run          *Run          // of EventRun…
	RunStep      *RunStep      // of EventRunStep…, but for EventRunStepDelta
	RunStepDelta *RunStepDelta // of EventRunStepDelta
	Message      *Message      // of EventMessage…, but for EventMessageDelta
	MessageDelta *MessageDelta // of EventMessageDelta
}

// An EventType is the name of an event.
type EventType string

// Events of a stream. The last one, "done", is its end and shown to nobody; "error" is a [StreamError].
const (
	EventThreadCreated EventType = "thread.created" // the thread was made, with the run

	EventRunCreated        EventType = "thread.run.created"         // the run was made
	EventRunQueued         EventType = "thread.run.queued"          // it waits to be worked on, or worked on again
	EventRunInProgress     EventType = "thread.run.in_progress"     // it is worked on
	EventRunRequiresAction EventType = "thread.run.requires_action" // it waits for the caller
	EventRunCompleted      EventType = "thread.run.completed"       // it is done
	EventRunIncomplete     EventType = "thread.run.incomplete"      // a limit ended it
	EventRunFailed         EventType = "thread.run.failed"          // an error ended it
	EventRunCancelling     EventType = "thread.run.cancelling"      // it was asked to stop
	EventRunCancelled      EventType = "thread.run.cancelled"       // it has stopped
	EventRunExpired        EventType = "thread.run.expired"         // it is out of time

	EventRunStepCreated    EventType = "thread.run.step.created"     // a step was begun
	EventRunStepInProgress EventType = "thread.run.step.in_progress" // it is worked on
	EventRunStepDelta      EventType = "thread.run.step.delta"       // something was added to it
	EventRunStepCompleted  EventType = "thread.run.step.completed"   // it is done
	EventRunStepFailed     EventType = "thread.run.step.failed"      // an error ended it
	EventRunStepCancelled  EventType = "thread.run.step.cancelled"   // its run was cancelled
	EventRunStepExpired    EventType = "thread.run.step.expired"     // its run expired

	EventMessageCreated    EventType = "thread.message.created"     // a message was begun
	EventMessageInProgress EventType = "thread.message.in_progress" // it is being written
	EventMessageDelta      EventType = "thread.message.delta"       // something was added to it
	EventMessageCompleted  EventType = "thread.message.completed"   // it is whole
	EventMessageIncomplete EventType = "thread.message.incomplete"  // it broke off
)

// The names that frame a stream.
const (
	eventError = "error"
	eventDone  = "done"
)

// An eventKind is what the data of an event is.
type eventKind uint8

const (
	unknownEvent eventKind = iota
	messageDeltaEvent
	runStepDeltaEvent
	messageEvent
	runStepEvent
	runEvent
	threadEvent
)

// eventKinds are the events that are known, the frequent ones first.
var eventKinds = [...]struct {
	typ  EventType
	kind eventKind
}{
	{EventMessageDelta, messageDeltaEvent},
	{EventRunStepDelta, runStepDeltaEvent},
	{EventMessageCreated, messageEvent},
	{EventMessageInProgress, messageEvent},
	{EventMessageCompleted, messageEvent},
	{EventMessageIncomplete, messageEvent},
	{EventRunStepCreated, runStepEvent},
	{EventRunStepInProgress, runStepEvent},
	{EventRunStepCompleted, runStepEvent},
	{EventRunStepFailed, runStepEvent},
	{EventRunStepCancelled, runStepEvent},
	{EventRunStepExpired, runStepEvent},
	{EventRunCreated, runEvent},
	{EventRunQueued, runEvent},
	{EventRunInProgress, runEvent},
	{EventRunRequiresAction, runEvent},
	{EventRunCompleted, runEvent},
	{EventRunIncomplete, runEvent},
	{EventRunFailed, runEvent},
	{EventRunCancelling, runEvent},
	{EventRunCancelled, runEvent},
	{EventRunExpired, runEvent},
	{EventThreadCreated, threadEvent},
}

// DecodeEvent decodes an event that came in another way than by a [Stream], such as through a queue, so that an
// [Accumulator] can add it up. It keeps data. An error is data that is not what the type says.
func DecodeEvent(typ EventType, data json.RawMessage) (*Event, error) {
	event, err := decodeEvent([]byte(typ), data, nil)
	if err != nil {
		return nil, fmt.Errorf("assistants: event %s: %w", typ, err)
	}
	return event, nil
}

// A passingEvent is one that its reader looks at and forgets: the next takes its place. Nearly all events are deltas,
// and half of what one allocates is for being kept. A nil passingEvent makes events to be kept.
type passingEvent struct {
	event Event
	delta MessageDelta
}

// maxPassingParts bounds what is kept for the next delta, and cleared for it; most have one part.
const maxPassingParts = 16

// begin returns an event with data.
func (p *passingEvent) begin(data []byte) *Event {
	if p == nil {
		return &Event{Data: data}
	}
	p.event = Event{Data: data}
	return &p.event
}

// messageDelta returns an empty one.
func (p *passingEvent) messageDelta() *MessageDelta {
	if p == nil {
		return new(MessageDelta)
	}
	parts := p.delta.Delta.Content
	if cap(parts) > maxPassingParts {
		parts = nil
	}
	clear(parts[:cap(parts)]) // encoding/json leaves in them what the JSON does not mention
	p.delta = MessageDelta{Delta: MessageDeltaDetails{Content: parts[:0]}}
	return &p.delta
}

// unknownRun is the run of an event of a status that is unknown here, nil if it is none.
func unknownRun(name, data []byte) *Run {
	if !bytes.HasPrefix(name, []byte("thread.run.")) {
		return nil
	}
	run := new(Run)
	if decodeObject(data, run) != nil || run.Object != "thread.run" {
		return nil
	}
	return run
}

// decodeEvent decodes data once, as what name says it is.
func decodeEvent(name, data []byte, passing *passingEvent) (*Event, error) {
	kind := unknownEvent
	event := passing.begin(data)
	for i := range eventKinds {
		if string(name) == string(eventKinds[i].typ) {
			event.Type, kind = eventKinds[i].typ, eventKinds[i].kind
			break
		}
	}
	var object answer
	switch kind {
	case messageDeltaEvent:
		event.MessageDelta = passing.messageDelta()
		object = event.MessageDelta
	case runStepDeltaEvent:
		event.RunStepDelta = new(RunStepDelta)
		object = event.RunStepDelta
	case messageEvent:
		event.Message = new(Message)
		object = event.Message
	case runStepEvent:
		event.RunStep = new(RunStep)
		object = event.RunStep
	case runEvent:
		event.Run = new(Run)
		object = event.Run
	case threadEvent:
		event.Thread = new(Thread)
		object = event.Thread
	default:
		event.Type, event.Run = EventType(name), unknownRun(name, data)
		return event, nil
	}
	return event, decodeObject(data, object)
}
