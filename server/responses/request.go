package responses

import (
	"context"
	"encoding/json"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file puts together what the provider is asked.

// A question is one request, and what its answer is read with.
type question struct {
	model   *Model
	call    *server.ModelCall
	body    *requestBody
	own     int               // turns of the history that are not the run's own
	done    rounds            // what the run has done so far, as the provider has said it
	late    []json.RawMessage // what of it nobody was told of yet
	session *session          // nil: no code interpreter
	stores  storeLookup       // nil: no search
	search  server.SearchCall // as one begins
}

// storeLookup finds the file that a provider's file is a copy of.
type storeLookup interface {
	original(providerFileID string) (fileID string, ok bool)
}

// requestBody is the body of POST /responses. What the run's metadata say is the caller's own affair; nothing of the
// answer is kept there, so that they would only be told to somebody.
type requestBody struct {
	Model             string            `json:"model"`
	Instructions      string            `json:"instructions,omitzero"`
	Input             []json.RawMessage `json:"input"`
	Tools             []json.RawMessage `json:"tools,omitzero"`
	ToolChoice        json.RawMessage   `json:"tool_choice,omitzero"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls,omitzero"`
	Text              *textOptions      `json:"text,omitzero"`
	Temperature       *float64          `json:"temperature,omitzero"`
	TopP              *float64          `json:"top_p,omitzero"`
	Reasoning         *reasoningOptions `json:"reasoning,omitzero"`
	MaxOutputTokens   int               `json:"max_output_tokens,omitzero"`
	Include           []string          `json:"include,omitempty"`
	Store             bool              `json:"store"`
	Stream            bool              `json:"stream"`
	StreamOptions     streamOptions     `json:"stream_options"`
	PromptCacheKey    string            `json:"prompt_cache_key,omitzero"`
}

type textOptions struct {
	Format textFormat `json:"format"`
}

type textFormat struct {
	Type        string          `json:"type"`
	Name        string          `json:"name,omitzero"`
	Description string          `json:"description,omitzero"`
	Schema      json.RawMessage `json:"schema,omitzero"`
	Strict      *bool           `json:"strict,omitzero"`
}

type reasoningOptions struct {
	Effort assistants.ReasoningEffort `json:"effort"`
}

type streamOptions struct {
	IncludeObfuscation bool `json:"include_obfuscation"`
}

// What an answer shall include.
const (
	includeResults   = "file_search_call.results"
	includeOutputs   = "code_interpreter_call.outputs"
	includeReasoning = "reasoning.encrypted_content"
)

// ask returns the question for a call.
func (m *Model) ask(ctx context.Context, call *server.ModelCall) (*question, error) {
	q := &question{model: m, call: call, own: provider.OwnTurns(call)}
	q.body = &requestBody{
		Model: call.Model, Instructions: call.Instructions, MaxOutputTokens: call.MaxCompletionTokens,
		Stream: true, PromptCacheKey: call.ThreadID,
	}
	if call.Temperature != 1 {
		q.body.Temperature = &call.Temperature
	}
	if call.TopP != 1 {
		q.body.TopP = &call.TopP
	}
	if call.ReasoningEffort != "" {
		q.body.Reasoning = &reasoningOptions{call.ReasoningEffort}
	}
	q.body.Text = textOf(call.ResponseFormat)
	if err := q.addTools(ctx); err != nil {
		return nil, err
	}
	asksReasoning := m.reasons(call.Model) || call.ReasoningEffort != "" && call.ReasoningEffort != "none"
	if asksReasoning && !m.unreasoning.has(call.Model) {
		q.include(includeReasoning)
	}
	return q, q.addInput(ctx)
}

// textOf returns the form of the answer; nil leaves it to the provider, which is text.
func textOf(f assistants.ResponseFormat) *textOptions {
	switch f.Type {
	case assistants.ResponseFormatText, assistants.ResponseFormatJSONObject:
		return &textOptions{textFormat{Type: string(f.Type)}}
	case assistants.ResponseFormatJSONSchema:
		if s := f.JSONSchema; s != nil {
			schema := s.Schema
			if schema == nil {
				schema = json.RawMessage(`{}`)
			}
			return &textOptions{textFormat{Type: string(f.Type), Name: s.Name, Description: s.Description, Schema: schema, Strict: &s.Strict}}
		}
	}
	return nil
}
