package assistants

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// A Run is an assistant at work on a thread: calls of its model and its tools, until a message answers.
//
// A run takes its settings from the assistant and from what it was created with; later changes of the assistant do
// not reach it. While it is active its thread takes no messages and no other run. It expires ten minutes after it was
// created, on Foundry later.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/runs/object
type Run struct {
	// ID begins with "run_".
	ID string `json:"id"`
	// Object is "thread.run".
	Object      string    `json:"object"`
	CreatedAt   Timestamp `json:"created_at"`   // when it was made
	ThreadID    string    `json:"thread_id"`    // of the thread that it works on
	AssistantID string    `json:"assistant_id"` // of the assistant that works
	Status      RunStatus `json:"status"`       // how far it is
	// RequiredAction is what a run that is [RunRequiresAction] waits for; nil otherwise.
	RequiredAction *RequiredAction `json:"required_action"`
	// LastError says why the run is [RunFailed]; nil otherwise.
	LastError *RunError `json:"last_error"`
	// IncompleteDetails say why the run is [RunIncomplete]; nil otherwise, and where the service does not say.
	IncompleteDetails *RunIncompleteDetails `json:"incomplete_details"`
	ExpiresAt         Timestamp             `json:"expires_at"`   // when it will expire; zero once it has ended
	StartedAt         Timestamp             `json:"started_at"`   // when work began, the last time it was taken up
	CancelledAt       Timestamp             `json:"cancelled_at"` // when it was cancelled
	FailedAt          Timestamp             `json:"failed_at"`    // when it failed
	CompletedAt       Timestamp             `json:"completed_at"` // when it was done
	Model             string                `json:"model"`        // that it uses
	Instructions      string                `json:"instructions"` // that it follows, additional ones included
	Tools             []Tool                `json:"tools"`        // that it may use
	// ToolResources are nil where a server does not say. The service left them empty.
	ToolResources *ToolResources `json:"tool_resources,omitzero"`
	Metadata      Metadata       `json:"metadata"` // its own; empty if there is none
	// Usage is what it cost; nil until it has ended.
	Usage *Usage `json:"usage"`
	// Temperature and TopP are nil where a server does not say.
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
	// ReasoningEffort is "" where the model's default applies.
	ReasoningEffort ReasoningEffort `json:"reasoning_effort,omitzero"`
	// MaxPromptTokens and MaxCompletionTokens are 0 if there is no limit.
	MaxPromptTokens     int `json:"max_prompt_tokens,omitzero"`
	MaxCompletionTokens int `json:"max_completion_tokens,omitzero"`
	// TruncationStrategy and ToolChoice are nil where a server does not say.
	TruncationStrategy *TruncationStrategy `json:"truncation_strategy"`
	ToolChoice         *ToolChoice         `json:"tool_choice"`
	// ParallelToolCalls and ResponseFormat are nil where a server does not say.
	ParallelToolCalls *bool           `json:"parallel_tool_calls,omitzero"`
	ResponseFormat    *ResponseFormat `json:"response_format"`

	// FileIDs are the files of the assistant in v1; see [BetaV1].
	FileIDs []string `json:"file_ids,omitzero"`
}

func (r *Run) check() error          { return checkObject(r.Object, "thread.run", r.ID) }
func (r *Run) incomplete() bool      { return hasUnknownTool(r.Tools) }
func (r *Run) keep(raw []byte) error { return keepUnknownTools(r.Tools, raw) }
func (r *Run) cursor() string        { return r.ID }

func (r *Run) redact(text func(string) string) { r.LastError.redact(text) }

// FunctionCalls are the calls that a run waits for the outputs of; nil if it waits for none.
func (r *Run) FunctionCalls() []ToolCall {
	if r.Status != RunRequiresAction || r.RequiredAction == nil || r.RequiredAction.SubmitToolOutputs == nil {
		return nil
	}
	return r.RequiredAction.SubmitToolOutputs.ToolCalls
}

// Err says why there is no answer: how the run ended, or how far it is. It wraps LastError, and is nil for a run that is
// completed.
func (r *Run) Err() error {
	switch {
	case r.Status == RunCompleted:
		return nil
	case r.LastError != nil:
		return fmt.Errorf("assistants: run %s is %s: %w", r.ID, r.Status, r.LastError)
	case r.IncompleteDetails != nil:
		return fmt.Errorf("assistants: run %s is %s: %s", r.ID, r.Status, r.IncompleteDetails.Reason)
	}
	return fmt.Errorf("assistants: run %s is %s", r.ID, r.Status)
}

// A RunStatus is how far a run is. Servers may have others than those named here.
type RunStatus string

// Statuses of runs.
const (
	RunQueued         RunStatus = "queued"          // not begun, or taking up work again
	RunInProgress     RunStatus = "in_progress"     // at work
	RunRequiresAction RunStatus = "requires_action" // waiting for the caller: see RequiredAction
	RunCancelling     RunStatus = "cancelling"      // asked to stop
	RunCancelled      RunStatus = "cancelled"       // stopped
	RunFailed         RunStatus = "failed"          // ended by an error: see LastError
	RunCompleted      RunStatus = "completed"       // done
	RunIncomplete     RunStatus = "incomplete"      // ended by a limit: see IncompleteDetails
	RunExpired        RunStatus = "expired"         // out of time
)

// Terminal reports whether the run has ended: it is completed, incomplete, failed, cancelled or expired. It is false for
// statuses that this package does not know.
func (s RunStatus) Terminal() bool {
	switch s {
	case RunCompleted, RunIncomplete, RunFailed, RunCancelled, RunExpired:
		return true
	}
	return false
}

// moving reports whether the status will change without anybody's doing.
func (s RunStatus) moving() bool {
	return s == RunQueued || s == RunInProgress || s == RunCancelling
}

// A RequiredAction is what a run waits for. Type says what, and the field of that name holds it.
type RequiredAction struct {
	Type RequiredActionType `json:"type"`
	// SubmitToolOutputs are function calls, to be answered by [RunsService.SubmitToolOutputs] all at once.
	SubmitToolOutputs *RequiredToolCalls `json:"submit_tool_outputs,omitzero"`
	// SubmitToolApproval is Foundry's: calls of MCP tools, to be allowed or forbidden by the same method.
	SubmitToolApproval *RequiredToolCalls `json:"submit_tool_approval,omitzero"`
}

// A RequiredActionType names what a run waits for.
type RequiredActionType string

// What runs wait for.
const (
	ActionSubmitToolOutputs  RequiredActionType = "submit_tool_outputs"  // outputs of functions
	ActionSubmitToolApproval RequiredActionType = "submit_tool_approval" // approval of calls of MCP tools, on Foundry
)

func (t RequiredActionType) known() bool {
	return t == ActionSubmitToolOutputs || t == ActionSubmitToolApproval
}

// RequiredToolCalls are the calls that a run waits for.
type RequiredToolCalls struct {
	ToolCalls []ToolCall `json:"tool_calls"` // each to be answered once
}

// A RunError says why a run or one of its steps failed. Credentials in it are replaced by "[redacted]".
type RunError struct {
	// Code is "server_error", "rate_limit_exceeded" or, of runs, "invalid_prompt".
	Code    string `json:"code"`
	Message string `json:"message"` // for people
}

// Error says both, the message cut at 512 bytes.
func (e *RunError) Error() string { return e.Code + ": " + shortened(e.Message) }

func (e *RunError) redact(text func(string) string) {
	if e != nil {
		e.Message = text(e.Message)
	}
}

// RunIncompleteDetails say which limit ended a run.
type RunIncompleteDetails struct {
	// Reason is "max_completion_tokens" or "max_prompt_tokens"; "content_filter" was seen too.
	Reason string `json:"reason"`
}

// Usage counts tokens.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`     // read
	CompletionTokens int `json:"completion_tokens"` // written
	TotalTokens      int `json:"total_tokens"`      // both
	// PromptTokenDetails and CompletionTokensDetails are nil where a server does not say.
	PromptTokenDetails      *PromptTokenDetails      `json:"prompt_token_details,omitzero"`
	CompletionTokensDetails *CompletionTokensDetails `json:"completion_tokens_details,omitzero"`
}

// PromptTokenDetails are shares of the prompt tokens.
type PromptTokenDetails struct {
	CachedTokens int `json:"cached_tokens"` // read from a cache, which is cheaper
}

// CompletionTokensDetails are shares of the completion tokens.
type CompletionTokensDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"` // thought and not said
}

// A TruncationStrategy says which messages of a long thread the model does not see. An empty Type is inferred from
// LastMessages when sending; the zero value is not sent. One that was read is sent back as it came if its type is
// unknown here or its fields contradict each other.
type TruncationStrategy struct {
	Type TruncationType `json:"type"`
	// LastMessages is how many of the newest messages are seen, of [TruncationLastMessages]: 1 or more.
	LastMessages int `json:"last_messages,omitzero"`

	raw string // JSON that the fields do not say, or that contradicts itself
}

// A TruncationType names a strategy.
type TruncationType string

// Strategies of truncation.
const (
	// TruncationAuto drops messages from the middle of the thread until the rest fits.
	TruncationAuto TruncationType = "auto"
	// TruncationLastMessages keeps the newest.
	TruncationLastMessages TruncationType = "last_messages"
)

// MarshalJSON writes the strategy with its type.
func (s TruncationStrategy) MarshalJSON() ([]byte, error) {
	var read TruncationStrategy
	if s.raw != "" && read.UnmarshalJSON([]byte(s.raw)) == nil && read == s {
		return []byte(s.raw), nil
	}
	typ, err := resolve("truncation strategy", s.Type, variant[TruncationType]{TruncationLastMessages, s.LastMessages != 0})
	if err != nil {
		return nil, err
	}
	type wire TruncationStrategy // without this method
	s.Type = typ
	return json.Marshal(wire(s))
}

// UnmarshalJSON reads a strategy, whatever its type.
func (s *TruncationStrategy) UnmarshalJSON(data []byte) error {
	type wire TruncationStrategy // without this method
	*s = TruncationStrategy{}
	raw, err := wordOrObject(data, &s.Type, (*wire)(s))
	if raw != "" || s.Type != TruncationLastMessages && s.LastMessages != 0 {
		s.raw = string(data)
	}
	return err
}

func (t TruncationType) known() bool { return t == TruncationAuto || t == TruncationLastMessages }

// RunCreateParams describe a new run. AssistantID is required; what is zero is not sent, and the service takes the
// assistant's setting or its default.
type RunCreateParams struct {
	// AssistantID is the assistant that runs.
	AssistantID string `json:"assistant_id"`
	// Model is used in place of the assistant's.
	Model string `json:"model,omitzero"`
	// ReasoningEffort is used in place of the assistant's.
	ReasoningEffort ReasoningEffort `json:"reasoning_effort,omitzero"`
	// Instructions are used in place of the assistant's.
	Instructions string `json:"instructions,omitzero"`
	// AdditionalInstructions are added to the assistant's, or to Instructions.
	AdditionalInstructions string `json:"additional_instructions,omitzero"`
	// AdditionalMessages are added to the thread before the run begins. nil and empty are none.
	AdditionalMessages []MessageCreateParams `json:"additional_messages,omitzero"`
	// Tools are used in place of the assistant's. nil leaves those; an empty slice is no tools.
	Tools []Tool `json:"tools,omitzero"`
	// ToolResources are for Foundry, which takes those of MCP servers here. Elsewhere tools work on what the assistant and
	// the thread have.
	ToolResources ToolResources `json:"tool_resources,omitzero"`
	// Metadata is the run's own. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`
	// Temperature is used in place of the assistant's: 0 to 2.
	Temperature *float64 `json:"temperature,omitzero"`
	// TopP is used in place of the assistant's: 0 to 1.
	TopP *float64 `json:"top_p,omitzero"`
	// MaxPromptTokens bounds what all calls of the model in the run read together, 256 or more; a run that needs
	// more ends [RunIncomplete]. 0: no limit.
	MaxPromptTokens int `json:"max_prompt_tokens,omitzero"`
	// MaxCompletionTokens bounds what all calls of the model in the run write together, 256 or more; a run that
	// needs more ends [RunIncomplete]. 0: no limit.
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

// RunModifyParams describe a change of a run.
type RunModifyParams struct {
	// Metadata replaces all pairs. Null: none.
	Metadata Optional[Metadata] `json:"metadata,omitzero"`
}

// RunSubmitToolOutputsParams answer what a run waits for: every call once, all in one request.
type RunSubmitToolOutputsParams struct {
	// ToolOutputs answer function calls. nil is not sent.
	ToolOutputs []ToolOutput `json:"tool_outputs,omitzero"`
	// ToolApprovals are Foundry's: they answer [ActionSubmitToolApproval]. nil is not sent.
	ToolApprovals []ToolApproval `json:"tool_approvals,omitzero"`
}

// RunsService is the runs of a [Client].
type RunsService service

// Create runs a thread and returns at once; [RunsService.Poll] waits for the run to end. The service refuses a second run
// while one of the thread is active. [WithInclude] asks for more in the run's steps.
//
// POST /threads/{thread_id}/runs: https://platform.openai.com/docs/api-reference/runs/createRun
func (s *RunsService) Create(ctx context.Context, threadID string, params RunCreateParams, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, post(params, "threads", threadID, "runs").able(includes), new(Run), opts)
}

// Retrieve returns a run, or an error that is [ErrNotFound].
//
// GET /threads/{thread_id}/runs/{run_id}: https://platform.openai.com/docs/api-reference/runs/getRun
func (s *RunsService) Retrieve(ctx context.Context, threadID, runID string, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, get("threads", threadID, "runs", runID), new(Run), opts)
}

// Modify changes a run's metadata and returns the run as it then is.
//
// POST /threads/{thread_id}/runs/{run_id}: https://platform.openai.com/docs/api-reference/runs/modifyRun
func (s *RunsService) Modify(ctx context.Context, threadID, runID string, params RunModifyParams, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, post(params, "threads", threadID, "runs", runID), new(Run), opts)
}

// List returns a page of a thread's runs; the newest 20 if params is zero.
//
// GET /threads/{thread_id}/runs: https://platform.openai.com/docs/api-reference/runs/listRuns
func (s *RunsService) List(ctx context.Context, threadID string, params ListParams, opts ...RequestOption) (*Page[Run], error) {
	return list[Run](ctx, s.core, get("threads", threadID, "runs"), params, opts)
}

// All iterates over a thread's runs, in the way of [AssistantsService.All].
//
// GET /threads/{thread_id}/runs: https://platform.openai.com/docs/api-reference/runs/listRuns
func (s *RunsService) All(ctx context.Context, threadID string, params ListParams, opts ...RequestOption) iter.Seq2[*Run, error] {
	return all[*Run](params, func(p ListParams) (any, error) { return s.List(ctx, threadID, p, opts...) })
}

// Cancel asks an active run to stop and returns it, as a rule [RunCancelling]; it may still complete. The service
// refuses it for a run that has ended.
//
// POST /threads/{thread_id}/runs/{run_id}/cancel: https://platform.openai.com/docs/api-reference/runs/cancelRun
func (s *RunsService) Cancel(ctx context.Context, threadID, runID string, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, post(nil, "threads", threadID, "runs", runID, "cancel"), new(Run), opts)
}

// SubmitToolOutputs answers what a run that is [RunRequiresAction] waits for, and returns it as it goes on. The
// service refuses outputs that miss a call, answer one twice or belong to none, and then changes nothing.
//
// POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs: https://platform.openai.com/docs/api-reference/runs/submitToolOutputs
func (s *RunsService) SubmitToolOutputs(ctx context.Context, threadID, runID string, params RunSubmitToolOutputsParams, opts ...RequestOption) (*Run, error) {
	return call(ctx, s.core, post(params, "threads", threadID, "runs", runID, "submit_tool_outputs"), new(Run), opts)
}
