package assistants

import (
	"bytes"
	"encoding/json"
)

// Attributes are information of yours on a file in a vector store, which searches can filter by: up to 16 pairs, keys
// of up to 64 characters.
type Attributes map[string]Attribute

// An Attribute is a string of up to 512 characters, a number or a boolean; [AttributeOf] makes one. The zero
// Attribute is null.
type Attribute struct{ raw string } // JSON

// AttributeOf returns v as an Attribute; an infinity and what is no number become null.
func AttributeOf[T string | bool | int | int64 | float64](v T) Attribute {
	raw, err := json.Marshal(v)
	if err != nil { // infinite, or no number at all
		return Attribute{}
	}
	return Attribute{string(raw)}
}

// String is the value as text: a string without its quotes, else the JSON.
func (a Attribute) String() string {
	var text string
	if json.Unmarshal([]byte(a.raw), &text) == nil && a.raw != "null" {
		return text
	}
	return a.raw
}

// Number returns a number, and whether it is one.
func (a Attribute) Number() (n float64, ok bool) {
	err := json.Unmarshal([]byte(a.raw), &n)
	return n, err == nil && a.raw != "null"
}

// Bool returns a boolean, and whether it is one.
func (a Attribute) Bool() (b, ok bool) { return a.raw == "true", a.raw == "true" || a.raw == "false" }

// MarshalJSON writes the value.
func (a Attribute) MarshalJSON() ([]byte, error) {
	if a.raw == "" {
		return []byte("null"), nil
	}
	return []byte(a.raw), nil
}

// UnmarshalJSON keeps the value, whatever it is.
func (a *Attribute) UnmarshalJSON(data []byte) error {
	a.raw = string(bytes.TrimSpace(data))
	return nil
}
