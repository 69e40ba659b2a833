package workload

import "encoding/json"

// What a stream brings, and lists of messages, with the fields that ours have.

type plainRun struct {
	ID                  string                   `json:"id"`
	Object              string                   `json:"object"`
	CreatedAt           int64                    `json:"created_at"`
	ThreadID            string                   `json:"thread_id"`
	AssistantID         string                   `json:"assistant_id"`
	Status              string                   `json:"status"`
	RequiredAction      *plainRequiredAction     `json:"required_action"`
	LastError           *plainRunError           `json:"last_error"`
	IncompleteDetails   *plainIncompleteDetails  `json:"incomplete_details"`
	ExpiresAt           int64                    `json:"expires_at"`
	StartedAt           int64                    `json:"started_at"`
	CancelledAt         int64                    `json:"cancelled_at"`
	FailedAt            int64                    `json:"failed_at"`
	CompletedAt         int64                    `json:"completed_at"`
	Model               string                   `json:"model"`
	Instructions        string                   `json:"instructions"`
	Tools               []plainTool              `json:"tools"`
	ToolResources       *plainToolResources      `json:"tool_resources"`
	Metadata            map[string]string        `json:"metadata"`
	Usage               *plainUsage              `json:"usage"`
	Temperature         *float64                 `json:"temperature"`
	TopP                *float64                 `json:"top_p"`
	ReasoningEffort     string                   `json:"reasoning_effort"`
	MaxPromptTokens     int                      `json:"max_prompt_tokens"`
	MaxCompletionTokens int                      `json:"max_completion_tokens"`
	TruncationStrategy  *plainTruncationStrategy `json:"truncation_strategy"`
	ToolChoice          any                      `json:"tool_choice"` // a string or an object
	ParallelToolCalls   *bool                    `json:"parallel_tool_calls"`
	ResponseFormat      any                      `json:"response_format"` // a string or an object
	FileIDs             []string                 `json:"file_ids"`
}

type plainRequiredAction struct {
	Type               string                  `json:"type"`
	SubmitToolOutputs  *plainRequiredToolCalls `json:"submit_tool_outputs"`
	SubmitToolApproval *plainRequiredToolCalls `json:"submit_tool_approval"`
}

type plainRequiredToolCalls struct {
	ToolCalls []plainToolCall `json:"tool_calls"`
}

type plainRunError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type plainIncompleteDetails struct {
	Reason string `json:"reason"`
}

type plainUsage struct {
	PromptTokens            int                           `json:"prompt_tokens"`
	CompletionTokens        int                           `json:"completion_tokens"`
	TotalTokens             int                           `json:"total_tokens"`
	PromptTokenDetails      *plainPromptTokenDetails      `json:"prompt_token_details"`
	CompletionTokensDetails *plainCompletionTokensDetails `json:"completion_tokens_details"`
}

type plainPromptTokenDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

type plainCompletionTokensDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

type plainTruncationStrategy struct {
	Type         string `json:"type"`
	LastMessages int    `json:"last_messages"`
}

type plainRunStep struct {
	ID          string            `json:"id"`
	Object      string            `json:"object"`
	CreatedAt   int64             `json:"created_at"`
	RunID       string            `json:"run_id"`
	AssistantID string            `json:"assistant_id"`
	ThreadID    string            `json:"thread_id"`
	Type        string            `json:"type"`
	Status      string            `json:"status"`
	CancelledAt int64             `json:"cancelled_at"`
	CompletedAt int64             `json:"completed_at"`
	ExpiresAt   int64             `json:"expires_at"`
	ExpiredAt   int64             `json:"expired_at"`
	FailedAt    int64             `json:"failed_at"`
	LastError   *plainRunError    `json:"last_error"`
	StepDetails plainStepDetails  `json:"step_details"`
	Metadata    map[string]string `json:"metadata"`
	Usage       *plainUsage       `json:"usage"`
}

type plainStepDetails struct {
	Type            string                `json:"type"`
	MessageCreation *plainMessageCreation `json:"message_creation"`
	ToolCalls       []plainToolCall       `json:"tool_calls"`
}

type plainMessageCreation struct {
	MessageID string `json:"message_id"`
}

type plainToolCall struct {
	ID              string                    `json:"id"`
	Type            string                    `json:"type"`
	Function        *plainFunctionCall        `json:"function"`
	CodeInterpreter *plainCodeInterpreterCall `json:"code_interpreter"`
	FileSearch      *plainFileSearchCall      `json:"file_search"`
	Name            string                    `json:"name"`
	Arguments       string                    `json:"arguments"`
	Output          string                    `json:"output"`
	ServerLabel     string                    `json:"server_label"`
}

type plainFunctionCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Output    string `json:"output"`
}

type plainCodeInterpreterCall struct {
	Input   string                       `json:"input"`
	Outputs []plainCodeInterpreterOutput `json:"outputs"`
}

type plainCodeInterpreterOutput struct {
	Type  string          `json:"type"`
	Logs  string          `json:"logs"`
	Image *plainImageFile `json:"image"`
}

type plainFileSearchCall struct {
	RankingOptions *plainRankingOptions    `json:"ranking_options"`
	Results        []plainFileSearchResult `json:"results"`
}

type plainFileSearchResult struct {
	FileID     string                     `json:"file_id"`
	FileName   string                     `json:"file_name"`
	Score      float64                    `json:"score"`
	Attributes map[string]json.RawMessage `json:"attributes"` // strings, numbers and booleans
	Content    []plainFileSearchContent   `json:"content"`
}

type plainFileSearchContent struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type plainRunStepDelta struct {
	ID     string                   `json:"id"`
	Object string                   `json:"object"`
	Delta  plainRunStepDeltaDetails `json:"delta"`
}

type plainRunStepDeltaDetails struct {
	StepDetails plainStepDetailsDelta `json:"step_details"`
}

type plainStepDetailsDelta struct {
	Type            string                `json:"type"`
	MessageCreation *plainMessageCreation `json:"message_creation"`
	ToolCalls       []plainToolCallDelta  `json:"tool_calls"`
}

type plainToolCallDelta struct {
	Index           int                            `json:"index"`
	ID              string                         `json:"id"`
	Type            string                         `json:"type"`
	Function        *plainFunctionCall             `json:"function"`
	CodeInterpreter *plainCodeInterpreterCallDelta `json:"code_interpreter"`
	FileSearch      *plainFileSearchCall           `json:"file_search"`
	Name            string                         `json:"name"`
	Arguments       string                         `json:"arguments"`
	Output          string                         `json:"output"`
	ServerLabel     string                         `json:"server_label"`
}

type plainCodeInterpreterCallDelta struct {
	Input   string                            `json:"input"`
	Outputs []plainCodeInterpreterOutputDelta `json:"outputs"`
}

type plainCodeInterpreterOutputDelta struct {
	Index int `json:"index"`
	plainCodeInterpreterOutput
}
