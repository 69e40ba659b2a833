package server

import (
	"encoding/json"
	"slices"
)

// Tool resources: section 5.5 of docs/protocol.md.

var createToolResources = closed{properties: []property{
	{key: "code_interpreter", rule: codeInterpreterResources},
	{key: "file_search", rule: closed{
		properties: []property{
			{key: "vector_store_ids", rule: vectorStoreIDs},
			{key: "vector_stores", rule: array{plural: "objects", max: 1, item: helperStore}},
		},
		final: checkOneStore,
	}},
}}

var modifyToolResources = closed{properties: []property{
	{key: "code_interpreter", rule: codeInterpreterResources},
	{key: "file_search", rule: closed{properties: []property{
		{key: "vector_store_ids", rule: vectorStoreIDs, fill: "[]"},
	}}},
}}

// maxCodeFiles is how many files the code interpreter has, of an assistant and of a thread each.
const maxCodeFiles = 20

var codeInterpreterResources = closed{properties: []property{
	{key: "file_ids", rule: array{plural: "strings", max: maxCodeFiles, item: text{min: 1}}, fill: "[]"},
}}

var vectorStoreIDs = array{plural: "strings", max: 1, item: identifier{prefixVectorStore}}

func checkOneStore(path string, o object) *apiError {
	if o.get("vector_store_ids") != nil && o.get("vector_stores") != nil {
		return errExclusive(path, "vector_store_ids", "vector_stores")
	}
	return nil
}

// toolResourceOf are the tools that have resources, in the order in which those
// are answered, and the resources of a tool that was given none.
var toolResourceOf = []struct{ tool, empty string }{
	{"code_interpreter", `{"file_ids":[]}`},
	{"file_search", `{"vector_store_ids":[]}`},
}

// mirrorTools returns the resources that are answered beside these tools. That a
// tool without resources gets empty ones is known. It is inferred that resources
// without their tool stay, if there is something in them.
func mirrorTools(tools, resources json.RawMessage) json.RawMessage {
	present := toolTypes(tools)
	given := splitObject(resources)
	var out object
	for _, t := range toolResourceOf {
		value, used := given.get(t.tool), slices.Contains(present, t.tool)
		switch {
		case value == nil && used:
			out = append(out, keyValue{t.tool, json.RawMessage(t.empty)})
		case value != nil && (used || string(value) != t.empty):
			out = append(out, keyValue{t.tool, value})
		}
	}
	return out.render()
}

func toolTypes(tools json.RawMessage) []string {
	var types []string
	for tool := range eachItem(tools) {
		types = append(types, decodeString(splitObject(tool).get("type")))
	}
	return types
}

// mergeToolResources returns the resources after a modification. Null takes all
// of them away. It is inferred that otherwise the resources of each tool that is
// named are replaced as a whole, and those of the other tools stay.
func mergeToolResources(old, given json.RawMessage) json.RawMessage {
	if kindOf(given) == kindNull {
		return json.RawMessage("{}")
	}
	merged := splitObject(old)
	for key, value := range eachMember(given) {
		merged.set(key, value)
	}
	return merged.render()
}
