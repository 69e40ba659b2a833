package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// checkBoth expects the refusals from creating and from modifying.
func checkBoth(t *testing.T, a *api, refusals []invalidBody) {
	t.Helper()
	modify := "/v1/assistants/" + a.create(`{"model":"m"}`)
	for _, tc := range refusals {
		tc.check(t, a, "/v1/assistants")
		tc.check(t, a, modify)
	}
}

// checkCreate expects the refusals from creating, which has more to offer.
func checkCreate(t *testing.T, a *api, refusals []invalidBody) {
	t.Helper()
	for _, tc := range refusals {
		tc.check(t, a, "/v1/assistants")
	}
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
	checkCreate(t, a, []invalidBody{
		wrongType("tool_resources.file_search.vector_stores", "an array of objects", "an object").
			in(`{"model":"m","tool_resources":{"file_search":{"vector_stores":{}}}}`),
	})
	checkBoth(t, a, []invalidBody{
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
		wrongType("metadata", "an object", "a string").in(`{"model":"m","metadata":"x"}`),
		wrongType("metadata.modified", "a string", "a boolean").in(`{"model":"m","metadata":{"modified":true}}`),
		wrongType("metadata.k", "a string", "null").in(`{"model":"m","metadata":{"k":null}}`),
		wrongType("temperature", "a decimal number", "a string").in(`{"model":"m","temperature":"1"}`),
		wrongType("top_p", "a decimal number", "a boolean").in(`{"model":"m","top_p":false}`),
		wrongType("response_format", "one of a string or an object", "an integer").in(`{"model":"m","response_format":1}`),
		wrongType("reasoning_effort", "one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', or 'max'", "an integer").
			in(`{"model":"m","reasoning_effort":1}`),
	})
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
	checkCreate(t, a, []invalidBody{
		missing("model", `{"name":1}`),
		missing("tool_resources.file_search.vector_stores[0].chunking_strategy.static.chunk_overlap_tokens",
			`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800}}}]}}}`),
	})
	checkBoth(t, a, []invalidBody{
		unknown("file_ids", `{"model":1,"zeta":1,"file_ids":[]}`),
		unknown("tools[0].file_search", `{"model":"m","tools":[{"file_search":{},"type":"code_interpreter"}]}`),
		unknown("tools[0].function.extra", `{"model":"m","tools":[{"type":"function","function":{"extra":1}}]}`),
		unknown("tool_resources.file_search.file_ids", `{"model":"m","tool_resources":{"file_search":{"file_ids":[]}}}`),
		unknown("response_format.json_schema", `{"model":"m","response_format":{"type":"text","json_schema":{}}}`),
		unknown(strings.Repeat("k", 512)+"…", `{"model":"m","`+strings.Repeat("k", 5000)+`":1}`),
		missing("tools[0].type", `{"model":"m","tools":[{}]}`),
		missing("tools[0].function", `{"model":"m","tools":[{"type":"function"}]}`),
		missing("tools[0].function.name", `{"model":"m","tools":[{"type":"function","function":{}}]}`),
		missing("tools[0].file_search.ranking_options.score_threshold",
			`{"model":"m","tools":[{"type":"file_search","file_search":{"ranking_options":{"ranker":"auto"}}}]}`),
		missing("response_format.type", `{"model":"m","response_format":{}}`),
		missing("response_format.json_schema", `{"model":"m","response_format":{"type":"json_schema"}}`),
		missing("response_format.json_schema.name", `{"model":"m","response_format":{"type":"json_schema","json_schema":{}}}`),
	})
	id := a.create(`{"model":"m"}`)
	unknown("tool_resources.file_search.vector_stores", `{"tool_resources":{"file_search":{"vector_stores":[]}}}`).
		check(t, a, "/v1/assistants/"+id)
}

func TestValues(t *testing.T) {
	t.Parallel()
	const laxFormat = `"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object"}}}`
	a := newAPI(t, server.WithModelNames("m", "m2"), server.WithUnsupportedModelNames("m3", "embedding"))
	checkCreate(t, a, []invalidBody{
		{`{"model":"m","tool_resources":{"file_search":{"vector_store_ids":[],"vector_stores":[]}}}`, "Mutually exclusive parameters: " +
			"'tool_resources.file_search'. Ensure you are only providing one of: 'vector_store_ids' or 'vector_stores'.",
			"tool_resources.file_search", "mutually_exclusive_parameters"},
	})
	checkBoth(t, a, []invalidBody{
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
		{`{"model":"other"}`, "The requested model 'other' does not exist.", "model", "model_not_found"},
		{`{"model":"embedding"}`, "The requested model 'embedding' cannot be used with the Assistants API.", "model", "unsupported_model"},
		// The model comes after all other values, and strict schemas after the model.
		wrongType("top_p", "a decimal number", "a string").in(`{"model":"other","top_p":"1"}`),
		{`{"model":"other",` + laxFormat + `}`, "The requested model 'other' does not exist.", "model", "model_not_found"},
	})
	a.create(`{"model":"m2"}`)
}

// Of a body in which every value is bad the first one of the order is reported,
// then, when that one is gone, the next one.
func TestOrderOfKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	rest := []string{"tools", "tool_resources", "metadata", "temperature", "top_p", "response_format"}
	for target, order := range map[string][]string{
		"/v1/assistants": append([]string{"model", "name", "description", "instructions", "reasoning_effort"}, rest...),
		"/v1/assistants/" + a.create(`{"model":"m"}`): append([]string{"model", "reasoning_effort", "name", "description", "instructions"}, rest...),
	} {
		bad := map[string]any{}
		for _, key := range order {
			bad[key] = false
		}
		for _, key := range order {
			body, err := json.Marshal(bad)
			require.NoError(t, err)
			got := a.do("POST", target, string(body))
			assert.Equal(t, key, *field[map[string]*string](t, got.body, "error")["param"], target)
			if delete(bad, key); key == "model" {
				bad[key] = "m"
			}
		}
	}
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
