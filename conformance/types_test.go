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

	"OpenAIFile":         reflect.TypeFor[assistants.File](),
	"ListFilesResponse":  reflect.TypeFor[assistants.Page[assistants.File]](),
	"DeleteFileResponse": reflect.TypeFor[assistants.Deleted](),

	"CreateUploadRequest":   reflect.TypeFor[assistants.UploadCreateParams](),
	"CompleteUploadRequest": reflect.TypeFor[assistants.UploadCompleteParams](),
	"Upload":                reflect.TypeFor[assistants.Upload](),
	"UploadPart":            reflect.TypeFor[assistants.UploadPart](),

	"CreateVectorStoreRequest":               reflect.TypeFor[assistants.VectorStoreCreateParams](),
	"UpdateVectorStoreRequest":               reflect.TypeFor[assistants.VectorStoreModifyParams](),
	"VectorStoreObject":                      reflect.TypeFor[assistants.VectorStore](),
	"ListVectorStoresResponse":               reflect.TypeFor[assistants.Page[assistants.VectorStore]](),
	"DeleteVectorStoreResponse":              reflect.TypeFor[assistants.Deleted](),
	"VectorStoreSearchRequest":               reflect.TypeFor[assistants.VectorStoreSearchParams](),
	"VectorStoreSearchResultsPage":           reflect.TypeFor[assistants.VectorStoreSearchResults](),
	"CreateVectorStoreFileRequest":           reflect.TypeFor[assistants.VectorStoreFileCreateParams](),
	"UpdateVectorStoreFileAttributesRequest": reflect.TypeFor[assistants.VectorStoreFileModifyParams](),
	"VectorStoreFileObject":                  reflect.TypeFor[assistants.VectorStoreFile](),
	"ListVectorStoreFilesResponse":           reflect.TypeFor[assistants.Page[assistants.VectorStoreFile]](),
	"DeleteVectorStoreFileResponse":          reflect.TypeFor[assistants.Deleted](),
	"VectorStoreFileContentResponse":         reflect.TypeFor[assistants.VectorStoreFileContent](),
	"CreateVectorStoreFileBatchRequest":      reflect.TypeFor[assistants.FileBatchCreateParams](),
	"VectorStoreFileBatchObject":             reflect.TypeFor[assistants.FileBatch](),

	"CreateAssistantFileRequest":  reflect.TypeFor[assistants.AssistantFileCreateParams](),
	"AssistantFileObject":         reflect.TypeFor[assistants.AssistantFile](),
	"ListAssistantFilesResponse":  reflect.TypeFor[assistants.Page[assistants.AssistantFile]](),
	"DeleteAssistantFileResponse": reflect.TypeFor[assistants.Deleted](),
	"MessageFileObject":           reflect.TypeFor[assistants.MessageFile](),
	"ListMessageFilesResponse":    reflect.TypeFor[assistants.Page[assistants.MessageFile]](),
}

// formTypes are the types for requests that are forms. Their fields have no keys: a field of the form has the name of the
// Go field.
var formTypes = map[string]reflect.Type{
	"CreateFileRequest":    reflect.TypeFor[assistants.FileUploadParams](),
	"AddUploadPartRequest": reflect.TypeFor[assistants.UploadPartParams](),
}

// contentType is the schema of an answer that is what is in a file, and no type of its own.
const contentType = "string"

// queryTypes are the types for the queries of lists.
var queryTypes = map[string]reflect.Type{
	"listAssistants": reflect.TypeFor[assistants.ListParams](),
	"listMessages":   reflect.TypeFor[assistants.MessageListParams](),
	"listRuns":       reflect.TypeFor[assistants.ListParams](),
	"listRunSteps":   reflect.TypeFor[assistants.ListParams](),

	"listFiles":                   reflect.TypeFor[assistants.FileListParams](),
	"listVectorStores":            reflect.TypeFor[assistants.ListParams](),
	"listVectorStoreFiles":        reflect.TypeFor[assistants.VectorStoreFileListParams](),
	"listFilesInVectorStoreBatch": reflect.TypeFor[assistants.VectorStoreFileListParams](),
	"listAssistantFiles":          reflect.TypeFor[assistants.ListParams](),
	"listMessageFiles":            reflect.TypeFor[assistants.ListParams](),
}

// listFields are fields for the second form of a value that the wire has as a word or as a list: the key is that of
// both, and the Go field of the list has no key of its own.
var listFields = map[reflect.Type]map[string]string{
	reflect.TypeFor[assistants.MessageCreateParams]():     {"content": "Parts"},
	reflect.TypeFor[assistants.VectorStoreSearchParams](): {"query": "Queries"},
	reflect.TypeFor[assistants.Filter]():                  {"value": "Values"},
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
