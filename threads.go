package assistants

import (
	"context"
)

// A Thread is a conversation: messages, and the files that its tools work on. It belongs to no assistant.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/threads/object
type Thread struct {
	// ID begins with "thread_".
	ID string `json:"id"`
	// Object is "thread".
	Object    string    `json:"object"`
	CreatedAt Timestamp `json:"created_at"` // when it was made
	// ToolResources are nil where a server does not say, as in v1.
	ToolResources *ToolResources `json:"tool_resources"`
	Metadata      Metadata       `json:"metadata"` // empty if there is none
}

func (t *Thread) check() error   { return checkObject(t.Object, "thread", t.ID) }
func (t *Thread) cursor() string { return t.ID }

// ThreadCreateParams describe a new thread. The zero value is an empty one.
type ThreadCreateParams struct {
	// Messages are what the thread begins with. nil and empty are none.
	Messages []MessageCreateParams `json:"messages,omitzero"`
	// ToolResources are what the tools of its runs work on, beside those of the assistant.
	ToolResources ToolResources `json:"tool_resources,omitzero"`
	// Metadata is information of yours. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`
}

// ThreadModifyParams describe a change. What is zero is left alone.
type ThreadModifyParams struct {
	// ToolResources replace those of each tool that they name. Null: none.
	ToolResources Optional[ToolResources] `json:"tool_resources,omitzero"`
	// Metadata replaces all pairs. Null: none.
	Metadata Optional[Metadata] `json:"metadata,omitzero"`
}

// ThreadCreateAndRunParams describe a run, and the thread that is made for it. AssistantID is required; what is zero
// is not sent, and the service takes the assistant's setting or its default.
type ThreadCreateAndRunParams struct {
	// AssistantID is the assistant that runs.
	AssistantID string `json:"assistant_id"`
	// Thread is the new thread. The zero value is an empty one.
	Thread ThreadCreateParams `json:"thread,omitzero"`
	// Model is used in place of the assistant's.
	Model string `json:"model,omitzero"`
	// Instructions are used in place of the assistant's.
	Instructions string `json:"instructions,omitzero"`
	// Tools are used in place of the assistant's. nil leaves those; an empty slice is no tools.
	Tools []Tool `json:"tools,omitzero"`
	// ToolResources are used in place of the assistant's. VectorStores cannot be made here, but in those of Thread.
	ToolResources ToolResources `json:"tool_resources,omitzero"`
	// Metadata is the run's own. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`
	// Temperature is used in place of the assistant's: 0 to 2.
	Temperature *float64 `json:"temperature,omitzero"`
	// TopP is used in place of the assistant's: 0 to 1.
	TopP *float64 `json:"top_p,omitzero"`
	// MaxPromptTokens bounds what the run reads, as in [RunCreateParams]. 0: no limit.
	MaxPromptTokens int `json:"max_prompt_tokens,omitzero"`
	// MaxCompletionTokens bounds what the run writes, as in [RunCreateParams]. 0: no limit.
	MaxCompletionTokens int `json:"max_completion_tokens,omitzero"`
	// TruncationStrategy says which messages are left out if there are too many. Default: [TruncationAuto].
	TruncationStrategy TruncationStrategy `json:"truncation_strategy,omitzero"`
	// ToolChoice says whether tools may or must be used. Default: [ToolChoiceAuto].
	ToolChoice ToolChoice `json:"tool_choice,omitzero"`
	// ParallelToolCalls lets the model ask for several calls at once. Default: true.
	ParallelToolCalls *bool `json:"parallel_tool_calls,omitzero"`
	// ResponseFormat is used in place of the assistant's.
	ResponseFormat ResponseFormat `json:"response_format,omitzero"`
}

// ThreadsService is the threads of a [Client]. The service has no list of them: keep their ids.
type ThreadsService service

// Create makes a thread.
//
// POST /threads: https://platform.openai.com/docs/api-reference/threads/createThread
func (s *ThreadsService) Create(ctx context.Context, params ThreadCreateParams, opts ...RequestOption) (*Thread, error) {
	return call(ctx, s.core, post(params, "threads"), new(Thread), opts)
}

// Retrieve returns a thread, or an error that is [ErrNotFound].
//
// GET /threads/{thread_id}: https://platform.openai.com/docs/api-reference/threads/getThread
func (s *ThreadsService) Retrieve(ctx context.Context, threadID string, opts ...RequestOption) (*Thread, error) {
	return call(ctx, s.core, get("threads", threadID), new(Thread), opts)
}

// Modify changes a thread and returns it as it then is.
//
// POST /threads/{thread_id}: https://platform.openai.com/docs/api-reference/threads/modifyThread
func (s *ThreadsService) Modify(ctx context.Context, threadID string, params ThreadModifyParams, opts ...RequestOption) (*Thread, error) {
	return call(ctx, s.core, post(params, "threads", threadID), new(Thread), opts)
}

// Delete deletes a thread with its messages and runs. Its files and vector stores stay.
//
// DELETE /threads/{thread_id}: https://platform.openai.com/docs/api-reference/threads/deleteThread
func (s *ThreadsService) Delete(ctx context.Context, threadID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "thread.deleted", opts, "threads", threadID)
}

// CreateAndRun makes a thread and runs it, and returns at once; [RunsService.Poll] waits for the run to end.
//
// POST /threads/runs: https://platform.openai.com/docs/api-reference/runs/createThreadAndRun
func (s *ThreadsService) CreateAndRun(ctx context.Context, params ThreadCreateAndRunParams, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, post(params, "threads", "runs"), new(Run), opts)
}
