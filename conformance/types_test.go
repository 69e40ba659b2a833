package conformance

import (
	"reflect"

	"github.com/assistants-go/assistants"
)

// goTypes are the types for the schemas of the covered operations. Schemas inside them need no line.
var goTypes = map[string]reflect.Type{
	"CreateAssistantRequest":      reflect.TypeFor[assistants.AssistantCreateParams](),
	"ModifyAssistantRequest":      reflect.TypeFor[assistants.AssistantModifyParams](),
	"AssistantObject":             reflect.TypeFor[assistants.Assistant](),
	"ListAssistantsResponse":      reflect.TypeFor[assistants.Page[assistants.Assistant]](),
	"DeleteAssistantResponse":     reflect.TypeFor[assistants.Deleted](),
	"CreateThreadRequest":         reflect.TypeFor[assistants.ThreadCreateParams](),
	"ModifyThreadRequest":         reflect.TypeFor[assistants.ThreadModifyParams](),
	"ThreadObject":                reflect.TypeFor[assistants.Thread](),
	"DeleteThreadResponse":        reflect.TypeFor[assistants.Deleted](),
	"CreateMessageRequest":        reflect.TypeFor[assistants.MessageCreateParams](),
	"ModifyMessageRequest":        reflect.TypeFor[assistants.MessageModifyParams](),
	"MessageObject":               reflect.TypeFor[assistants.Message](),
	"ListMessagesResponse":        reflect.TypeFor[assistants.Page[assistants.Message]](),
	"DeleteMessageResponse":       reflect.TypeFor[assistants.Deleted](),
	"CreateThreadAndRunRequest":   reflect.TypeFor[assistants.ThreadCreateAndRunParams](),
	"CreateRunRequest":            reflect.TypeFor[assistants.RunCreateParams](),
	"ModifyRunRequest":            reflect.TypeFor[assistants.RunModifyParams](),
	"SubmitToolOutputsRunRequest": reflect.TypeFor[assistants.RunSubmitToolOutputsParams](),
	"RunObject":                   reflect.TypeFor[assistants.Run](),
	"ListRunsResponse":            reflect.TypeFor[assistants.Page[assistants.Run]](),
	"RunStepObject":               reflect.TypeFor[assistants.RunStep](),
	"ListRunStepsResponse":        reflect.TypeFor[assistants.Page[assistants.RunStep]](),
}

// queryTypes are the types for the queries of lists.
var queryTypes = map[string]reflect.Type{
	"listAssistants": reflect.TypeFor[assistants.ListParams](),
	"listMessages":   reflect.TypeFor[assistants.MessageListParams](),
	"listRuns":       reflect.TypeFor[assistants.ListParams](),
	"listRunSteps":   reflect.TypeFor[assistants.ListParams](),
}

// listFields are fields for the second form of a value that the wire has as a word or as a list: the key is that of
// both, and the Go field of the list has no key of its own.
var listFields = map[reflect.Type]map[string]string{
	reflect.TypeFor[assistants.MessageCreateParams](): {"content": "Parts"},
}

// eventTypes are the types of the data of events.
var eventTypes = map[assistants.EventType]reflect.Type{
	assistants.EventThreadCreated:     reflect.TypeFor[assistants.Thread](),
	assistants.EventRunCreated:        reflect.TypeFor[assistants.Run](),
	assistants.EventRunQueued:         reflect.TypeFor[assistants.Run](),
	assistants.EventRunInProgress:     reflect.TypeFor[assistants.Run](),
	assistants.EventRunRequiresAction: reflect.TypeFor[assistants.Run](),
	assistants.EventRunCompleted:      reflect.TypeFor[assistants.Run](),
	assistants.EventRunIncomplete:     reflect.TypeFor[assistants.Run](),
	assistants.EventRunFailed:         reflect.TypeFor[assistants.Run](),
	assistants.EventRunCancelling:     reflect.TypeFor[assistants.Run](),
	assistants.EventRunCancelled:      reflect.TypeFor[assistants.Run](),
	assistants.EventRunExpired:        reflect.TypeFor[assistants.Run](),
	assistants.EventRunStepCreated:    reflect.TypeFor[assistants.RunStep](),
	assistants.EventRunStepInProgress: reflect.TypeFor[assistants.RunStep](),
	assistants.EventRunStepDelta:      reflect.TypeFor[assistants.RunStepDelta](),
	assistants.EventRunStepCompleted:  reflect.TypeFor[assistants.RunStep](),
	assistants.EventRunStepFailed:     reflect.TypeFor[assistants.RunStep](),
	assistants.EventRunStepCancelled:  reflect.TypeFor[assistants.RunStep](),
	assistants.EventRunStepExpired:    reflect.TypeFor[assistants.RunStep](),
	assistants.EventMessageCreated:    reflect.TypeFor[assistants.Message](),
	assistants.EventMessageInProgress: reflect.TypeFor[assistants.Message](),
	assistants.EventMessageDelta:      reflect.TypeFor[assistants.MessageDelta](),
	assistants.EventMessageCompleted:  reflect.TypeFor[assistants.Message](),
	assistants.EventMessageIncomplete: reflect.TypeFor[assistants.Message](),
}
