package assistants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A Tool is something that an assistant can use. Type says which, and the field of that name holds its settings. When
// sending, an empty Type is inferred from the field that is set; fields that contradict Type are an error of the
// call.
//
// A tool of a type that this package does not know, in the answer of a call, keeps its JSON and is sent back as it
// came; one that encoding/json decoded elsewhere keeps its type only. [RawTool] makes one.
type Tool struct {
	Type       ToolType            `json:"type"`
	Function   *FunctionDefinition `json:"function,omitzero"`    // of ToolFunction; needed
	FileSearch *FileSearchOptions  `json:"file_search,omitzero"` // of ToolFileSearch; nil: the service's settings

	raw json.RawMessage
}

// A ToolType names a kind of tool.
type ToolType string

// Types of tools.
const (
	// ToolCodeInterpreter lets the model write and run Python.
	ToolCodeInterpreter ToolType = "code_interpreter"
	// ToolFileSearch lets the model search vector stores.
	ToolFileSearch ToolType = "file_search"
	// ToolFunction lets the model ask for a call of a function of yours.
	ToolFunction ToolType = "function"
	// ToolMCP is a server of the Model Context Protocol, on Foundry: [RawTool] makes one.
	ToolMCP ToolType = "mcp"
	// ToolRetrieval was file search in v1; see [BetaV1].
	ToolRetrieval ToolType = "retrieval"
)

// A FunctionDefinition describes a function that the model may ask for.
type FunctionDefinition struct {
	// Name has up to 64 letters, digits, underscores and dashes.
	Name string `json:"name"`
	// Description tells the model what the function does and when to call it.
	Description string `json:"description,omitzero"`
	// Parameters are a JSON Schema of the arguments. nil is a function without any.
	Parameters json.RawMessage `json:"parameters,omitzero"`
	// Strict makes the model keep to the schema exactly. Schemas are then a subset of JSON Schema: every property is
	// required and additionalProperties is false.
	Strict bool `json:"strict,omitzero"`
}

// FileSearchOptions are settings of the file search tool.
type FileSearchOptions struct {
	// MaxNumResults is 1 to 50. 0 leaves it to the service: 20 for gpt-4 models, 5 for gpt-3.5-turbo.
	MaxNumResults int `json:"max_num_results,omitzero"`
	// RankingOptions are the service's if nil.
	RankingOptions *RankingOptions `json:"ranking_options,omitzero"`
}

// RankingOptions say which results of a search count.
type RankingOptions struct {
	// Ranker is "auto" if empty; the service also knows "default_2024_08_21".
	Ranker string `json:"ranker,omitzero"`
	// ScoreThreshold is 0 to 1; results below it are dropped.
	ScoreThreshold float64 `json:"score_threshold"`
	// HybridSearch weighs meaning against words, where the service offers it.
	HybridSearch *HybridSearch `json:"hybrid_search,omitzero"`
}

// HybridSearch are the weights of the two halves of a search.
type HybridSearch struct {
	EmbeddingWeight float64 `json:"embedding_weight"` // of meaning
	TextWeight      float64 `json:"text_weight"`      // of words
}

// RawTool returns a tool of any type from its JSON, an object with a "type": for tools of compatible servers, such as
// Foundry's. Invalid JSON is an error of the call that sends it.
func RawTool(raw json.RawMessage) Tool {
	var head struct {
		Type ToolType `json:"type"`
	}
	_ = json.Unmarshal(raw, &head) // MarshalJSON reports what is wrong
	return Tool{Type: head.Type, raw: bytes.Clone(raw)}
}

// RawJSON returns the JSON of a tool that was read and is of a type unknown here, or of one that [RawTool] made; nil
// for others.
func (t Tool) RawJSON() json.RawMessage { return bytes.Clone(t.raw) }

// MarshalJSON writes the tool with its type.
func (t Tool) MarshalJSON() ([]byte, error) {
	if t.raw != nil {
		return t.marshalRaw()
	}
	typ, err := resolve("tool", t.Type,
		variant[ToolType]{ToolFunction, t.Function != nil},
		variant[ToolType]{ToolFileSearch, t.FileSearch != nil})
	if err != nil {
		return nil, err
	}
	if typ == ToolFunction && t.Function == nil {
		return nil, fmt.Errorf("tool of type %q does not say which function", typ)
	}
	type wire Tool // without this method
	t.Type = typ
	return json.Marshal(wire(t))
}

func (t Tool) marshalRaw() ([]byte, error) {
	switch raw := RawTool(t.raw); {
	case raw.Type == "":
		return nil, errors.New("raw tool is no JSON object with a type")
	case raw.Type != t.Type || t.Function != nil || t.FileSearch != nil:
		return nil, fmt.Errorf("tool has the JSON of type %q and fields that contradict it", raw.Type)
	}
	return t.raw, nil
}

// known reports whether the fields of a [Tool] and of a [ToolCall] of the type are here.
func (t ToolType) known() bool {
	switch t {
	case ToolCodeInterpreter, ToolFileSearch, ToolFunction, ToolRetrieval:
		return true
	}
	return false
}

// unknown reports whether the fields of t do not say all of it.
func (t *Tool) unknown() bool { return !t.Type.known() && t.raw == nil }

func hasUnknownTool(tools []Tool) bool {
	for i := range tools {
		if tools[i].unknown() {
			return true
		}
	}
	return false
}

// keepUnknownTools finds the tools again in the object they were decoded from.
func keepUnknownTools(tools []Tool, object []byte) error {
	var found struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if err := json.Unmarshal(object, &found); err != nil {
		return err
	}
	for i := range tools {
		if tools[i].unknown() && i < len(found.Tools) {
			tools[i] = Tool{Type: tools[i].Type, raw: bytes.Clone(found.Tools[i])}
		}
	}
	return nil
}
