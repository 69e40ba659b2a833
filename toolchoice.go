package assistants

import (
	"encoding/json"
	"fmt"
)

// A ToolChoice says whether the model may or must use tools. An empty Type is inferred from Function when sending;
// the zero ToolChoice is not sent.
//
// The wire has a word for [ToolChoiceNone], [ToolChoiceAuto] and [ToolChoiceRequired] and an object for the others.
// A choice that this package does not know keeps its JSON: what was read is sent back whole.
type ToolChoice struct {
	Type ToolChoiceType `json:"type"`
	// Function belongs to [ToolChoiceFunction]: the one that must be called.
	Function *FunctionChoice `json:"function,omitzero"`

	raw string // JSON of a choice that is unknown here
}

// A ToolChoiceType names a choice.
type ToolChoiceType string

// Choices of tools. One that is forced counts for the run's first call of the model.
const (
	// ToolChoiceNone allows no tool.
	ToolChoiceNone ToolChoiceType = "none"
	// ToolChoiceAuto leaves it to the model.
	ToolChoiceAuto ToolChoiceType = "auto"
	// ToolChoiceRequired makes the model use one or more tools before it answers.
	ToolChoiceRequired ToolChoiceType = "required"
	// ToolChoiceFunction makes it call a function.
	ToolChoiceFunction ToolChoiceType = "function"
	// ToolChoiceCodeInterpreter makes it use the code interpreter.
	ToolChoiceCodeInterpreter ToolChoiceType = "code_interpreter"
	// ToolChoiceFileSearch makes it search files.
	ToolChoiceFileSearch ToolChoiceType = "file_search"
)

// A FunctionChoice names a function.
type FunctionChoice struct {
	Name string `json:"name"` // of one of the run's tools
}

// MarshalJSON writes the word, or the object.
func (c ToolChoice) MarshalJSON() ([]byte, error) {
	if c.raw != "" && !c.Type.known() {
		return []byte(c.raw), nil
	}
	typ, err := resolve("tool choice", c.Type, variant[ToolChoiceType]{ToolChoiceFunction, c.Function != nil})
	if err != nil {
		return nil, err
	}
	switch {
	case typ == ToolChoiceNone || typ == ToolChoiceAuto || typ == ToolChoiceRequired:
		return json.Marshal(typ)
	case typ == ToolChoiceFunction && c.Function == nil:
		return nil, fmt.Errorf("tool choice of type %q does not say which function", typ)
	}
	type wire ToolChoice // without this method
	c.Type = typ
	return json.Marshal(wire(c))
}

// UnmarshalJSON reads a word or an object.
func (c *ToolChoice) UnmarshalJSON(data []byte) error {
	if string(data) == `"auto"` { // as in most runs
		*c = ToolChoice{Type: ToolChoiceAuto}
		return nil
	}
	type wire ToolChoice // without this method
	*c = ToolChoice{}
	raw, err := wordOrObject(data, &c.Type, (*wire)(c))
	if raw != "" {
		*c = ToolChoice{Type: c.Type, raw: raw}
	}
	return err
}

func (t ToolChoiceType) known() bool {
	switch t {
	case ToolChoiceNone, ToolChoiceAuto, ToolChoiceRequired,
		ToolChoiceFunction, ToolChoiceCodeInterpreter, ToolChoiceFileSearch:
		return true
	}
	return false
}
