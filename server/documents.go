package server

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// The documents of conversations, as they are stored and answered: section 9 of docs/protocol.md. What was given by
// a caller or copied from an assistant stays in the form in which it came; what a run changes is typed.

// moment is a time in Unix seconds; 0 has not come and is null.
type moment int64

func (m moment) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(m), 10), nil
}

// Statuses of runs, and those of them that steps have too.
const (
	statusQueued         = "queued"
	statusInProgress     = "in_progress"
	statusRequiresAction = "requires_action"
	statusCancelling     = "cancelling"
	statusCancelled      = "cancelled"
	statusFailed         = "failed"
	statusCompleted      = "completed"
	statusIncomplete     = "incomplete"
	statusExpired        = "expired"
)

// active tells whether a run in this status locks its thread.
func active(status string) bool {
	switch status {
	case statusQueued, statusInProgress, statusRequiresAction, statusCancelling:
		return true
	}
	return false
}

// threadDocument is a thread.
type threadDocument struct {
	ID            string          `json:"id"`
	Object        string          `json:"object"`
	CreatedAt     int64           `json:"created_at"`
	Metadata      json.RawMessage `json:"metadata"`
	ToolResources json.RawMessage `json:"tool_resources"`
}

// threadState is what is kept with a thread.
type threadState struct {
	Run      string `json:"run,omitempty"`      // the active run, which locks the thread
	Messages int    `json:"messages,omitempty"` // how many there are
	Latest   int64  `json:"latest,omitempty"`   // when the newest of them was made
}

// messageDocument is a message.
type messageDocument struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	CreatedAt         int64           `json:"created_at"`
	AssistantID       *string         `json:"assistant_id"`
	ThreadID          string          `json:"thread_id"`
	RunID             *string         `json:"run_id"`
	Status            string          `json:"status"`
	IncompleteDetails *reason         `json:"incomplete_details"`
	IncompleteAt      moment          `json:"incomplete_at"`
	CompletedAt       moment          `json:"completed_at"`
	Role              string          `json:"role"`
	Content           json.RawMessage `json:"content"`
	Attachments       json.RawMessage `json:"attachments"`
	Metadata          json.RawMessage `json:"metadata"`
}

// reason is why something is incomplete.
type reason struct {
	Reason string `json:"reason"`
}

// runDocument is a run.
type runDocument struct {
	ID                  string          `json:"id"`
	Object              string          `json:"object"`
	CreatedAt           int64           `json:"created_at"`
	AssistantID         string          `json:"assistant_id"`
	ThreadID            string          `json:"thread_id"`
	Status              string          `json:"status"`
	StartedAt           moment          `json:"started_at"`
	ExpiresAt           moment          `json:"expires_at"`
	CancelledAt         moment          `json:"cancelled_at"`
	FailedAt            moment          `json:"failed_at"`
	CompletedAt         moment          `json:"completed_at"`
	RequiredAction      *requiredAction `json:"required_action"`
	LastError           *failureDetails `json:"last_error"`
	Model               json.RawMessage `json:"model"`
	Instructions        json.RawMessage `json:"instructions"`
	Tools               json.RawMessage `json:"tools"`
	ToolResources       json.RawMessage `json:"tool_resources"`
	Metadata            json.RawMessage `json:"metadata"`
	Temperature         json.RawMessage `json:"temperature"`
	TopP                json.RawMessage `json:"top_p"`
	ReasoningEffort     json.RawMessage `json:"reasoning_effort"`
	MaxCompletionTokens json.RawMessage `json:"max_completion_tokens"`
	MaxPromptTokens     json.RawMessage `json:"max_prompt_tokens"`
	TruncationStrategy  json.RawMessage `json:"truncation_strategy"`
	IncompleteDetails   *reason         `json:"incomplete_details"`
	Usage               *usage          `json:"usage"`
	ResponseFormat      json.RawMessage `json:"response_format"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ParallelToolCalls   json.RawMessage `json:"parallel_tool_calls"`
}

// runState is what is kept with a run.
type runState struct {
	Resources json.RawMessage `json:"resources"`            // tool resources of assistant and thread
	Usage     usage           `json:"usage"`                // of all calls so far
	StepUsage usage           `json:"step_usage,omitzero"`  // of the step that waits for outputs
	Rounds    int             `json:"rounds,omitempty"`     // calls of the model so far
	Weight    int             `json:"weight,omitempty"`     // what they have yielded
	Model     []byte          `json:"model_state,omitzero"` // what the model wants to be given back
}

// failureDetails is why a run or a step has failed.
type failureDetails struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// requiredAction is what a run waits for.
type requiredAction struct {
	Type              string        `json:"type"`
	SubmitToolOutputs requiredCalls `json:"submit_tool_outputs"`
}

type requiredCalls struct {
	ToolCalls []requiredCall `json:"tool_calls"`
}

type requiredCall struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Function requiredFunction `json:"function"`
}

type requiredFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// usage is tokens.
type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
	PromptDetails    struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_token_details"`
	CompletionDetails struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

func (u *usage) add(more usage) {
	u.PromptTokens += more.PromptTokens
	u.CompletionTokens += more.CompletionTokens
	u.TotalTokens += more.TotalTokens
	u.PromptDetails.CachedTokens += more.PromptDetails.CachedTokens
	u.CompletionDetails.ReasoningTokens += more.CompletionDetails.ReasoningTokens
}

// maxTokens bounds what a model can claim, so that no sum overflows.
const maxTokens = 1 << 30

// counted returns what a model has said that it cost.
func counted(said Usage) usage {
	within := func(n int) int { return min(max(n, 0), maxTokens) }
	u := usage{PromptTokens: within(said.PromptTokens), CompletionTokens: within(said.CompletionTokens)}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	u.PromptDetails.CachedTokens = within(said.CachedTokens)
	u.CompletionDetails.ReasoningTokens = within(said.ReasoningTokens)
	return u
}

// stepDocument is a step of a run.
type stepDocument struct {
	ID          string          `json:"id"`
	Object      string          `json:"object"`
	CreatedAt   int64           `json:"created_at"`
	RunID       string          `json:"run_id"`
	AssistantID string          `json:"assistant_id"`
	ThreadID    string          `json:"thread_id"`
	Type        string          `json:"type"`
	Status      string          `json:"status"`
	CancelledAt moment          `json:"cancelled_at"`
	CompletedAt moment          `json:"completed_at"`
	ExpiresAt   moment          `json:"expires_at"`
	ExpiredAt   moment          `json:"expired_at"`
	FailedAt    moment          `json:"failed_at"`
	LastError   *failureDetails `json:"last_error"`
	StepDetails json.RawMessage `json:"step_details"`
	Metadata    json.RawMessage `json:"metadata"`
	Usage       *usage          `json:"usage"`
}

// encode returns a document as compact JSON.
func encode(document any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		panic(err) // the documents of this file can always be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// decode reads a document that this server has stored.
func decode[T any](data []byte) (T, error) {
	var document T
	if len(data) == 0 {
		return document, nil
	}
	err := json.Unmarshal(data, &document)
	return document, err
}

func emptyObject() json.RawMessage { return json.RawMessage("{}") }

func emptyArray() json.RawMessage { return json.RawMessage("[]") }

// orElse returns a value, or another one if there is none or if it is null.
func orElse(value json.RawMessage, otherwise string) json.RawMessage {
	if value == nil || kindOf(value) == kindNull {
		return json.RawMessage(otherwise)
	}
	return value
}
