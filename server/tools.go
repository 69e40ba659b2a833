package server

import (
	"encoding/json"
	"math"
)

// assistantTools are the tools of an assistant; see section 5.2 of
// docs/protocol.md.
var assistantTools = array{plural: "objects", max: 128, item: variants{
	{"code_interpreter", closed{properties: []property{typeKey}}},
	{"function", closed{properties: []property{
		typeKey,
		{key: "function", rule: function, required: true},
	}}},
	{"file_search", closed{properties: []property{
		typeKey,
		{key: "file_search", rule: fileSearch, fill: `{"ranking_options":` + defaultRanking + `}`},
	}}},
}}

var function = closed{properties: []property{
	{key: "name", rule: symbol{}, required: true},
	{key: "description", rule: text{}},
	{key: "parameters", rule: opaque{}, fill: `{"type":"object","properties":{}}`},
	{key: "strict", rule: nullable{boolean{}, "false"}, fill: "false"},
}}

const defaultRanking = `{"ranker":"default_2024_08_21","score_threshold":0.0,"hybrid_search":null}`

var fileSearch = closed{properties: []property{
	{key: "max_num_results", rule: integer{1, 50}},
	{key: "ranking_options", rule: rankingOptions, fill: defaultRanking},
}}

var rankingOptions = closed{properties: []property{
	{key: "ranker", rule: enum{"auto", "default_2024_08_21"}, fill: `"default_2024_08_21"`},
	{key: "score_threshold", rule: decimal{0, 1}, required: true},
	{key: "hybrid_search", rule: nullable{hybridSearch, "null"}, fill: "null"},
}}

// hybridSearch is how much two ways to search count. That both are needed is inferred.
var hybridSearch = closed{properties: []property{
	{key: "embedding_weight", rule: decimal{0, math.MaxInt32}, required: true},
	{key: "text_weight", rule: decimal{0, math.MaxInt32}, required: true},
}}

// responseFormat is "auto" or an object; see section 5.3 of docs/protocol.md.
type responseFormat struct{}

func (responseFormat) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	switch got := kindOf(raw); got {
	case kindString:
		return enum{"auto"}.check(path, raw)
	case kindObject:
		return responseFormats.check(path, raw)
	default:
		return nil, errWordOrObject(path, string(got))
	}
}

// errWordOrObject is inferred: the text for a value that may be of two
// types.
func errWordOrObject(path, got string) *apiError {
	return errType(path, "one of a string or an object", got)
}

var responseFormats = variants{
	{"text", closed{properties: []property{typeKey}}},
	{"json_object", closed{properties: []property{typeKey}}},
	{"json_schema", closed{properties: []property{
		typeKey,
		{key: "json_schema", rule: jsonSchema, required: true},
	}}},
}

var jsonSchema = closed{properties: []property{
	{key: "name", rule: symbol{}, required: true},
	{key: "description", rule: text{}},
	{key: "schema", rule: opaque{}},
	{key: "strict", rule: nullable{boolean{}, "false"}},
}}
