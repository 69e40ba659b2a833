package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

// A matrixCase is a run and what a provider must be asked then. All requests are judged, too.
type matrixCase struct {
	name      string
	assistant string // more of the assistant
	thread    string // its messages, one that says hello unless it is set
	options   string // more of the run
	// What there must be in the request, by path: a value as JSON, or "" if there must be nothing. both is for both
	// APIs.
	both, responses, chat map[string]string
	only                  string // the API, if it is not for both
}

type wants = map[string]string

const (
	hello       = `{"role":"user","content":"Hello."}`
	weatherTool = `{"type":"function","function":{"name":"get_weather","description":"Weather.","strict":true,"parameters":{"type":"object",` +
		`"properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}}`
	jsonSchema = `{"type":"json_schema","json_schema":{"name":"colours","description":"Colours.","schema":{"type":"object","properties":{}}}}`
)

func matrix() []matrixCase {
	return []matrixCase{
		{name: "plain", both: wants{
			"model": `"gpt-4o"`, "temperature": "", "top_p": "", "tools": "", "tool_choice": "", "parallel_tool_calls": "", "stream": "true",
		}, responses: wants{
			"instructions": "", "input.0.content.0": `{"type":"input_text","text":"Hello."}`, "store": "false", "text": "", "max_output_tokens": "",
			"previous_response_id": "", "conversation": "", "reasoning": "", "prompt_cache_key": `"thread_1"`,
		}, chat: wants{"messages.0.role": `"user"`, "messages.0.content": `"Hello."`, "messages.1": "", "response_format": ""}},
		{name: "instructions", assistant: `,"instructions":"Be kind."`, options: `,"additional_instructions":"Be brief."`,
			responses: wants{"instructions": `"Be kind.\nBe brief."`}, chat: wants{"messages.0": `{"role":"system","content":"Be kind.\nBe brief."}`}},
		{name: "model of the run", options: `,"model":"gpt-4.1"`, both: wants{"model": `"gpt-4.1"`}},
		{name: "temperatures", options: `,"temperature":0.2,"top_p":0.5`, both: wants{"temperature": "0.2", "top_p": "0.5"}},
		{name: "temperature of nothing", assistant: `,"temperature":0,"top_p":0`, both: wants{"temperature": "0", "top_p": "0"}},
		{name: "default temperatures", assistant: `,"temperature":1,"top_p":1`, both: wants{"temperature": "", "top_p": ""}},
		{name: "effort", assistant: `,"model":"o3-mini","reasoning_effort":"low"`, responses: wants{"reasoning.effort": `"low"`},
			chat: wants{"reasoning_effort": `"low"`}},
		{name: "budgets", options: `,"max_completion_tokens":300,"max_prompt_tokens":5000`, responses: wants{"max_output_tokens": "300"},
			chat: wants{"max_completion_tokens": "300"}},
		{name: "text", assistant: `,"response_format":{"type":"text"}`, responses: wants{"text.format": `{"type":"text"}`},
			chat: wants{"response_format": `{"type":"text"}`}},
		{name: "JSON", options: `,"response_format":{"type":"json_object"}`, responses: wants{"text.format": `{"type":"json_object"}`},
			chat: wants{"response_format": `{"type":"json_object"}`}},
		{name: "schema", assistant: `,"response_format":` + jsonSchema, responses: wants{
			"text.format.type": `"json_schema"`, "text.format.name": `"colours"`, "text.format.schema.type": `"object"`,
			"text.format.description": `"Colours."`,
		}, chat: wants{"response_format.json_schema.name": `"colours"`, "response_format.json_schema.schema.type": `"object"`}},
		{name: "functions", assistant: `,"tools":[` + weatherTool + `,{"type":"function","function":{"name":"now"}}]`, responses: wants{
			"tools.0.name": `"get_weather"`, "tools.0.strict": "true", "tools.0.parameters.required": `["city"]`, "tools.1.strict": "false",
			"tools.0.description": `"Weather."`, "tools.0.function": "",
		}, chat: wants{"tools.0.function.name": `"get_weather"`, "tools.0.function.strict": "true", "tools.1.function.name": `"now"`}},
		{name: "a chosen function, one at a time", assistant: `,"tools":[` + weatherTool + `]`,
			options:   `,"tool_choice":{"type":"function","function":{"name":"get_weather"}},"parallel_tool_calls":false`,
			both:      wants{"parallel_tool_calls": "false"},
			responses: wants{"tool_choice": `{"type":"function","name":"get_weather"}`},
			chat:      wants{"tool_choice": `{"type":"function","function":{"name":"get_weather"}}`}},
		{name: "tools required", assistant: `,"tools":[` + weatherTool + `]`, options: `,"tool_choice":"required"`, both: wants{"tool_choice": `"required"`}},
		{name: "tools forbidden", assistant: `,"tools":[` + weatherTool + `]`, options: `,"tool_choice":"none"`, both: wants{"tool_choice": `"none"`}},
		{name: "no tools in this run", assistant: `,"tools":[` + weatherTool + `]`, options: `,"tools":[]`, both: wants{"tools": "", "tool_choice": ""}},
		{name: "image by URL", thread: `{"role":"user","content":[{"type":"text","text":"What is this?"},` +
			`{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}},{"type":"image_url","image_url":{"url":"https://example.com/b.png"}}]}`,
			responses: wants{
				"input.0.content.1": `{"type":"input_image","image_url":"https://example.com/a.png","detail":"low"}`, "input.0.content.2.detail": `"auto"`,
			}, chat: wants{
				"messages.0.content.0":           `{"type":"text","text":"What is this?"}`,
				"messages.0.content.1.image_url": `{"url":"https://example.com/a.png","detail":"low"}`,
			}},
		{name: "image of a file", thread: `{"role":"user","content":[{"type":"image_file","image_file":{"file_id":"file_1","detail":"high"}}]}`},
		{name: "image of a file that is none", thread: `{"role":"user","content":[{"type":"image_file","image_file":{"file_id":"file_2"}}]}`},
		{name: "words of the assistant", thread: hello + `,{"role":"assistant","content":"Hi."},{"role":"user","content":"And now?"}`, responses: wants{
			"input.1.role": `"assistant"`, "input.1.content.0.type": `"output_text"`, "input.1.content.0.text": `"Hi."`, "input.2.role": `"user"`, "input.3": "",
		}, chat: wants{"messages.1.role": `"assistant"`, "messages.1.content": `"Hi."`, "messages.2.role": `"user"`}},
		{name: "many messages", thread: strings.Repeat(hello+",", 30) + `{"role":"user","content":"The last."}`,
			options:   `,"truncation_strategy":{"type":"last_messages","last_messages":2}`,
			responses: wants{"input.1.content.0.text": `"The last."`, "input.2": ""}, chat: wants{"messages.1.content": `"The last."`, "messages.2": ""}},
		{name: "more messages", options: `,"additional_messages":[{"role":"user","content":"One more."}]`,
			responses: wants{"input.1.content.0.text": `"One more."`}, chat: wants{"messages.1.content": `"One more."`}},
		{name: "unusual characters", thread: `{"role":"user","content":"<b>\u2028 🐈 \"\\ \u0000?"}`},
		{name: "file search", only: responsesAPI, assistant: `,"tools":[{"type":"file_search","file_search":{"max_num_results":3,` +
			`"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.5}}}],"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}`,
			options: `,"tool_choice":{"type":"file_search"}`, responses: wants{
				"tools.0.vector_store_ids": `["vs_101"]`, "tools.0.max_num_results": "3", "tools.0.ranking_options.score_threshold": "0.5",
				"tools.0.ranking_options.ranker": `"auto"`, "tool_choice": `{"type":"file_search"}`,
			}},
		{name: "file search without files", only: responsesAPI, assistant: `,"tools":[{"type":"file_search"}]`, responses: wants{"tools": ""}},
		{name: "file search offered as a function", only: chatAPI, assistant: `,"tools":[{"type":"file_search"}],"tool_resources":` +
			`{"file_search":{"vector_store_ids":["vs_1"]}}`, chat: wants{"tools.0.type": `"function"`, "tools.1": ""}},
		{name: "two vector stores", only: responsesAPI, assistant: `,"tools":[{"type":"file_search"}],"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}`,
			thread:    `{"role":"user","content":"See.","attachments":[{"file_id":"file_2","tools":[{"type":"file_search"}]}]}`,
			responses: wants{"tools.0.vector_store_ids.1": `"vs_102"`}},
		{name: "code interpreter", only: responsesAPI, assistant: `,"tools":[{"type":"code_interpreter"}],"tool_resources":{"code_interpreter":{"file_ids":["file_2"]}}`,
			options:   `,"tool_choice":{"type":"code_interpreter"}`,
			responses: wants{"tools.0.container.type": `"auto"`, "tools.0.container.file_ids.1": "", "tool_choice": `{"type":"code_interpreter"}`}},
		{name: "all tools", only: responsesAPI, assistant: `,"tools":[{"type":"code_interpreter"},{"type":"file_search"},` + weatherTool + `],` +
			`"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]},"code_interpreter":{"file_ids":["file_2"]}}`,
			responses: wants{"tools.2.name": `"get_weather"`}},
	}
}

// TestModelRequests holds what a provider is asked against the run, for runs of all sorts.
func TestModelRequests(t *testing.T) {
	t.Parallel()
	for _, c := range matrix() {
		for _, api := range []string{responsesAPI, chatAPI} {
			if c.only != "" && c.only != api {
				continue
			}
			t.Run(api+" "+c.name, func(t *testing.T) {
				t.Parallel()
				h := newModelHost(t, api, upstream.New(endOf(t, api)))
				h.stockModels()
				messages := c.thread
				if messages == "" {
					messages = hello
				}
				thread := h.made("/threads", `{"messages":[`+messages+`]}`)
				assistant := `{"model":"gpt-4o"` + c.assistant + `}`
				if strings.HasPrefix(c.assistant, `,"model":`) {
					assistant = "{" + c.assistant[1:] + "}"
				}
				got := h.stream(h.made("/assistants", assistant), thread, c.options)
				require.Empty(t, violations(got.streams))
				require.Equal(t, assistants.RunCompleted, got.run.Status, "%+v", got.run.LastError)
				require.Equal(t, []string{"text: The end."}, got.said)
				asked := h.provider.Asked()
				require.Len(t, asked, 1)
				requireWants(t, asked[0].Body, c.both)
				requireWants(t, asked[0].Body, map[string]wants{responsesAPI: c.responses, chatAPI: c.chat}[api])
			})
		}
	}
}

// stockModels makes an image, file_1, and a text, file_2, with vs_1.
func (h *modelHost) stockModels() {
	h.t.Helper()
	_, err := h.client.Files.Upload(h.t.Context(), assistants.FileUploadParams{
		File: strings.NewReader(string(pixel)), Filename: "pixel.gif", Purpose: assistants.PurposeVision,
	})
	require.NoError(h.t, err)
	h.upload("handbook.md", "Leave is thirty days.")
}

func requireWants(t *testing.T, body []byte, want wants) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		got, there := at(t, body, path)
		if want[path] == "" {
			assert.False(t, there, "%s is %s in %s", path, got, body)
		} else if assert.True(t, there, "%s is not in %s", path, body) {
			assert.JSONEq(t, want[path], got, path)
		}
	}
}

// at is the value at a path of names and numbers.
func at(t *testing.T, body []byte, path string) (value string, there bool) {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(body, &v))
	for _, name := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v, there = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if there = err == nil && i < len(in); there {
				v = in[i]
			}
		default:
			there = false
		}
		if !there {
			return "", false
		}
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out), true
}

// TestModelsAreToldWhatWasSaid has a run with two rounds of functions, and another run behind it. The provider is
// told what it has said in this run, to the word, with outputs behind their calls, and of earlier runs the messages.
func TestModelsAreToldWhatWasSaid(t *testing.T) {
	t.Parallel()
	paris, now := callItem("call_a", "get_weather", `{"city":"Paris"}`), callItem("call_b", "now", "{}")
	h := newModelHost(t, responsesAPI, upstream.New(
		composed(t, reasoningItem, textItem("Let me see."), paris, now), composed(t, callItem("call_c", "now", "{}")), endOf(t, responsesAPI),
		endOf(t, responsesAPI),
	))
	assistant := h.made("/assistants", `{"model":"o3-mini","tools":[`+twoFunctions+`]}`)
	thread := h.made("/threads", `{"messages":[`+hello+`]}`)
	h.stream(assistant, thread, "")
	h.post("/threads/"+thread+"/messages", `{"role":"user","content":"And now?"}`)
	h.stream(assistant, thread, "")
	const user, text, calls, outputs = "user ", "assistant ", "function_call ", "function_call_output "
	want := []string{
		user, user + "reasoning " + text + calls + calls + outputs + outputs,
		user + "reasoning " + text + calls + calls + outputs + outputs + calls + outputs,
		user + text + text + user,
	}
	for i, r := range h.provider.Asked() {
		assert.Equal(t, want[i], inputOf(t, r.Body), "request %d", i)
	}
	asked := h.provider.Asked()
	requireWants(t, asked[1].Body, wants{
		"input.1": reasoningItem, "input.3.call_id": `"call_a"`, "input.4.call_id": `"call_b"`,
		"input.5": `{"type":"function_call_output","call_id":"call_a","output":"get_weather done"}`,
		"input.6": `{"type":"function_call_output","call_id":"call_b","output":"now done"}`,
	})

	h = newModelHost(t, chatAPI, upstream.New(
		composedChat(t, `{"content":"Let me see.","tool_calls":[`+chatCall("call_a", "get_weather", `{"city":"Paris"}`)+`,`+
			chatCall("call_b", "now", "{}")+`]}`, "tool_calls"),
		composedChat(t, `{"content":null,"tool_calls":[`+chatCall("call_c", "now", "{}")+`]}`, "tool_calls"), endOf(t, chatAPI), endOf(t, chatAPI),
	))
	assistant = h.made("/assistants", `{"model":"gpt-4o","tools":[`+twoFunctions+`]}`)
	thread = h.made("/threads", `{"messages":[`+hello+`]}`)
	h.stream(assistant, thread, "")
	h.post("/threads/"+thread+"/messages", `{"role":"user","content":"And now?"}`)
	h.stream(assistant, thread, "")
	want = []string{"user ", "user assistant tool tool ", "user assistant tool tool assistant tool ", "user assistant assistant user "}
	for i, r := range h.provider.Asked() {
		assert.Equal(t, want[i], messagesOf(t, r.Body), "request %d", i)
	}
	asked = h.provider.Asked()
	requireWants(t, asked[2].Body, wants{
		"messages.1.content": `"Let me see."`, "messages.1.tool_calls.1": chatCall("call_b", "now", "{}"),
		"messages.2": `{"role":"tool","tool_call_id":"call_a","content":"get_weather done"}`, "messages.4.tool_calls.0.id": `"call_c"`,
	})
}

func inputOf(t *testing.T, body []byte) string {
	t.Helper()
	var request askedFor
	require.NoError(t, json.Unmarshal(body, &request))
	var b strings.Builder
	for _, item := range request.Input {
		kind := item.Type
		if kind == "message" {
			kind = item.Role
		}
		b.WriteString(kind + " ")
	}
	return b.String()
}

func messagesOf(t *testing.T, body []byte) string {
	t.Helper()
	var request struct{ Messages []struct{ Role string } }
	require.NoError(t, json.Unmarshal(body, &request))
	var b strings.Builder
	for _, m := range request.Messages {
		fmt.Fprintf(&b, "%s ", m.Role)
	}
	return b.String()
}

// TestModelsAreToldLongThreads has every composed answer given on one thread, one run after the other: whatever came
// of a run, the next one can be asked.
func TestModelsAreToldLongThreads(t *testing.T) {
	t.Parallel()
	for api, cases := range map[string][]composedCase{responsesAPI: responsesCases(t), chatAPI: chatCases(t)} {
		t.Run(api, func(t *testing.T) {
			t.Parallel()
			var answers []upstream.Answer
			for _, c := range cases {
				answers = append(answers, c.answers...)
			}
			h := newModelHost(t, api, upstream.New(append(answers, endOf(t, api))...))
			h.stockModels()
			tools, resources := twoFunctions+`,{"type":"file_search"}`, `"file_search":{"vector_store_ids":["vs_1"]}`
			if api == responsesAPI {
				tools, resources = tools+`,{"type":"code_interpreter"}`, resources+`,"code_interpreter":{"file_ids":["file_2"]}`
			}
			assistant := h.made("/assistants", `{"model":"gpt-4o","tools":[`+tools+`],"tool_resources":{`+resources+`}}`)
			thread := h.made("/threads", `{"messages":[`+hello+`]}`)
			for _, c := range cases {
				got := h.stream(assistant, thread, c.options)
				require.Empty(t, violations(got.streams), c.name)
				h.post("/threads/"+thread+"/messages", `{"role":"user","content":"And now?"}`)
			}
			require.Equal(t, []string{"text: The end."}, h.stream(assistant, thread, "").said)
			if api != responsesAPI {
				return
			}
			seen := false
			for _, r := range h.provider.Asked() {
				container, _ := at(t, r.Body, "tools.3.container")
				require.Equal(t, seen, container == `"cntr_7"`, "the container of the thread's code is used again: %s", container)
				seen = seen || strings.Contains(container, "cntr_7") || h.codeHasRun(t, r)
			}
			require.True(t, seen)
		})
	}
}

// codeHasRun reports whether the answer to a request of TestModelsAreToldLongThreads was the first to run code: the
// one behind the last round of "file search".
func (h *modelHost) codeHasRun(t *testing.T, r *upstream.Request) bool {
	t.Helper()
	n := 0
	for _, c := range responsesCases(t) {
		if c.name == "code interpreter" {
			break
		}
		n += len(c.answers)
	}
	return h.provider.Asked()[n] == r
}
