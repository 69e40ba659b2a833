package assistants

import (
	"context"
	"iter"
)

// An Assistant is a model with instructions, tools and files, which runs on threads.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/assistants/object
type Assistant struct {
	// ID begins with "asst_".
	ID string `json:"id"`
	// Object is "assistant".
	Object    string    `json:"object"`
	CreatedAt Timestamp `json:"created_at"` // when it was made; modifying it does not change that
	// Name and Description are "" if there is none.
	Name        string `json:"name"`
	Description string `json:"description"`
	// Model is the id of a model, on Azure the name of a deployment.
	Model string `json:"model"`
	// Instructions are the system prompt, "" if there is none.
	Instructions string `json:"instructions"`
	Tools        []Tool `json:"tools"` // in the order in which they were given
	// TopP and Temperature are nil where a server does not say; the service always did.
	TopP        *float64 `json:"top_p"`
	Temperature *float64 `json:"temperature"`
	// ReasoningEffort is "" where the model's default applies.
	ReasoningEffort ReasoningEffort `json:"reasoning_effort"`
	// ToolResources are nil where a server does not say, as in v1.
	ToolResources *ToolResources `json:"tool_resources"`
	Metadata      Metadata       `json:"metadata"` // empty if there is none
	// ResponseFormat is nil where a server does not say.
	ResponseFormat *ResponseFormat `json:"response_format"`

	// FileIDs are the files of an assistant of v1; see [BetaV1].
	FileIDs []string `json:"file_ids,omitzero"`
}

func (a *Assistant) check() error          { return checkObject(a.Object, "assistant", a.ID) }
func (a *Assistant) incomplete() bool      { return hasUnknownTool(a.Tools) }
func (a *Assistant) keep(raw []byte) error { return keepUnknownTools(a.Tools, raw) }
func (a *Assistant) cursor() string        { return a.ID }

// A ReasoningEffort is how much a reasoning model may think before it answers. Which values a model knows is for the
// service to say.
type ReasoningEffort string

// Efforts of reasoning models.
const (
	ReasoningEffortNone    ReasoningEffort = "none"
	ReasoningEffortMinimal ReasoningEffort = "minimal"
	ReasoningEffortLow     ReasoningEffort = "low"
	ReasoningEffortMedium  ReasoningEffort = "medium"
	ReasoningEffortHigh    ReasoningEffort = "high"
	ReasoningEffortXHigh   ReasoningEffort = "xhigh"
	ReasoningEffortMax     ReasoningEffort = "max"
)

// AssistantCreateParams describe a new assistant. Only Model is required; what is zero is not sent, and the service
// takes its default.
type AssistantCreateParams struct {
	// Model is the id of a model, or on Azure the name of a deployment.
	Model string `json:"model"`
	// Name has up to 256 characters.
	Name string `json:"name,omitzero"`
	// Description has up to 512 characters.
	Description string `json:"description,omitzero"`
	// Instructions are the system prompt, of up to 256,000 characters.
	Instructions string `json:"instructions,omitzero"`
	// ReasoningEffort is for reasoning models. Default: the model's.
	ReasoningEffort ReasoningEffort `json:"reasoning_effort,omitzero"`
	// Tools are up to 128. nil and empty are no tools.
	Tools []Tool `json:"tools,omitzero"`
	// ToolResources are what the tools work on: files and vector stores.
	ToolResources ToolResources `json:"tool_resources,omitzero"`
	// Metadata is information of yours. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`
	// Temperature is 0 to 2: low is focused, high is random. Default: 1. Reasoning models take none.
	Temperature *float64 `json:"temperature,omitzero"`
	// TopP is 0 to 1: the model chooses among the tokens that make up this share of probability. Default: 1.
	TopP *float64 `json:"top_p,omitzero"`
	// ResponseFormat is what the model's answers must be. Default: [ResponseFormatAuto].
	ResponseFormat ResponseFormat `json:"response_format,omitzero"`

	// FileIDs are up to 20 files, in v1 only.
	FileIDs []string `json:"file_ids,omitzero"`
}

// AssistantModifyParams describe a change. What is zero is left alone; a field that is sent replaces the whole value,
// lists and metadata included. [Null] clears a field, or gives it back its default.
type AssistantModifyParams struct {
	// Model is the id of a model, or on Azure the name of a deployment.
	Model string `json:"model,omitzero"`
	// Name has up to 256 characters.
	Name Optional[string] `json:"name,omitzero"`
	// Description has up to 512 characters.
	Description Optional[string] `json:"description,omitzero"`
	// Instructions have up to 256,000 characters.
	Instructions Optional[string] `json:"instructions,omitzero"`
	// ReasoningEffort is for reasoning models. Null: the model's default.
	ReasoningEffort Optional[ReasoningEffort] `json:"reasoning_effort,omitzero"`
	// Tools are up to 128. nil leaves them alone; an empty slice takes them all away.
	Tools []Tool `json:"tools,omitzero"`
	// ToolResources replace those of each tool that they name and leave those of the others alone. Null: none.
	// VectorStores cannot be made here.
	ToolResources Optional[ToolResources] `json:"tool_resources,omitzero"`
	// Metadata replaces all pairs. Null: none.
	Metadata Optional[Metadata] `json:"metadata,omitzero"`
	// Temperature is 0 to 2. Null: 1.
	Temperature Optional[float64] `json:"temperature,omitzero"`
	// TopP is 0 to 1. Null: 1.
	TopP Optional[float64] `json:"top_p,omitzero"`
	// ResponseFormat is what the model's answers must be. Null: [ResponseFormatAuto].
	ResponseFormat Optional[ResponseFormat] `json:"response_format,omitzero"`

	// FileIDs are up to 20 files, in v1 only. nil leaves them alone; an empty slice takes them all away.
	FileIDs []string `json:"file_ids,omitzero"`
}

// AssistantsService is the assistants of a [Client].
type AssistantsService service

// Create makes an assistant.
//
// POST /assistants: https://platform.openai.com/docs/api-reference/assistants/createAssistant
func (s *AssistantsService) Create(ctx context.Context, params AssistantCreateParams, opts ...RequestOption) (*Assistant, error) {
	return call(ctx, s.core, post(params, "assistants"), new(Assistant), opts)
}

// Retrieve returns an assistant, or an error that is [ErrNotFound].
//
// GET /assistants/{assistant_id}: https://platform.openai.com/docs/api-reference/assistants/getAssistant
func (s *AssistantsService) Retrieve(ctx context.Context, assistantID string, opts ...RequestOption) (*Assistant, error) {
	return call(ctx, s.core, get("assistants", assistantID), new(Assistant), opts)
}

// Modify changes an assistant and returns it as it then is. Runs that were created before keep what they began with.
//
// POST /assistants/{assistant_id}: https://platform.openai.com/docs/api-reference/assistants/modifyAssistant
func (s *AssistantsService) Modify(ctx context.Context, assistantID string, params AssistantModifyParams, opts ...RequestOption) (*Assistant, error) {
	return call(ctx, s.core, post(params, "assistants", assistantID), new(Assistant), opts)
}

// Delete deletes an assistant. Its threads, runs, files and vector stores stay.
//
// DELETE /assistants/{assistant_id}: https://platform.openai.com/docs/api-reference/assistants/deleteAssistant
func (s *AssistantsService) Delete(ctx context.Context, assistantID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "assistant.deleted", opts, "assistants", assistantID)
}

// List returns a page of assistants; the newest 20 if params is zero.
//
// GET /assistants: https://platform.openai.com/docs/api-reference/assistants/listAssistants
func (s *AssistantsService) List(ctx context.Context, params ListParams, opts ...RequestOption) (*Page[Assistant], error) {
	return list[Assistant](ctx, s.core, get("assistants"), params, opts)
}

// All iterates over assistants from where params say, to the end of the list; what Before does is said at [ListParams].
// Pages of params.Limit objects are fetched as the loop needs them. An error is the last pair. The iterator can be used
// again, and then begins anew.
//
// GET /assistants: https://platform.openai.com/docs/api-reference/assistants/listAssistants
func (s *AssistantsService) All(ctx context.Context, params ListParams, opts ...RequestOption) iter.Seq2[*Assistant, error] {
	return all[*Assistant](params, func(p ListParams) (any, error) { return s.List(ctx, p, opts...) })
}
