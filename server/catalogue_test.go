package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

// refusal is a request that is refused, and how.
type refusal struct {
	name   string
	target string
	invalidBody
	method  string // "": POST
	status  int    // 0: 400
	headers []string
}

func (r refusal) check(t *testing.T, a *api) {
	t.Helper()
	if r.method == "" {
		r.method = "POST"
	}
	if r.status == 0 {
		r.status = 400
	}
	got := a.do(r.method, r.target, r.body, r.headers...)
	assert.Equal(t, r.status, got.status)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.Equal(t, envelope(r.message, requestError, r.param, r.code), got.body)
}

func unknownKey(path, body string) invalidBody {
	return invalidBody{body, "Unknown parameter: '" + path + "'.", path, "unknown_parameter"}
}

func missingKey(path, body string) invalidBody {
	return invalidBody{body, "Missing required parameter: '" + path + "'.", path, "missing_required_parameter"}
}

func badWord(path, got, supported, body string) invalidBody {
	return invalidBody{body, "Invalid value: '" + got + "'. Supported values are: " + supported + ".", path, "invalid_value"}
}

func badPrefix(name, id, prefix, body string) invalidBody {
	return invalidBody{body, "Invalid '" + name + "': '" + id + "'. Expected an ID that begins with '" + prefix + "'.", name, "invalid_value"}
}

func notFound(kind, id string) invalidBody {
	return invalidBody{message: "No " + kind + " found with id '" + id + "'."}
}

// TestConversationCatalogue goes through all that a request about a conversation can be refused for, apart from the state
// of the thread and its runs.
func TestConversationCatalogue(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithModelNames("m"), server.WithUnsupportedModelNames("embedding"))
	a.create(`{"model":"m"}`)
	a.ok("POST", a.thread("Hello")+"/runs", `{"assistant_id":"asst_1","stream":true}`) // until the run has ended
	for _, group := range [][]refusal{
		refusedHeaders(), refusedKeys(), refusedTypes(), refusedWords(), refusedIDs(), refusedSizes(), refusedMetadata(), refusedSchemas(), unknownThings(),
	} {
		for _, r := range group {
			t.Run(r.name, func(t *testing.T) { t.Parallel(); r.check(t, a) })
		}
	}
}

const (
	threads  = "/v1/threads"
	thread1  = "/v1/threads/thread_1"
	messages = thread1 + "/messages"
	message1 = messages + "/msg_1"
	runs     = thread1 + "/runs"
	run1     = runs + "/run_1"
	direct   = "/v1/threads/runs"
	submit   = run1 + "/submit_tool_outputs"
)

// modifiable are the addresses at which metadata can be changed, and creatable those at which it can be given.
var (
	modifiable = []string{thread1, message1, run1}
	creatable  = map[string]string{
		threads: `{"metadata":M}`, messages: `{"role":"user","content":"x","metadata":M}`,
		runs: `{"assistant_id":"asst_1","metadata":M}`, direct: `{"assistant_id":"asst_1","metadata":M}`,
	}
)

func refusedHeaders() []refusal {
	beta := invalidBody{message: "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the " +
		"header 'OpenAI-Beta: assistants=v2'.", code: "invalid_beta"}
	v1 := invalidBody{message: "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'. " +
		"See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.", code: "invalid_beta"}
	notJSON := invalidBody{body: `{"role":`, message: "We could not parse the JSON body of your request. (HINT: This likely means you aren't " +
		"using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have " +
		"trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)"}
	list := invalidBody{body: `[]`, message: "Invalid type for request body: expected an object, but got an array instead.", code: "invalid_type"}
	var rows []refusal
	for _, target := range []string{threads, thread1, messages, message1, runs, run1, direct, submit, run1 + "/cancel"} {
		rows = append(rows,
			refusal{name: "no beta " + target, target: target, invalidBody: beta, headers: []string{"OpenAI-Beta:"}},
			refusal{name: "beta v1 " + target, target: target, invalidBody: v1, headers: []string{"OpenAI-Beta: assistants=v1"}},
			refusal{name: "not JSON " + target, target: target, invalidBody: notJSON},
			refusal{name: "no object " + target, target: target, invalidBody: list},
		)
	}
	return rows
}

func refusedKeys() []refusal {
	return named(map[string][]invalidBody{
		threads: {
			unknownKey("title", `{"title":"x"}`),
			unknownKey("messages[0].file_ids", `{"messages":[{"role":"user","content":"x","file_ids":[]}]}`),
			unknownKey("tool_resources.file_search.file_ids", `{"tool_resources":{"file_search":{"file_ids":[]}}}`),
			missingKey("messages[1].role", `{"messages":[{"role":"user","content":"x"},{"content":"x"}]}`),
			missingKey("messages[0].content", `{"messages":[{"role":"user"}]}`),
		},
		thread1: {unknownKey("messages", `{"messages":[]}`), unknownKey("content", `{"role":"user","content":"x"}`)},
		messages: {
			unknownKey("file_ids", `{"role":"user","content":"x","file_ids":[]}`),
			unknownKey("attachments[0].tools[0].file_search",
				`{"role":"user","content":"x","attachments":[{"file_id":"f","tools":[{"type":"file_search","file_search":{}}]}]}`),
			unknownKey("content[0].image_url.size", `{"role":"user","content":[{"type":"image_url","image_url":{"url":"u","size":1}}]}`),
			unknownKey("content[0].annotations", `{"role":"user","content":[{"type":"text","text":"x","annotations":[]}]}`),
			missingKey("role", ``), missingKey("content", `{"role":"user"}`),
			missingKey("content[0].type", `{"role":"user","content":[{}]}`),
			missingKey("content[0].text", `{"role":"user","content":[{"type":"text"}]}`),
			missingKey("content[0].image_file.file_id", `{"role":"user","content":[{"type":"image_file","image_file":{}}]}`),
			missingKey("content[0].image_url", `{"role":"user","content":[{"type":"image_url"}]}`),
			missingKey("attachments[0].file_id", `{"role":"user","content":"x","attachments":[{}]}`),
			missingKey("attachments[0].tools[0].type", `{"role":"user","content":"x","attachments":[{"file_id":"f","tools":[{}]}]}`),
		},
		message1: {unknownKey("content", `{"content":"x"}`)},
		runs: {
			missingKey("assistant_id", `{}`),
			unknownKey("tool_resources", `{"assistant_id":"asst_1","tool_resources":{}}`),
			unknownKey("thread", `{"assistant_id":"asst_1","thread":{}}`),
			unknownKey("additional_messages[0].thread_id", `{"assistant_id":"asst_1","additional_messages":[{"role":"user","content":"x","thread_id":"t"}]}`),
			missingKey("truncation_strategy.type", `{"assistant_id":"asst_1","truncation_strategy":{}}`),
			missingKey("truncation_strategy.last_messages", `{"assistant_id":"asst_1","truncation_strategy":{"type":"last_messages"}}`),
			missingKey("tool_choice.function.name", `{"assistant_id":"asst_1","tool_choice":{"type":"function","function":{}}}`),
		},
		direct: {
			missingKey("assistant_id", ``),
			unknownKey("additional_messages", `{"assistant_id":"asst_1","additional_messages":[]}`),
			unknownKey("additional_instructions", `{"assistant_id":"asst_1","additional_instructions":"x"}`),
			unknownKey("reasoning_effort", `{"assistant_id":"asst_1","reasoning_effort":"low"}`),
			unknownKey("thread.messages[0].file_ids", `{"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"x","file_ids":[]}]}}`),
			unknownKey("tool_resources.file_search.vector_stores", `{"assistant_id":"asst_1","tool_resources":{"file_search":{"vector_stores":[]}}}`),
		},
		run1:             {unknownKey("instructions", `{"instructions":"x"}`)},
		run1 + "/cancel": {unknownKey("force", `{"force":true}`)},
		submit: {
			missingKey("tool_outputs", `{}`), unknownKey("tool_approvals", `{"tool_outputs":[],"tool_approvals":[]}`),
			unknownKey("tool_outputs[0].name", `{"tool_outputs":[{"name":"f"}]}`),
		},
	})
}

func refusedTypes() []refusal {
	run := func(members string) string { return `{"assistant_id":"asst_1",` + members + `}` }
	return named(map[string][]invalidBody{
		threads: {
			wrongType("messages", "an array of objects", "an object").in(`{"messages":{}}`),
			wrongType("messages[0]", "an object", "a string").in(`{"messages":["Hello"]}`),
			wrongType("tool_resources", "an object", "an array").in(`{"tool_resources":[]}`),
			wrongType("tool_resources.code_interpreter.file_ids", "an array of strings", "a string").
				in(`{"tool_resources":{"code_interpreter":{"file_ids":"f"}}}`),
		},
		messages: {
			wrongType("role", "one of 'user' or 'assistant'", "null").in(`{"role":null,"content":"x"}`),
			wrongType("content", "one of a string or an array of objects", "null").in(`{"role":"user","content":null}`),
			wrongType("content[0]", "an object", "a string").in(`{"role":"user","content":["x"]}`),
			wrongType("content[0].text", "a string", "an object").in(`{"role":"user","content":[{"type":"text","text":{"value":"x"}}]}`),
			wrongType("attachments", "an array of objects", "a string").in(`{"role":"user","content":"x","attachments":"f"}`),
			wrongType("attachments[0].tools", "an array of objects", "a string").in(`{"role":"user","content":"x","attachments":[{"file_id":"f","tools":"x"}]}`),
		},
		runs: {
			wrongType("assistant_id", "a string", "an integer").in(`{"assistant_id":1}`),
			wrongType("model", "a string", "a boolean").in(run(`"model":true`)),
			wrongType("instructions", "a string", "an array").in(run(`"instructions":[]`)),
			wrongType("additional_instructions", "a string", "an object").in(run(`"additional_instructions":{}`)),
			wrongType("additional_messages", "an array of objects", "a string").in(run(`"additional_messages":"x"`)),
			wrongType("tools", "an array of objects", "an object").in(run(`"tools":{}`)),
			wrongType("temperature", "a decimal number", "a string").in(run(`"temperature":"1"`)),
			wrongType("stream", "a boolean", "a string").in(run(`"stream":"true"`)),
			wrongType("max_prompt_tokens", "an integer", "a decimal number").in(run(`"max_prompt_tokens":256.0`)),
			wrongType("max_completion_tokens", "an integer", "a string").in(run(`"max_completion_tokens":"256"`)),
			wrongType("truncation_strategy", "an object", "a string").in(run(`"truncation_strategy":"auto"`)),
			wrongType("truncation_strategy.last_messages", "an integer", "a string").
				in(run(`"truncation_strategy":{"type":"last_messages","last_messages":"1"}`)),
			wrongType("tool_choice", "one of a string or an object", "an array").in(run(`"tool_choice":[]`)),
			wrongType("parallel_tool_calls", "a boolean", "an integer").in(run(`"parallel_tool_calls":1`)),
			wrongType("response_format", "one of a string or an object", "a boolean").in(run(`"response_format":false`)),
		},
		direct: {
			wrongType("thread", "an object", "a string").in(run(`"thread":"thread_1"`)),
			wrongType("thread.messages", "an array of objects", "a string").in(run(`"thread":{"messages":"x"}`)),
		},
		submit: {
			wrongType("tool_outputs", "an array of objects", "null").in(`{"tool_outputs":null}`),
			wrongType("tool_outputs[0]", "an object", "a string").in(`{"tool_outputs":["x"]}`),
			wrongType("tool_outputs[0].output", "a string", "an object").in(`{"tool_outputs":[{"tool_call_id":"c","output":{}}]}`),
			wrongType("tool_outputs[0].tool_call_id", "a string", "an integer").in(`{"tool_outputs":[{"tool_call_id":1,"output":""}]}`),
			wrongType("stream", "a boolean", "a string").in(`{"tool_outputs":[],"stream":"yes"}`),
		},
	})
}

func refusedWords() []refusal {
	run := func(members string) string { return `{"assistant_id":"asst_1",` + members + `}` }
	const roles, choices = "'user' and 'assistant'", "'none', 'auto', and 'required'"
	rows := named(map[string][]invalidBody{
		messages: {
			badWord("role", "human", roles, `{"role":"human","content":"x"}`),
			badWord("content[0].type", "input_text", "'text', 'image_file', and 'image_url'", `{"role":"user","content":[{"type":"input_text"}]}`),
			badWord("content[0].image_url.detail", "ultra", "'auto', 'low', and 'high'",
				`{"role":"user","content":[{"type":"image_url","image_url":{"url":"u","detail":"ultra"}}]}`),
			badWord("attachments[0].tools[0].type", "function", "'code_interpreter' and 'file_search'",
				`{"role":"user","content":"x","attachments":[{"file_id":"f","tools":[{"type":"function"}]}]}`),
		},
		threads: {badWord("messages[0].role", "system", roles, `{"messages":[{"role":"system","content":"x"}]}`)},
		runs: {
			badWord("tool_choice", "any", choices, run(`"tool_choice":"any"`)),
			badWord("tool_choice.type", "mcp", "'function', 'code_interpreter', and 'file_search'", run(`"tool_choice":{"type":"mcp"}`)),
			badWord("truncation_strategy.type", "middle", "'auto' and 'last_messages'", run(`"truncation_strategy":{"type":"middle"}`)),
			badWord("reasoning_effort", "huge", "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'", run(`"reasoning_effort":"huge"`)),
			badWord("tools[0].type", "retrieval", "'code_interpreter', 'function', and 'file_search'", run(`"tools":[{"type":"retrieval"}]`)),
			badWord("response_format.type", "xml", "'text', 'json_object', and 'json_schema'", run(`"response_format":{"type":"xml"}`)),
			badName("tool_choice.function.name", run(`"tool_choice":{"type":"function","function":{"name":"a b"}}`)),
		},
	})
	content := "step_details.tool_calls[*].file_search.results[*].content"
	include := invalidBody{"", "Invalid value: 'usage'. Value must be '" + content + "'.", "include[1]", "invalid_value"}
	for _, path := range []string{messages, runs, run1 + "/steps"} {
		rows = append(rows,
			refusal{name: "order " + path, method: "GET", target: path + "?order=up", invalidBody: badWord("order", "up", "'asc' and 'desc'", "")},
			refusal{name: "limit " + path, method: "GET", target: path + "?limit=101", invalidBody: outside("limit", "integer", "<= 100", "101", "")},
			refusal{name: "no limit " + path, method: "GET", target: path + "?limit=0", invalidBody: outside("limit", "integer", ">= 1", "0", "")},
		)
	}
	query := "?include[]=" + content + "&include=usage"
	return append(rows,
		refusal{name: "include of steps", method: "GET", target: run1 + "/steps" + query, invalidBody: include},
		refusal{name: "include of a step", method: "GET", target: run1 + "/steps/step_1" + query, invalidBody: include},
		refusal{name: "include of a run", target: runs + query, invalidBody: withBody(include, `{"assistant_id":"asst_1"}`)},
		refusal{name: "include of thread and run", target: direct + query, invalidBody: withBody(include, `{"assistant_id":"asst_1"}`)},
		refusal{name: "include of outputs", target: submit + query, invalidBody: withBody(include, `{"tool_outputs":[]}`)},
	)
}

func withBody(tc invalidBody, body string) invalidBody { tc.body = body; return tc }

// refusedIDs are ids of the wrong kind, in addresses and in bodies.
func refusedIDs() []refusal {
	const message, output = `{"role":"user","content":"x"}`, `{"tool_outputs":[]}`
	var rows []refusal
	for _, request := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"POST", "", ""}, {"DELETE", "", ""}, {"GET", "/messages", ""}, {"POST", "/messages", message},
		{"GET", "/messages/x", ""}, {"POST", "/messages/x", ""}, {"DELETE", "/messages/x", ""},
		{"GET", "/runs", ""}, {"POST", "/runs", `{"assistant_id":"asst_1"}`}, {"GET", "/runs/x", ""}, {"POST", "/runs/x", ""},
		{"POST", "/runs/x/cancel", ""}, {"POST", "/runs/x/submit_tool_outputs", output}, {"GET", "/runs/x/steps", ""}, {"GET", "/runs/x/steps/x", ""},
	} {
		rows = append(rows, refusal{name: "thread " + request.method + request.path, method: request.method,
			target: "/v1/threads/wf_1" + request.path, invalidBody: badPrefix("thread_id", "wf_1", "thread", request.body)})
		kind, prefix := "message_id", "msg"
		if strings.HasPrefix(request.path, "/runs") {
			kind, prefix = "run_id", "run"
		}
		if strings.Contains(request.path, "/x") {
			rows = append(rows, refusal{name: kind + " " + request.method + request.path, method: request.method,
				target: "/v1/threads/thread_x" + request.path, invalidBody: badPrefix(kind, "x", prefix, request.body)})
		}
	}
	rows = append(rows, refusal{name: "step id", method: "GET", target: run1 + "/steps/x", invalidBody: badPrefix("step_id", "x", "step", "")})
	return append(rows, named(map[string][]invalidBody{
		runs:    {badPrefix("assistant_id", "wf_1", "asst", `{"assistant_id":"wf_1"}`), empty("assistant_id", `{"assistant_id":""}`)},
		direct:  {badPrefix("assistant_id", "thread_1", "asst", `{"assistant_id":"thread_1"}`)},
		threads: {badPrefix("tool_resources.file_search.vector_store_ids[0]", "f", "vs", `{"tool_resources":{"file_search":{"vector_store_ids":["f"]}}}`)},
	})...)
}

func refusedSizes() []refusal {
	run := func(members string) string { return `{"assistant_id":"asst_1",` + members + `}` }
	content := func(value string) string { return `{"role":"user","content":` + value + `}` }
	noParts := func(path, body string) invalidBody {
		return invalidBody{body, "Invalid '" + path + "': empty array. Expected an array with minimum length 1, but got an empty array instead.", path, "empty_array"}
	}
	return named(map[string][]invalidBody{
		messages: {
			tooLong("content", 256_000, 256_001, content(`"`+long(256_001)+`"`)),
			tooLong("content[0].text", 256_000, 256_001, content(`[{"type":"text","text":"`+long(256_001)+`"}]`)),
			noParts("content", content(`[]`)),
			tooMany("content", 512, 513, content(`[`+items(513, `{"type":"text","text":"x"}`)+`]`)),
			empty("content[0].image_file.file_id", content(`[{"type":"image_file","image_file":{"file_id":""}}]`)),
			empty("content[0].image_url.url", content(`[{"type":"image_url","image_url":{"url":""}}]`)),
			empty("attachments[0].file_id", `{"role":"user","content":"x","attachments":[{"file_id":""}]}`),
		},
		threads: {
			tooMany("messages", 100_000, 100_001, `{"messages":[`+items(100_001, `{}`)+`]}`),
			tooMany("tool_resources.code_interpreter.file_ids", 20, 21, `{"tool_resources":{"code_interpreter":{"file_ids":[`+items(21, `"f"`)+`]}}}`),
			tooMany("tool_resources.file_search.vector_store_ids", 1, 2, `{"tool_resources":{"file_search":{"vector_store_ids":["vs_1","vs_2"]}}}`),
			{`{"tool_resources":{"file_search":{"vector_stores":[{}]}}}`, "file_search tool configuration is invalid. file_ids must be non-empty", "", ""},
		},
		runs: {
			tooLong("instructions", 256_000, 256_001, run(`"instructions":"`+long(256_001)+`"`)),
			tooLong("additional_instructions", 256_000, 256_001, run(`"additional_instructions":"`+long(256_001)+`"`)),
			empty("model", run(`"model":""`)),
			tooMany("tools", 128, 129, run(`"tools":[`+items(129, `{"type":"code_interpreter"}`)+`]`)),
			outside("temperature", "decimal", "<= 2", "2.01", run(`"temperature":2.01`)),
			outside("top_p", "decimal", ">= 0", "-1", run(`"top_p":-1`)),
			outside("max_prompt_tokens", "integer", ">= 16", "15", run(`"max_prompt_tokens":15`)),
			outside("max_completion_tokens", "integer", ">= 16", "0", run(`"max_completion_tokens":0`)),
			outside("max_completion_tokens", "integer", "<= 2147483648", "99999999999", run(`"max_completion_tokens":99999999999`)),
			outside("truncation_strategy.last_messages", "integer", ">= 1", "0", run(`"truncation_strategy":{"type":"last_messages","last_messages":0}`)),
			{run(`"model":"other"`), "The requested model 'other' does not exist.", "model", "model_not_found"},
			{run(`"model":"embedding"`), "The requested model 'embedding' cannot be used with the Assistants API.", "model", "unsupported_model"},
		},
		direct: {
			{run(`"model":"embedding"`), "The requested model 'embedding' cannot be used with the Assistants API.", "model", "unsupported_model"},
		},
		submit: {tooMany("tool_outputs", 512, 513, `{"tool_outputs":[`+items(513, `{}`)+`]}`)},
	})
}

// refusedMetadata are too many, too long and wrong labels, everywhere.
func refusedMetadata() []refusal {
	key := strings.Repeat("k", 65)
	bodies := map[string]string{}
	for target, body := range creatable {
		bodies[target] = body
	}
	for _, target := range modifiable {
		bodies[target] = `{"metadata":M}`
	}
	var rows []refusal
	for target, body := range bodies {
		in := func(metadata string) string { return strings.Replace(body, "M", metadata, 1) }
		rows = append(rows, named(map[string][]invalidBody{target: {
			wrongType("metadata", "an object", "a string").in(in(`"x"`)),
			wrongType("metadata.modified", "a string", "a boolean").in(in(`{"modified":true}`)),
			{in(`{` + pairs(17) + `}`), "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an " +
				"object with 17 properties instead.", "metadata", "object_above_max_properties"},
			{in(`{"` + key + `":"v"}`), "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with maximum length 64, " +
				"but got a string with length 65 instead.", "metadata", "property_name_above_max_length"},
			tooLong("metadata.k", 512, 513, in(`{"k":"`+long(513)+`"}`)),
		}})...)
	}
	return rows
}

func refusedSchemas() []refusal {
	const lax = "In context=(), 'additionalProperties' is required to be supplied and to be false."
	function := `"tools":[{"type":"code_interpreter"},{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object"}}}]`
	format := `"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object"}}}`
	refused := []invalidBody{
		{`{"assistant_id":"asst_1",` + function + `}`, "Invalid schema for function 'f': " + lax, "tools[1].function.parameters", "invalid_function_parameters"},
		{`{"assistant_id":"asst_1",` + format + `}`, "Invalid schema for response_format 's': " + lax, "response_format", ""},
	}
	return named(map[string][]invalidBody{runs: refused, direct: refused})
}

// unknownThings are ids of nothing, addresses of nothing, and methods that an address does not have.
func unknownThings() []refusal {
	var rows []refusal
	for path, what := range map[string]invalidBody{
		thread1 + "0": notFound("thread", "thread_10"), message1 + "0": notFound("message", "msg_10"), run1 + "0": notFound("run", "run_10"),
		run1 + "/steps/step_10": notFound("run step", "step_10"), run1 + "0/steps": notFound("run", "run_10"),
		thread1 + "0/runs": notFound("thread", "thread_10"), thread1 + "0/messages/msg_1": notFound("thread", "thread_10"),
		messages + "?after=msg_10": notFound("message", "msg_10"), messages + "?run_id=run_1&before=msg_10": notFound("message", "msg_10"),
		runs + "?before=run_10": notFound("run", "run_10"), run1 + "/steps?after=x": notFound("run step", "x"),
	} {
		rows = append(rows, refusal{name: "unknown " + path, method: "GET", target: path, status: 404, invalidBody: what})
	}
	for target, what := range map[string]invalidBody{
		runs: withBody(notFound("assistant", "asst_10"), `{"assistant_id":"asst_10"}`), direct: withBody(notFound("assistant", "asst_10"), `{"assistant_id":"asst_10"}`),
		run1 + "0/cancel": notFound("run", "run_10"), run1 + "0": notFound("run", "run_10"), message1 + "0": notFound("message", "msg_10"),
		run1 + "0/submit_tool_outputs": withBody(notFound("run", "run_10"), `{"tool_outputs":[]}`),
	} {
		rows = append(rows, refusal{name: "unknown in POST " + target, target: target, status: 404, invalidBody: what})
	}
	for _, request := range []string{
		"GET /v1/threads/thread_1/runs/run_1/steps/step_1/x", "POST /v1/threads//messages", "POST /v1/threads/thread_1/runs/run_1/resume",
		"GET /v1/threads/thread_1/../thread_1", "GET /v1/threads/thread_1//messages", "POST /v1/thread",
	} {
		method, path, _ := strings.Cut(request, " ")
		rows = append(rows, refusal{name: "address " + request, method: method, target: path, status: 404,
			invalidBody: invalidBody{message: "Invalid URL (" + request + ")"}})
	}
	for _, request := range []string{
		"GET /v1/threads", "DELETE /v1/threads", "PATCH /v1/threads/thread_1", "GET /v1/threads/runs", "PUT /v1/threads/thread_1/messages/msg_1",
		"DELETE /v1/threads/thread_1/runs/run_1", "GET /v1/threads/thread_1/runs/run_1/cancel", "POST /v1/threads/thread_1/runs/run_1/steps",
		"HEAD /v1/threads/thread_1", "GET /v1/threads/thread_1/runs/run_1/submit_tool_outputs", "DELETE /v1/threads/thread_1/messages",
	} {
		method, path, _ := strings.Cut(request, " ")
		rows = append(rows, refusal{name: "method " + request, method: method, target: path, status: 405,
			invalidBody: invalidBody{message: "Invalid method for URL (" + request + ")"}})
	}
	return rows
}

// named makes rows of bodies that are refused at an address.
func named(refused map[string][]invalidBody) []refusal {
	var rows []refusal
	for target, bodies := range refused {
		for _, tc := range bodies {
			rows = append(rows, refusal{name: fmt.Sprintf("%s %s at %s", tc.code, tc.param, target), target: target, invalidBody: tc})
		}
	}
	return rows
}
