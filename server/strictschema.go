package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits of strict schemas. They bound the work and the memory that a body can
// cause: a schema that is judged takes many times its size.
const (
	maxSchemaBytes  = 128 << 10
	maxSchemasBytes = 1 << 20 // all strict schemas of a body
	maxSchemaDepth  = 64      // schemas inside schemas
)

// checkStrictSchemas judges the schemas of a body, compact and good in all other
// respects, that are said to be strict; see section 5.4 of docs/protocol.md. This is
// not one of the rules of the values, because it counts over the whole body.
func checkStrictSchemas(body json.RawMessage) *apiError {
	left := maxSchemasBytes
	given := splitObject(body)
	for i, tool := range itemsOf(given.get("tools")) {
		function := membersOf(splitObject(tool).get("function"))
		if reason := strictViolation(function, "parameters", &left); reason != "" {
			return errFunctionSchema(element("tools", i)+".function.parameters", decodeString(function.get("name")), reason)
		}
	}
	format := membersOf(membersOf(given.get("response_format")).get("json_schema"))
	if reason := strictViolation(format, "schema", &left); reason != "" {
		return errFormatSchema(decodeString(format.get("name")), reason)
	}
	return nil
}

// strictViolation returns what keeps the schema under a key from being a strict
// one, in the words of the protocol, or "": each object must forbid additional
// properties and require all that it has. A schema is judged before the schemas
// inside it, and those in the order in which they stand. Left are the bytes that
// schemas may still have.
func strictViolation(holder object, key string, left *int) string {
	schema := holder.get(key)
	if schema == nil || string(holder.get("strict")) != "true" {
		return ""
	}
	*left -= len(schema)
	if len(schema) > maxSchemaBytes || *left < 0 {
		return schemaTooLarge()
	}
	whole, _ := growTree(schema, 0)
	return strictSchema{depth: 1}.violation(whole)
}

// strictSchema is the place of the schema that is being looked at.
type strictSchema struct {
	way   []string // down to it
	depth int      // how many schemas there are on the way, with itself
}

func (s strictSchema) violation(schema *tree) string {
	if schema.kind != kindObject {
		return "" // true and false are schemas too
	}
	if s.depth > maxSchemaDepth {
		return schemaTooLarge()
	}
	if reason := s.objectViolation(schema); reason != "" {
		return reason
	}
	for _, keyword := range schema.keys {
		if reason := s.nestedViolation(keyword, schema.members[keyword]); reason != "" {
			return reason
		}
	}
	return ""
}

// objectViolation looks at one schema alone.
func (s strictSchema) objectViolation(schema *tree) string {
	properties := schema.members["properties"]
	if properties == nil && !schema.members["type"].isOrHas("object") {
		return ""
	}
	if additional := schema.members["additionalProperties"]; additional == nil || string(additional.raw) != "false" {
		return s.context() + "'additionalProperties' is required to be supplied and to be false."
	}
	return s.requiredViolation(properties.names(), schema.members["required"].texts())
}

// requiredViolation compares the names of the properties with those required.
func (s strictSchema) requiredViolation(names, required []string) string {
	const rule = "'required' is required to be supplied and to be an array including every key in properties. "
	demanded := make(map[string]bool, len(required))
	for _, name := range required {
		demanded[name] = true
	}
	for _, name := range names {
		if !demanded[name] {
			return s.context() + rule + "Missing " + quotePython(echo(name)) + "."
		}
		delete(demanded, name)
	}
	if extra := slices.Sorted(maps.Keys(demanded)); len(extra) > 0 {
		return s.context() + rule + "Extra required key " + quotePython(echo(extra[0])) + " supplied."
	}
	return ""
}

// nestedViolation looks at the schemas that one keyword holds.
func (s strictSchema) nestedViolation(keyword string, value *tree) string {
	switch keyword {
	case "items":
		return s.enter(keyword).violation(value)
	case "properties", "$defs", "definitions":
		for _, name := range value.keys {
			if reason := s.enter(keyword, name).violation(value.members[name]); reason != "" {
				return reason
			}
		}
	case "anyOf":
		for i, item := range value.items {
			if reason := s.enter(keyword, strconv.Itoa(i)).violation(item); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// enter returns the place of a schema inside. Neighbours use the same memory for
// the end of their ways, one after the other: nobody keeps a way for longer.
func (s strictSchema) enter(steps ...string) strictSchema {
	return strictSchema{way: append(s.way, steps...), depth: s.depth + 1}
}

// context renders the way down as the protocol does, as a Python tuple.
func (s strictSchema) context() string {
	steps := make([]string, len(s.way))
	for i, step := range s.way {
		steps[i] = quotePython(echo(step))
	}
	tuple := echo(strings.Join(steps, ", "))
	if len(steps) == 1 {
		tuple += ","
	}
	return "In context=(" + tuple + "), "
}

// schemaTooLarge is inferred.
func schemaTooLarge() string {
	return fmt.Sprintf("The schema is nested deeper than %d levels, larger than %d bytes, "+
		"or larger than %d bytes together with the schemas before it.", maxSchemaDepth, maxSchemaBytes, maxSchemasBytes)
}
