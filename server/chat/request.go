package chat

import (
	"encoding/json"
	"fmt"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// message is one of a request's.
type message struct {
	Role       string     `json:"role"`
	Content    content    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitzero"`
	ToolCallID string     `json:"tool_call_id,omitzero"`
}

// content is a text, parts, or null: what an assistant said that has only called functions.
type content struct {
	text  string
	parts []part
	null  bool
}

func (c content) MarshalJSON() ([]byte, error) {
	switch {
	case c.null:
		return []byte("null"), nil
	case c.parts != nil:
		return json.Marshal(c.parts)
	}
	return json.Marshal(c.text)
}

// part is a part of what a user said: text or an image.
type part struct {
	Type     string    `json:"type"`
	Text     string    `json:"text,omitzero"`
	ImageURL *imageURL `json:"image_url,omitzero"`
}

type imageURL struct {
	URL    string                 `json:"url"`
	Detail assistants.ImageDetail `json:"detail,omitzero"`
}

// toolCall is a call of a function, as it is given back to the model that has made it.
type toolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function calledByName `json:"function"`
}

type calledByName struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// request is what a provider is asked.
type request struct {
	Model               string                     `json:"model"`
	Messages            []message                  `json:"messages"`
	Tools               []assistants.Tool          `json:"tools,omitzero"`
	ToolChoice          *assistants.ToolChoice     `json:"tool_choice,omitzero"`
	ParallelToolCalls   *bool                      `json:"parallel_tool_calls,omitzero"`
	ResponseFormat      *assistants.ResponseFormat `json:"response_format,omitzero"`
	Temperature         *float64                   `json:"temperature,omitzero"`
	TopP                *float64                   `json:"top_p,omitzero"`
	ReasoningEffort     assistants.ReasoningEffort `json:"reasoning_effort,omitzero"`
	MaxCompletionTokens int                        `json:"max_completion_tokens,omitzero"`
	MaxTokens           int                        `json:"max_tokens,omitzero"`
	Stream              bool                       `json:"stream"`
	StreamOptions       *streamOptions             `json:"stream_options,omitzero"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// request returns what is asked next. In the last request tools are there, as they are in what the model has said,
// but none may be used: servers refuse calls in the history of a request that has no tools.
func (a *answer) request(last bool) *request {
	r := &request{
		Model: a.call.Model, Messages: a.messages, ReasoningEffort: a.call.ReasoningEffort, Stream: true,
		Tools: a.tools.offered(), StreamOptions: &streamOptions{IncludeUsage: true},
	}
	if a.model.limit == "max_tokens" {
		r.MaxTokens = a.completionLeft
	} else {
		r.MaxCompletionTokens = a.completionLeft
	}
	if t := a.call.Temperature; t != 1 {
		r.Temperature = &t
	}
	if p := a.call.TopP; p != 1 {
		r.TopP = &p
	}
	if f := a.call.ResponseFormat; f.Type != "" && f.Type != assistants.ResponseFormatAuto {
		r.ResponseFormat = &f
	}
	if len(r.Tools) > 0 {
		r.ToolChoice = a.tools.choice(a.call.ToolChoice, a.asked == 0)
		if last {
			r.ToolChoice = &assistants.ToolChoice{Type: assistants.ToolChoiceNone}
		}
		if !a.call.ParallelToolCalls {
			r.ParallelToolCalls = new(bool)
		}
	}
	return r
}

// tools are what the provider's model is offered.
type tools struct {
	functions []assistants.Tool // of the run
	names     map[string]bool   // theirs
	search    string            // the name of the function that searches files; "": none
	code      string            // the name of the function that runs code; "": none
	own       []assistants.Tool
}

// newTools has the names of functions that stand for own tools differ from those of the caller's functions.
func (a *answer) newTools() tools {
	t := tools{names: map[string]bool{}}
	for i := range a.call.Tools {
		if f := a.call.Tools[i].Function; f != nil {
			t.functions = append(t.functions, a.call.Tools[i])
			t.names[f.Name] = true
		}
	}
	free := func(name string) string {
		found := name
		for n := 2; t.names[found]; n++ {
			found = fmt.Sprintf("%s_%d", name, n)
		}
		return found
	}
	for i := range a.call.Tools {
		switch kind := provider.ToolType(&a.call.Tools[i]); {
		case a.model.ignores(kind):
		case kind == assistants.ToolFileSearch && t.search == "" && a.hasStores():
			t.search = free(searchName)
			t.own = append(t.own, searchTool(t.search))
		case kind == assistants.ToolCodeInterpreter && t.code == "":
			t.code = free(codeName)
			t.own = append(t.own, codeTool(t.code))
		}
	}
	return t
}

func (t *tools) offered() []assistants.Tool {
	return append(t.functions[:len(t.functions):len(t.functions)], t.own...)
}

// sorted returns the calls that are answered here, those of own tools and of functions that the run does not have,
// and those of the caller's functions.
func (t *tools) sorted(made []madeCall) (own, functions []*madeCall) {
	for i := range made {
		if t.names[made[i].Name] {
			functions = append(functions, &made[i])
		} else {
			own = append(own, &made[i])
		}
	}
	return own, functions
}

// choice returns the choice of a tool as it is sent; nil is auto. One that forces a tool counts for the first request
// only, or there would never be an answer.
func (t *tools) choice(c assistants.ToolChoice, first bool) *assistants.ToolChoice {
	forced := ""
	switch c.Type {
	case assistants.ToolChoiceNone:
		return &c
	case assistants.ToolChoiceRequired, assistants.ToolChoiceFunction:
		if first {
			return &c
		}
	case assistants.ToolChoiceFileSearch:
		forced = t.search
	case assistants.ToolChoiceCodeInterpreter:
		forced = t.code
	}
	if forced == "" || !first {
		return nil
	}
	return &assistants.ToolChoice{Type: assistants.ToolChoiceFunction, Function: &assistants.FunctionChoice{Name: forced}}
}
