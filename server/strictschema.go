package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits of strict schemas. Each level of a schema is scanned once more than the
// one around it, and the keys of a level are kept while the ones inside it are
// looked at.
const (
	maxSchemaDepth = 64
	maxSchemaBytes = 1 << 20
)

// strictViolation returns what keeps a schema from being a strict one, in the
// words of the protocol, or "": each object must forbid additional properties
// and require all that it has. See section 5.4 of docs/protocol.md. A schema is
// judged before the schemas inside it, and those in the order in which they
// stand.
func strictViolation(schema json.RawMessage) string {
	if len(schema) > maxSchemaBytes {
		return schemaTooLarge()
	}
	return strictSchema{}.violation(schema)
}

// strictSchema is the way down to the schema that is being looked at.
type strictSchema []string

func (s strictSchema) violation(raw json.RawMessage) string {
	if kindOf(raw) != kindObject {
		return "" // true and false are schemas too
	}
	if len(s) > 2*maxSchemaDepth { // two steps a level: properties, name
		return schemaTooLarge()
	}
	schema := splitObject(raw)
	if reason := s.objectViolation(schema); reason != "" {
		return reason
	}
	for _, m := range schema {
		if reason := s.nestedViolation(m); reason != "" {
			return reason
		}
	}
	return ""
}

// objectViolation looks at one schema alone.
func (s strictSchema) objectViolation(schema object) string {
	properties := schema.get("properties")
	if !describesObject(schema.get("type")) && properties == nil {
		return ""
	}
	if string(schema.get("additionalProperties")) != "false" {
		return s.context() + "'additionalProperties' is required to be supplied and to be false."
	}
	return s.requiredViolation(properties, schema.get("required"))
}

// requiredViolation compares the names of the properties with those required.
func (s strictSchema) requiredViolation(properties, required json.RawMessage) string {
	const rule = "'required' is required to be supplied and to be an array including every key in properties. "
	names := membersOf(properties)
	demanded := make(map[string]bool, len(names))
	for _, name := range stringsOf(required) {
		demanded[name] = true
	}
	for _, m := range names {
		if !demanded[m.key] {
			return s.context() + rule + "Missing " + quotePython(echo(m.key)) + "."
		}
		delete(demanded, m.key)
	}
	if extra := slices.Sorted(maps.Keys(demanded)); len(extra) > 0 {
		return s.context() + rule + "Extra required key " + quotePython(echo(extra[0])) + " supplied."
	}
	return ""
}

// nestedViolation looks at the schemas that one keyword holds.
func (s strictSchema) nestedViolation(keyword keyValue) string {
	inside := s.enter(keyword.key)
	switch keyword.key {
	case "items":
		return inside.violation(keyword.value)
	case "properties", "$defs", "definitions":
		for _, m := range membersOf(keyword.value) {
			if reason := inside.enter(m.key).violation(m.value); reason != "" {
				return reason
			}
		}
	case "anyOf":
		for i, item := range itemsOf(keyword.value) {
			if reason := inside.enter(strconv.Itoa(i)).violation(item); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func (s strictSchema) enter(step string) strictSchema { return append(slices.Clip(s), step) }

// context renders the way down as the protocol does, as a Python tuple.
func (s strictSchema) context() string {
	steps := make([]string, len(s))
	for i, step := range s {
		steps[i] = quotePython(echo(step))
	}
	tuple := strings.Join(steps, ", ")
	if len(steps) == 1 {
		tuple += ","
	}
	return "In context=(" + tuple + "), "
}

// schemaTooLarge is inferred.
func schemaTooLarge() string {
	return fmt.Sprintf("The schema is larger than %d bytes or nested deeper than %d levels.", maxSchemaBytes, maxSchemaDepth)
}

// describesObject tells whether the type keyword of a schema is or includes
// "object".
func describesObject(typ json.RawMessage) bool {
	return string(typ) == `"object"` || slices.Contains(stringsOf(typ), "object")
}

// The schema is whatever the caller sent; what is not of the type that a keyword
// should have counts as empty.

func membersOf(raw json.RawMessage) object {
	if raw == nil || kindOf(raw) != kindObject {
		return nil
	}
	return splitObject(raw)
}

func itemsOf(raw json.RawMessage) []json.RawMessage {
	if raw == nil || kindOf(raw) != kindArray {
		return nil
	}
	return slices.Collect(eachItem(raw))
}

func stringsOf(raw json.RawMessage) []string {
	var out []string
	for _, item := range itemsOf(raw) {
		if kindOf(item) == kindString {
			out = append(out, decodeString(item))
		}
	}
	return out
}
