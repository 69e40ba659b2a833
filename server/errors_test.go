package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

// invalidBody is a body that is refused with status 400.
type invalidBody struct {
	body                 string
	message, param, code string
}

func (tc invalidBody) check(t *testing.T, a *api, target string) {
	t.Helper()
	got := a.do("POST", target, tc.body)
	assert.Equal(t, 400, got.status, tc.body)
	assert.Equal(t, envelope(tc.message, requestError, tc.param, tc.code), got.body, tc.body)
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	const notJSON = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
		"library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble " +
		"figuring out how to fix this, please contact us through our help center at help.openai.com.)"
	a := newAPI(t)
	for _, body := range []string{
		"{", "nope", `{"model":"m"} x`, `{"model":"m"}{}`, `{"model":"m",}`, "{'model':'m'}", "\xef\xbb\xbf{}",
		"{\"model\":\"\xff\"}", "{\"model\":\"a\x00b\"}", "\x00", `{"model":01}`, `{"model":"\x"}`,
		`{"model":"m","metadata":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
	} {
		invalidBody{body, notJSON, "", ""}.check(t, a, "/v1/assistants")
	}
	for body, got := range map[string]string{
		"[]": "an array", "null": "null", `"x"`: "a string", "1": "an integer", "1.5": "a decimal number", " true ": "a boolean",
	} {
		invalidBody{body, "Invalid type for request body: expected an object, but got " + got + " instead.", "", "invalid_type"}.
			check(t, a, "/v1/assistants")
	}
	for _, body := range []string{"", " \n\t", "{}"} {
		invalidBody{body, "Missing required parameter: 'model'.", "model", "missing_required_parameter"}.
			check(t, a, "/v1/assistants")
	}
}

func wrongType(path, want, got string) invalidBody {
	return invalidBody{
		message: fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", path, want, got),
		param:   path, code: "invalid_type",
	}
}

func (tc invalidBody) in(body string) invalidBody { tc.body = body; return tc }

func TestWrongTypes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []invalidBody{
		wrongType("model", "a string", "null").in(`{"model":null}`),
		wrongType("model", "a string", "an array").in(`{"model":[]}`),
		wrongType("name", "a string", "an integer").in(`{"model":"m","name":1}`),
		wrongType("description", "a string", "a decimal number").in(`{"model":"m","description":1e3}`),
		wrongType("instructions", "a string", "an object").in(`{"model":"m","instructions":{}}`),
		wrongType("tools", "an array of objects", "a string").in(`{"model":"m","tools":"x"}`),
		wrongType("tools", "an array of objects", "null").in(`{"model":"m","tools":null}`),
		wrongType("tools[1]", "an object", "null").in(`{"model":"m","tools":[{"type":"code_interpreter"},null]}`),
		wrongType("tools[0].type", "one of 'code_interpreter', 'function', or 'file_search'", "null").
			in(`{"model":"m","tools":[{"type":null}]}`),
		wrongType("tools[0].function", "an object", "a boolean").in(`{"model":"m","tools":[{"type":"function","function":true}]}`),
		wrongType("tools[0].function.name", "a string", "null").
			in(`{"model":"m","tools":[{"type":"function","function":{"name":null}}]}`),
		wrongType("tools[0].function.parameters", "an object", "a string").
			in(`{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":"{}"}}]}`),
		wrongType("tools[0].function.strict", "a boolean", "a string").
			in(`{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":"true"}}]}`),
		wrongType("tools[0].file_search.max_num_results", "an integer", "a decimal number").
			in(`{"model":"m","tools":[{"type":"file_search","file_search":{"max_num_results":5.0}}]}`),
		wrongType("tools[0].file_search.ranking_options.score_threshold", "a decimal number", "a string").
			in(`{"model":"m","tools":[{"type":"file_search","file_search":{"ranking_options":{"score_threshold":"0.5"}}}]}`),
		wrongType("tools[0].file_search.ranking_options.hybrid_search", "an object", "an array").
			in(`{"model":"m","tools":[{"type":"file_search","file_search":{"ranking_options":{"score_threshold":0,"hybrid_search":[]}}}]}`),
		wrongType("tool_resources", "an object", "an array").in(`{"model":"m","tool_resources":[]}`),
		wrongType("tool_resources.code_interpreter.file_ids", "an array of strings", "a string").
			in(`{"model":"m","tool_resources":{"code_interpreter":{"file_ids":"file-1"}}}`),
		wrongType("tool_resources.file_search.vector_stores", "an array of objects", "an object").
			in(`{"model":"m","tool_resources":{"file_search":{"vector_stores":{}}}}`),
		wrongType("metadata", "an object", "a string").in(`{"model":"m","metadata":"x"}`),
		wrongType("metadata.modified", "a string", "a boolean").in(`{"model":"m","metadata":{"modified":true}}`),
		wrongType("metadata.k", "a string", "null").in(`{"model":"m","metadata":{"k":null}}`),
		wrongType("temperature", "a decimal number", "a string").in(`{"model":"m","temperature":"1"}`),
		wrongType("top_p", "a decimal number", "a boolean").in(`{"model":"m","top_p":false}`),
		wrongType("response_format", "one of a string or an object", "an integer").in(`{"model":"m","response_format":1}`),
		wrongType("reasoning_effort", "one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', or 'max'", "an integer").
			in(`{"model":"m","reasoning_effort":1}`),
	} {
		tc.check(t, a, "/v1/assistants")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	unknown := func(path, body string) invalidBody {
		return invalidBody{body, "Unknown parameter: '" + path + "'.", path, "unknown_parameter"}
	}
	missing := func(path, body string) invalidBody {
		return invalidBody{body, "Missing required parameter: '" + path + "'.", path, "missing_required_parameter"}
	}
	for _, tc := range []invalidBody{
		unknown("file_ids", `{"model":1,"zeta":1,"file_ids":[]}`),
		unknown("tools[0].file_search", `{"model":"m","tools":[{"file_search":{},"type":"code_interpreter"}]}`),
		unknown("tools[0].function.extra", `{"model":"m","tools":[{"type":"function","function":{"extra":1}}]}`),
		unknown("tool_resources.file_search.file_ids", `{"model":"m","tool_resources":{"file_search":{"file_ids":[]}}}`),
		unknown("response_format.json_schema", `{"model":"m","response_format":{"type":"text","json_schema":{}}}`),
		unknown(strings.Repeat("k", 512)+"…", `{"model":"m","`+strings.Repeat("k", 5000)+`":1}`),
		missing("model", `{"name":1}`),
		missing("tools[0].type", `{"model":"m","tools":[{}]}`),
		missing("tools[0].function", `{"model":"m","tools":[{"type":"function"}]}`),
		missing("tools[0].function.name", `{"model":"m","tools":[{"type":"function","function":{}}]}`),
		missing("tools[0].file_search.ranking_options.score_threshold",
			`{"model":"m","tools":[{"type":"file_search","file_search":{"ranking_options":{"ranker":"auto"}}}]}`),
		missing("response_format.type", `{"model":"m","response_format":{}}`),
		missing("response_format.json_schema", `{"model":"m","response_format":{"type":"json_schema"}}`),
		missing("response_format.json_schema.name", `{"model":"m","response_format":{"type":"json_schema","json_schema":{}}}`),
		missing("tool_resources.file_search.vector_stores[0].chunking_strategy.static.chunk_overlap_tokens",
			`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800}}}]}}}`),
	} {
		tc.check(t, a, "/v1/assistants")
	}
	id := a.create(`{"model":"m"}`)
	unknown("tool_resources.file_search.vector_stores", `{"tool_resources":{"file_search":{"vector_stores":[]}}}`).
		check(t, a, "/v1/assistants/"+id)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tooLong := func(path string, limit, got int, body string) invalidBody {
		return invalidBody{body, fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length %d, "+
			"but got a string with length %d instead.", path, limit, got), path, "string_above_max_length"}
	}
	empty := func(path, body string) invalidBody {
		return invalidBody{body, fmt.Sprintf("Invalid '%s': empty string. Expected a string with minimum length 1, "+
			"but got an empty string instead.", path), path, "empty_string"}
	}
	tooMany := func(path string, limit, got int, body string) invalidBody {
		return invalidBody{body, fmt.Sprintf("Invalid '%s': array too long. Expected an array with maximum length %d, "+
			"but got an array with length %d instead.", path, limit, got), path, "array_above_max_length"}
	}
	number := func(path, kind, relation, got, body string) invalidBody {
		code, word := kind+"_above_max_value", "above maximum"
		if strings.HasPrefix(relation, ">") {
			code, word = kind+"_below_min_value", "below minimum"
		}
		return invalidBody{body, fmt.Sprintf("Invalid '%s': %s %s value. Expected a value %s, but got %s instead.",
			path, kind, word, relation, got), path, code}
	}
	long := func(n int) string { return strings.Repeat("雪", n) }
	items := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	search := func(options string) string {
		return `{"model":"m","tools":[{"type":"file_search","file_search":{` + options + `}}]}`
	}
	named := func(name string) string {
		return `{"model":"m","tools":[{"type":"function","function":{"name":"` + name + `"}}]}`
	}
	chunks := func(static string) string {
		return `{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file-1"],"chunking_strategy":{"type":"static","static":` + static + `}}]}}}`
	}
	const chunk = "tool_resources.file_search.vector_stores[0].chunking_strategy.static."
	for _, tc := range []invalidBody{
		empty("model", `{"model":""}`),
		tooLong("name", 256, 257, `{"model":"m","name":"`+long(257)+`"}`),
		tooLong("description", 512, 513, `{"model":"m","description":"`+long(513)+`"}`),
		tooLong("instructions", 256_000, 256_001, `{"model":"m","instructions":"`+long(256_001)+`"}`),
		tooLong("metadata.k", 512, 513, `{"model":"m","metadata":{"k":"`+long(513)+`"}}`),
		tooLong("tools[0].function.name", 64, 65, named(strings.Repeat("f", 65))),
		empty("tools[0].function.name", named("")),
		{named("a b"), "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern " +
			"'^[a-zA-Z0-9_-]+$'.", "tools[0].function.name", "invalid_value"},
		tooMany("tools", 128, 129, `{"model":"m","tools":[`+items(129, `{"type":"code_interpreter"}`)+`]}`),
		tooMany("tools", 128, 129, `{"model":"m","tools":[`+items(129, `0`)+`]}`),
		tooMany("tool_resources.code_interpreter.file_ids", 20, 21,
			`{"model":"m","tool_resources":{"code_interpreter":{"file_ids":[`+items(21, `"file-1"`)+`]}}}`),
		tooMany("tool_resources.file_search.vector_store_ids", 1, 2,
			`{"model":"m","tool_resources":{"file_search":{"vector_store_ids":["vs_1","vs_2"]}}}`),
		tooMany("tool_resources.file_search.vector_stores", 1, 2,
			`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{},{}]}}}`),
		number("temperature", "decimal", "<= 2", "2.5", `{"model":"m","temperature":2.5}`),
		number("temperature", "decimal", ">= 0", "-1", `{"model":"m","temperature":-1}`),
		number("temperature", "decimal", "<= 2", "1e999", `{"model":"m","temperature":1e999}`),
		number("temperature", "decimal", "<= 2", strings.Repeat("9", 40)+"…", `{"model":"m","temperature":`+strings.Repeat("9", 5000)+`}`),
		number("top_p", "decimal", "<= 1", "1.01", `{"model":"m","top_p":1.01}`),
		number("tools[0].file_search.max_num_results", "integer", "<= 50", "51", search(`"max_num_results":51`)),
		number("tools[0].file_search.max_num_results", "integer", ">= 1", "0", search(`"max_num_results":0`)),
		number("tools[0].file_search.max_num_results", "integer", "<= 50", "99999999999999999999", search(`"max_num_results":99999999999999999999`)),
		number("tools[0].file_search.ranking_options.score_threshold", "decimal", ">= 0", "-0.1", search(`"ranking_options":{"score_threshold":-0.1}`)),
		number(chunk+"max_chunk_size_tokens", "integer", ">= 100", "99", chunks(`{"max_chunk_size_tokens":99,"chunk_overlap_tokens":0}`)),
		number(chunk+"chunk_overlap_tokens", "integer", "<= 100", "101", chunks(`{"max_chunk_size_tokens":201,"chunk_overlap_tokens":101}`)),
		{`{"model":"m","metadata":{` + pairs(17) + `}}`, "Invalid 'metadata': too many properties. Expected an object with at most 16 " +
			"properties, but got an object with 17 properties instead.", "metadata", "object_above_max_properties"},
		{`{"model":"m","metadata":{"` + strings.Repeat("k", 65) + `":"v"}}`, "Invalid property name in 'metadata': 'kkk...kkk' is too " +
			"long. Expected a string with maximum length 64, but got a string with length 65 instead.", "metadata", "property_name_above_max_length"},
	} {
		tc.check(t, a, "/v1/assistants")
	}
	for _, body := range []string{
		`{"model":"m","name":"` + long(256) + `","description":"` + long(512) + `","instructions":"` + long(256_000) + `"}`,
		`{"model":"m","temperature":2,"top_p":0,"metadata":{` + pairs(16) + `}}`,
		`{"model":"m","metadata":{"` + long(64) + `":"` + long(512) + `"}}`,
		`{"model":"m","metadata":{` + pairs(16) + `,` + pairs(16) + `}}`,
		`{"model":"m","tools":[` + items(128, `{"type":"code_interpreter"}`) + `]}`,
		named(strings.Repeat("f", 64)),
		search(`"max_num_results":50`),
		chunks(`{"max_chunk_size_tokens":4096,"chunk_overlap_tokens":2048}`),
	} {
		a.create(body)
	}
}

// pairs returns n members for metadata.
func pairs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":"v"`, i)
	}
	return b.String()[1:]
}

func TestValues(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithModelNames("m", "m2"), server.WithUnsupportedModelNames("m3", "embedding"))
	for _, tc := range []invalidBody{
		{`{"model":"m","tools":[{"type":"retrieval"}]}`, "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'function', " +
			"and 'file_search'.", "tools[0].type", "invalid_value"},
		{`{"model":"m","reasoning_effort":"huge"}`, "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', " +
			"'xhigh', and 'max'.", "reasoning_effort", "invalid_value"},
		{`{"model":"m","response_format":"none"}`, "Invalid value: 'none'. Value must be 'auto'.", "response_format", "invalid_value"},
		{`{"model":"m","response_format":{"type":"auto"}}`, "Invalid value: 'auto'. Supported values are: 'text', 'json_object', and 'json_schema'.",
			"response_format.type", "invalid_value"},
		{`{"model":"m","tools":[{"type":"file_search","file_search":{"ranking_options":{"ranker":"best","score_threshold":0}}}]}`,
			"Invalid value: 'best'. Supported values are: 'auto' and 'default_2024_08_21'.", "tools[0].file_search.ranking_options.ranker", "invalid_value"},
		{`{"model":"m","tool_resources":{"file_search":{"vector_store_ids":["file-1"]}}}`, "Invalid 'tool_resources.file_search.vector_store_ids[0]': " +
			"'file-1'. Expected an ID that begins with 'vs'.", "tool_resources.file_search.vector_store_ids[0]", "invalid_value"},
		{`{"model":"m","tool_resources":{"file_search":{"vector_store_ids":[],"vector_stores":[]}}}`, "Mutually exclusive parameters: " +
			"'tool_resources.file_search'. Ensure you are only providing one of: 'vector_store_ids' or 'vector_stores'.",
			"tool_resources.file_search", "mutually_exclusive_parameters"},
		{`{"model":"other"}`, "The requested model 'other' does not exist.", "model", "model_not_found"},
		{`{"model":"embedding"}`, "The requested model 'embedding' cannot be used with the Assistants API.", "model", "unsupported_model"},
	} {
		tc.check(t, a, "/v1/assistants")
	}
	id := a.create(`{"model":"m2"}`)
	invalidBody{`{"model":"other"}`, "The requested model 'other' does not exist.", "model", "model_not_found"}.check(t, a, "/v1/assistants/"+id)
}

func TestIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, method := range []string{"GET", "POST", "DELETE"} {
		got := a.do(method, "/v1/assistants/wf_1", "")
		assert.Equal(t, 400, got.status)
		assert.Equal(t, envelope("Invalid 'assistant_id': 'wf_1'. Expected an ID that begins with 'asst'.",
			requestError, "assistant_id", "invalid_value"), got.body)
		got = a.do(method, "/v1/assistants/asst_none", "")
		assert.Equal(t, 404, got.status)
		assert.Equal(t, envelope("No assistant found with id 'asst_none'.", requestError, "", ""), got.body)
	}
	got := a.do("GET", "/v1/assistants/asst_"+strings.Repeat("%ff", 600), "")
	assert.Equal(t, 404, got.status)
	assert.Less(t, len(got.body), 2000, "an error must not repeat a request of any length")
}

func TestBetaHeader(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	none := envelope("You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header "+
		"'OpenAI-Beta: assistants=v2'.", requestError, "", "invalid_beta")
	v1 := envelope("The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'. "+
		"See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.", requestError, "", "invalid_beta")
	for header, want := range map[string]string{"OpenAI-Beta:": none, "OpenAI-Beta: x=v2": none, "OpenAI-Beta: assistants=v1": v1} {
		got := a.do("GET", "/v1/assistants", "", header)
		assert.Equal(t, 400, got.status)
		assert.Equal(t, want, got.body)
	}
}

func TestStrictSchemas(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const closed = "'additionalProperties' is required to be supplied and to be false."
	const required = "'required' is required to be supplied and to be an array including every key in properties. "
	deep := strings.Repeat(`{"items":`, 200) + `{}` + strings.Repeat(`}`, 200)
	for schema, reason := range map[string]string{
		`{"type":"object","additionalProperties":true,"additionalProperties":false}`: "", // the last one counts
		`{}`:                "",
		`{"type":"string"}`: "",
		`{"type":"object","properties":{},"additionalProperties":false}`: "",
		`{"type":"object"}`:                                                            "In context=(), " + closed,
		`{"type":"object","additionalProperties":true}`:                                "In context=(), " + closed,
		`{"type":["object","null"]}`:                                                   "In context=(), " + closed,
		`{"properties":{}}`:                                                            "In context=(), " + closed,
		`{"items":{"type":"object"}}`:                                                  "In context=('items',), " + closed,
		`{"anyOf":[{"type":"null"},{"type":"object"}]}`:                                "In context=('anyOf', '1'), " + closed,
		`{"$defs":{"it's":{"type":"object"}}}`:                                         `In context=('$defs', "it's"), ` + closed,
		`{"properties":{"b":{},"a":{}},"additionalProperties":false}`:                  "In context=(), " + required + "Missing 'b'.",
		`{"properties":{"b":{},"a":{}},"required":["b"],"additionalProperties":false}`: "In context=(), " + required + "Missing 'a'.",
		`{"properties":{"a":{}},"required":["a","c"],"additionalProperties":false}`:    "In context=(), " + required + "Extra required key 'c' supplied.",
		`{"properties":{"a":{"type":"object","properties":{"b":{}},"additionalProperties":false}},"required":["a"],"additionalProperties":false}`: "In context=('properties', 'a'), " + required + "Missing 'b'.",
		deep: "The schema is larger than 1048576 bytes or nested deeper than 64 levels.",
		`{"description":"` + strings.Repeat("x", 1<<20) + `"}`:                                             "The schema is larger than 1048576 bytes or nested deeper than 64 levels.",
		`{"properties":1,"required":2,"items":3,"anyOf":{"x":4},"$defs":[5],"additionalProperties":false}`: "",
	} {
		function := `{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":` + schema + `}}]}`
		format := `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":` + schema + `}}}`
		if reason == "" {
			a.create(function)
			a.create(format)
			continue
		}
		invalidBody{function, "Invalid schema for function 'f': " + reason, "tools[0].function.parameters", "invalid_function_parameters"}.
			check(t, a, "/v1/assistants")
		invalidBody{format, "Invalid schema for response_format 's': " + reason, "response_format", ""}.check(t, a, "/v1/assistants")
		a.create(strings.ReplaceAll(function, `"strict":true`, `"strict":false`))
		a.create(strings.ReplaceAll(format, `"strict":true`, `"strict":null`))
	}
	a.create(`{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":true}}]}`)
}
