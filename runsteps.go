package assistants

import (
	"context"
	"iter"
)

// A RunStep is one thing that a run did: it wrote a message, or it used tools.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/run-steps/step-object
type RunStep struct {
	// ID begins with "step_".
	ID string `json:"id"`
	// Object is "thread.run.step".
	Object      string        `json:"object"`
	CreatedAt   Timestamp     `json:"created_at"`   // when it began
	RunID       string        `json:"run_id"`       // of its run
	AssistantID string        `json:"assistant_id"` // of the run's assistant
	ThreadID    string        `json:"thread_id"`    // of the run's thread
	Type        RunStepType   `json:"type"`
	Status      RunStepStatus `json:"status"`              // how far it is
	CancelledAt Timestamp     `json:"cancelled_at"`        // when it was cancelled
	CompletedAt Timestamp     `json:"completed_at"`        // when it was done
	ExpiresAt   Timestamp     `json:"expires_at"`          // when it will expire
	ExpiredAt   Timestamp     `json:"expired_at,omitzero"` // when it expired; the service did not say
	FailedAt    Timestamp     `json:"failed_at"`           // when it failed
	// LastError says why the step is [RunStepFailed]; nil otherwise.
	LastError   *RunError   `json:"last_error"`
	StepDetails StepDetails `json:"step_details"`      // what it did
	Metadata    Metadata    `json:"metadata,omitzero"` // the service had none on steps
	// Usage is what it cost; nil until it has ended.
	Usage *Usage `json:"usage"`
}

func (s *RunStep) check() error   { return checkObject(s.Object, "thread.run.step", s.ID) }
func (s *RunStep) cursor() string { return s.ID }

func (s *RunStep) redact(text func(string) string) { s.LastError.redact(text) }

// A RunStepType names a kind of step.
type RunStepType string

// Kinds of steps.
const (
	RunStepMessageCreation RunStepType = "message_creation" // it wrote a message
	RunStepToolCalls       RunStepType = "tool_calls"       // it used tools
)

func (t RunStepType) known() bool { return t == RunStepMessageCreation || t == RunStepToolCalls }

// A RunStepStatus is how far a step is.
type RunStepStatus string

// Statuses of steps.
const (
	RunStepInProgress RunStepStatus = "in_progress" // at work, or waiting for outputs of functions
	RunStepCancelled  RunStepStatus = "cancelled"   // its run was
	RunStepFailed     RunStepStatus = "failed"      // ended by an error: see LastError
	RunStepCompleted  RunStepStatus = "completed"   // done
	RunStepExpired    RunStepStatus = "expired"     // its run did
)

// StepDetails are what a step did. Type says what, and the field of that name holds it.
type StepDetails struct {
	Type            RunStepType      `json:"type"`
	MessageCreation *MessageCreation `json:"message_creation,omitzero"` // of RunStepMessageCreation
	ToolCalls       []ToolCall       `json:"tool_calls,omitzero"`       // of RunStepToolCalls, in order
}

// A MessageCreation says which message a step wrote.
type MessageCreation struct {
	MessageID string `json:"message_id"` // of the message
}

// RunStepsService is the steps of the runs of a [Client].
type RunStepsService service

// Retrieve returns a step, or an error that is [ErrNotFound]. [WithInclude] asks for more of it.
//
// GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}: https://platform.openai.com/docs/api-reference/run-steps/getRunStep
func (s *RunStepsService) Retrieve(ctx context.Context, threadID, runID, stepID string, opts ...RequestOption) (*RunStep, error) {
	return call(ctx, s.core, get("threads", threadID, "runs", runID, "steps", stepID).able(includes), new(RunStep), opts)
}

// List returns a page of a run's steps; the newest 20 if params is zero. [WithInclude] asks for more of them.
//
// GET /threads/{thread_id}/runs/{run_id}/steps: https://platform.openai.com/docs/api-reference/run-steps/listRunSteps
func (s *RunStepsService) List(ctx context.Context, threadID, runID string, params ListParams, opts ...RequestOption) (*Page[RunStep], error) {
	return list[RunStep](ctx, s.core, get("threads", threadID, "runs", runID, "steps").able(includes), params, opts)
}

// All iterates over a run's steps, in the way of [AssistantsService.All]. [WithInclude] asks for more of them.
//
// GET /threads/{thread_id}/runs/{run_id}/steps: https://platform.openai.com/docs/api-reference/run-steps/listRunSteps
func (s *RunStepsService) All(ctx context.Context, threadID, runID string, params ListParams, opts ...RequestOption) iter.Seq2[*RunStep, error] {
	return all[*RunStep](params, func(p ListParams) (any, error) { return s.List(ctx, threadID, runID, p, opts...) })
}
