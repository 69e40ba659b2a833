package assistants

import (
	"encoding/json"
	"fmt"
)

// A ResponseFormat is what the model's answers must be. An empty Type is inferred from JSONSchema when sending; the
// zero ResponseFormat is not sent.
//
// The wire has a word for [ResponseFormatAuto] and an object for the others. A format that this package does not
// know keeps its JSON: what was read is sent back whole.
//
// Reference: https://platform.openai.com/docs/guides/structured-outputs
type ResponseFormat struct {
	Type ResponseFormatType `json:"type"`
	// JSONSchema belongs to [ResponseFormatJSONSchema].
	JSONSchema *JSONSchema `json:"json_schema,omitzero"`

	raw string // JSON of a format that is unknown here
}

// A ResponseFormatType names a format.
type ResponseFormatType string

// Formats of answers.
const (
	// ResponseFormatAuto leaves it to the service: text.
	ResponseFormatAuto ResponseFormatType = "auto"
	// ResponseFormatText is text of any form.
	ResponseFormatText ResponseFormatType = "text"
	// ResponseFormatJSONObject is any JSON object. The instructions must ask for JSON too.
	ResponseFormatJSONObject ResponseFormatType = "json_object"
	// ResponseFormatJSONSchema is JSON that follows a schema.
	ResponseFormatJSONSchema ResponseFormatType = "json_schema"
)

// A JSONSchema is the schema that answers follow.
type JSONSchema struct {
	// Name has up to 64 letters, digits, underscores and dashes.
	Name string `json:"name"`
	// Description tells the model what the format is for.
	Description string `json:"description,omitzero"`
	// Schema is a JSON Schema. nil leaves it out.
	Schema json.RawMessage `json:"schema,omitzero"`
	// Strict makes the model keep to the schema exactly. Schemas are then a subset of JSON Schema: every property is
	// required and additionalProperties is false.
	Strict bool `json:"strict,omitzero"`
}

// MarshalJSON writes the word, or the object.
func (f ResponseFormat) MarshalJSON() ([]byte, error) {
	if f.raw != "" && !f.Type.known() {
		return []byte(f.raw), nil
	}
	typ, err := resolve("response format", f.Type, variant[ResponseFormatType]{ResponseFormatJSONSchema, f.JSONSchema != nil})
	if err != nil {
		return nil, err
	}
	switch {
	case typ == ResponseFormatAuto:
		return json.Marshal(typ)
	case typ == ResponseFormatJSONSchema && f.JSONSchema == nil:
		return nil, fmt.Errorf("response format of type %q has no schema", typ)
	}
	type wire ResponseFormat // without this method
	f.Type = typ
	return json.Marshal(wire(f))
}

// UnmarshalJSON reads a word or an object.
func (f *ResponseFormat) UnmarshalJSON(data []byte) error {
	if string(data) == `"auto"` { // as in most assistants and runs
		*f = ResponseFormat{Type: ResponseFormatAuto}
		return nil
	}
	type wire ResponseFormat // without this method
	*f = ResponseFormat{}
	raw, err := wordOrObject(data, &f.Type, (*wire)(f))
	if raw != "" {
		*f = ResponseFormat{Type: f.Type, raw: raw}
	}
	return err
}

func (t ResponseFormatType) known() bool {
	switch t {
	case ResponseFormatAuto, ResponseFormatText, ResponseFormatJSONObject, ResponseFormatJSONSchema:
		return true
	}
	return false
}
