package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

// responseOf is a Response with items of output. more is what it has besides, behind a comma.
func responseOf(status, more string, items ...string) string {
	return `{"id":"resp_1","object":"response","created_at":1,"status":"` + status + `","model":"gpt-4o","output":[` +
		strings.Join(items, ",") + `],"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":5},"output_tokens":10,` +
		`"output_tokens_details":{"reasoning_tokens":3},"total_tokens":30},"error":null,"incomplete_details":null,"instructions":null,` +
		`"metadata":{},"parallel_tool_calls":true,"temperature":1,"top_p":1,"tool_choice":"auto","tools":[]` + more + `}`
}

// composed is a Response that is complete, as a stream.
func composed(t *testing.T, items ...string) upstream.Answer {
	return streamed(t, responseOf("completed", "", items...))
}

func streamed(t *testing.T, response string) upstream.Answer {
	t.Helper()
	body, err := upstream.Stream(response)
	require.NoError(t, err)
	return upstream.Answer{Body: body}
}

func interleaved(t *testing.T, items ...string) upstream.Answer {
	t.Helper()
	body, err := upstream.Interleaved(responseOf("completed", "", items...))
	require.NoError(t, err)
	return upstream.Answer{Body: body}
}

// Items of output. Their ids count.
func messageItem(parts ...string) string {
	return `{"type":"message","id":"msg_p1","status":"completed","role":"assistant","content":[` + strings.Join(parts, ",") + `]}`
}

func textItem(text string) string {
	return messageItem(`{"type":"output_text","text":"` + text + `","annotations":[],"logprobs":[]}`)
}

func callItem(id, name, arguments string) string {
	return fmt.Sprintf(`{"type":"function_call","id":"fc_%s","call_id":"%s","name":"%s","arguments":%q,"status":"completed"}`, id, id, name, arguments)
}

const (
	reasoningItem = `{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Paris is a city."}],"encrypted_content":"sealed"}`
	searchItem    = `{"type":"file_search_call","id":"fs_1","status":"completed","queries":["leave"],"results":[` +
		`{"file_id":"file_101","filename":"handbook.md","score":0.75,"text":"Leave is thirty days.","attributes":{}}]}`
	codeItem = `{"type":"code_interpreter_call","id":"ci_1","status":"completed","code":"print(1)\nplot()","container_id":"cntr_7",` +
		`"outputs":[{"type":"logs","logs":"1\n"}]}`
	webItem = `{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"leave"}}`
	mcpItem = `{"type":"mcp_call","id":"mcp_1","server_label":"dice","name":"roll","arguments":"{}","output":"4","error":null}`
)

// composedChat is a completion, as a stream.
func composedChat(t *testing.T, message, finish string) upstream.Answer {
	t.Helper()
	body, err := upstream.Chunks(completionOf(message, finish))
	require.NoError(t, err)
	return upstream.Answer{Body: body}
}

func completionOf(message, finish string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":` + message +
		`,"logprobs":null,"finish_reason":"` + finish + `"}],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30,` +
		`"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}}}`
}

func chatCall(id, name, arguments string) string {
	return fmt.Sprintf(`{"id":"%s","type":"function","function":{"name":"%s","arguments":%q}}`, id, name, arguments)
}

// twoFunctions are what composed cases may call.
const twoFunctions = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},` +
	`{"type":"function","function":{"name":"now"}}`

// A composedCase is a conversation with a provider whose answers were composed.
type composedCase struct {
	name    string
	answers []upstream.Answer
	tools   string // of the assistant, functions unless it is set
	files   bool   // the assistant has files for its tools: file_1 in vs_1
	options string // more of the run
	said    []string
	images  int
	status  string // of the run; "" is completed
	reason  string // why it is incomplete, or code and message of its last_error
	usage   int    // how many answers' usage it has
}

const (
	weatherCall = "function get_weather {\"city\":\"Paris\"} call_a"
	nowCall     = "function now {} call_b"
	brokeOff    = "server_error: The model's answer broke off."
)

func responsesCases(t *testing.T) []composedCase {
	paris, now := callItem("call_a", "get_weather", `{"city":"Paris"}`), callItem("call_b", "now", "{}")
	end := textItem("The end.")
	failed := func(code, message string) string {
		return fmt.Sprintf(`,"error":{"code":"%s","message":"%s"},"usage":null`, code, message)
	}
	errorEvent := func(answer upstream.Answer) upstream.Answer {
		head, _, _ := strings.Cut(answer.Body, "event: response.output_text.done")
		return upstream.Answer{Body: head + "event: error\ndata: {\"type\":\"error\",\"sequence_number\":9,\"code\":\"rate_limit_exceeded\"," +
			"\"message\":\"Slow down, " + providerKey + "!\",\"param\":null}\n\n"}
	}
	cut := func(answer upstream.Answer) upstream.Answer {
		head, _, _ := strings.Cut(answer.Body, "event: response.output_text.done")
		return upstream.Answer{Body: head}
	}
	return []composedCase{
		{name: "text", answers: []upstream.Answer{composed(t, textItem("Good morning to all of you, said the 🐈."))},
			said: []string{"text: Good morning to all of you, said the 🐈."}, usage: 1},
		{name: "nothing", answers: []upstream.Answer{composed(t)}, usage: 1},
		{name: "two messages", answers: []upstream.Answer{composed(t, textItem("One."), strings.Replace(textItem("Two."), "msg_p1", "msg_p2", 1))},
			said: []string{"text: One.", "text: Two."}, usage: 1},
		{name: "function", answers: []upstream.Answer{composed(t, paris), composed(t, end)},
			said: []string{weatherCall, "text: The end."}, usage: 2},
		{name: "parallel functions", answers: []upstream.Answer{composed(t, paris, now), composed(t, end)},
			said: []string{weatherCall, nowCall, "text: The end."}, usage: 2},
		{name: "functions behind text, twice", answers: []upstream.Answer{
			composed(t, textItem("Let me see."), paris), composed(t, textItem("And now?"), now), composed(t, end),
		}, said: []string{"text: Let me see.", weatherCall, "text: And now?", nowCall, "text: The end."}, usage: 3},
		{name: "reasoning", answers: []upstream.Answer{composed(t, reasoningItem, paris), composed(t, end)},
			options: `,"model":"o3-mini"`, said: []string{weatherCall, "text: The end."}, usage: 2},
		{name: "file search", tools: `{"type":"file_search"}`, files: true, answers: []upstream.Answer{composed(t, searchItem, messageItem(
			`{"type":"output_text","text":"Thirty days – a year.","annotations":[{"type":"file_citation","file_id":"file_101","filename":"handbook.md","index":20}]}`))},
			said: []string{"search", "text: Thirty days – a year."}, usage: 1},
		{name: "code interpreter", tools: `{"type":"code_interpreter"}`, files: true, answers: []upstream.Answer{composed(t, codeItem, messageItem(
			`{"type":"output_text","text":"See [it](sandbox:/mnt/data/plot.csv) – there.","annotations":[`+
				`{"type":"container_file_citation","container_id":"cntr_7","file_id":"cfile_8","filename":"plot.csv","start_index":9,"end_index":35},`+
				`{"type":"container_file_citation","container_id":"cntr_7","file_id":"cfile_9","filename":"cfile_9.png","start_index":0,"end_index":0}]}`))},
			said: []string{"code print(1)\nplot()", "text: See [it](sandbox:/mnt/data/plot.csv) – there."}, images: 1, usage: 1},
		{name: "code behind a function", tools: twoFunctions + `,{"type":"code_interpreter"}`, answers: []upstream.Answer{
			composed(t, paris, codeItem), composed(t, end),
		}, said: []string{weatherCall, "code print(1)\nplot()", "text: The end."}, usage: 2},
		{name: "words behind a function", answers: []upstream.Answer{composed(t, paris, textItem("One moment.")), composed(t, end)},
			said: []string{weatherCall, "text: One moment.", "text: The end."}, usage: 2},
		{name: "unknown items", answers: []upstream.Answer{composed(t, webItem, mcpItem, `{"type":"a_new_kind","id":"x_1"}`, end)},
			said: []string{"text: The end."}, usage: 1},
		{name: "refusal", answers: []upstream.Answer{composed(t, messageItem(`{"type":"refusal","refusal":"I cannot tell you that."}`))},
			said: []string{"refusal: I cannot tell you that."}, usage: 1},
		{name: "too few tokens", options: `,"max_completion_tokens":16`, answers: []upstream.Answer{streamed(t, responseOf("incomplete",
			`,"incomplete_details":{"reason":"max_output_tokens"}`, textItem("Once upon a time")))},
			status: "incomplete", reason: "max_completion_tokens", said: []string{"text: Once upon a time"}, usage: 1},
		{name: "content filter", answers: []upstream.Answer{streamed(t, responseOf("incomplete", `,"incomplete_details":{"reason":"content_filter"}`,
			textItem("First you")))}, status: "incomplete", reason: "content_filter", said: []string{"text: First you"}, usage: 1},
		{name: "failed", answers: []upstream.Answer{streamed(t, responseOf("failed", failed("server_error", "Something broke.")))},
			status: "failed", reason: "server_error: Something broke."},
		{name: "failed by an image", answers: []upstream.Answer{streamed(t, responseOf("failed", failed("invalid_image_format", "No image.")))},
			status: "failed", reason: "invalid_prompt: No image."},
		{name: "failed behind text", answers: []upstream.Answer{streamed(t, responseOf("failed", failed("server_error", "Broken."), textItem("I was")))},
			status: "failed", reason: "server_error: Broken.", said: []string{"text: I was"}},
		{name: "refused", answers: []upstream.Answer{{Status: http.StatusTooManyRequests, Body: `{"error":{"message":"Slow down.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`}},
			status: "failed", reason: "rate_limit_exceeded: Slow down."},
		{name: "unauthorized", answers: []upstream.Answer{{Status: http.StatusUnauthorized,
			Body: `{"error":{"message":"Incorrect API key provided: ` + providerKey + `.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`}},
			status: "failed", reason: "server_error: The model's provider did not accept the key of this server."},
		{name: "error event", answers: []upstream.Answer{errorEvent(composed(t, textItem("I was writing")))},
			status: "failed", reason: "rate_limit_exceeded: Slow down, [redacted]!", said: []string{"text: I was writing"}},
		{name: "cut off", answers: []upstream.Answer{cut(composed(t, textItem("I was writing")))},
			status: "failed", reason: brokeOff, said: []string{"text: I was writing"}},
		{name: "interleaved", answers: []upstream.Answer{interleaved(t, textItem("Let me see this."), paris, now), composed(t, end)},
			said: []string{"text: Let me see this.", weatherCall, nowCall, "text: The end."}, usage: 2},
	}
}

func chatCases(t *testing.T) []composedCase {
	calls := func(all ...string) string { return `{"content":null,"tool_calls":[` + strings.Join(all, ",") + `]}` }
	paris, now := chatCall("call_a", "get_weather", `{"city":"Paris"}`), chatCall("call_b", "now", "{}")
	end := composedChat(t, `{"content":"The end."}`, "stop")
	raw := func(chunks ...string) upstream.Answer {
		var b strings.Builder
		for _, c := range chunks {
			b.WriteString("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\"," + c + "}\n\n")
		}
		return upstream.Answer{Body: b.String()}
	}
	choice := func(delta, finish string) string {
		return `"choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]`
	}
	done := func(a upstream.Answer) upstream.Answer { return upstream.Answer{Body: a.Body + "data: [DONE]\n\n"} }
	return []composedCase{
		{name: "text", answers: []upstream.Answer{composedChat(t, `{"content":"Good morning to all of you, said the 🐈."}`, "stop")},
			said: []string{"text: Good morning to all of you, said the 🐈."}, usage: 1},
		{name: "nothing", answers: []upstream.Answer{composedChat(t, `{"content":null}`, "stop")}, usage: 1},
		{name: "function", answers: []upstream.Answer{composedChat(t, calls(paris), "tool_calls"), end},
			said: []string{weatherCall, "text: The end."}, usage: 2},
		{name: "parallel functions", answers: []upstream.Answer{composedChat(t, calls(paris, now), "tool_calls"), end},
			said: []string{weatherCall, nowCall, "text: The end."}, usage: 2},
		{name: "functions behind text, twice", answers: []upstream.Answer{
			composedChat(t, `{"content":"Let me see.","tool_calls":[`+paris+`]}`, "tool_calls"),
			composedChat(t, `{"content":"And now?","tool_calls":[`+now+`]}`, "tool_calls"), end,
		}, said: []string{"text: Let me see.", weatherCall, "text: And now?", nowCall, "text: The end."}, usage: 3},
		{name: "refusal", answers: []upstream.Answer{composedChat(t, `{"content":null,"refusal":"I cannot tell you that."}`, "stop")},
			said: []string{"refusal: I cannot tell you that."}, usage: 1},
		{name: "too few tokens", options: `,"max_completion_tokens":16`, answers: []upstream.Answer{composedChat(t, `{"content":"Once upon a time"}`, "length")},
			status: "incomplete", reason: "max_completion_tokens", said: []string{"text: Once upon a time"}, usage: 1},
		{name: "content filter", answers: []upstream.Answer{composedChat(t, `{"content":"First you"}`, "content_filter")},
			status: "incomplete", reason: "content_filter", said: []string{"text: First you"}, usage: 1},
		{name: "refused", answers: []upstream.Answer{{Status: http.StatusTooManyRequests, Body: `{"error":{"message":"Slow down.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`}},
			status: "failed", reason: "rate_limit_exceeded: Slow down."},
		{name: "unauthorized", answers: []upstream.Answer{{Status: http.StatusUnauthorized,
			Body: `{"error":{"message":"Incorrect API key provided: ` + providerKey + `.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`}},
			status: "failed", reason: "server_error: The model's provider did not accept the key of this server."},
		{name: "error in the stream", answers: []upstream.Answer{done(upstream.Answer{Body: raw(choice(`{"content":"I was"}`, "null")).Body +
			"data: {\"error\":{\"message\":\"Slow down, " + providerKey + "!\",\"code\":\"rate_limit_exceeded\"}}\n\n"})},
			status: "failed", reason: "rate_limit_exceeded: Slow down, [redacted]!", said: []string{"text: I was"}},
		{name: "cut off", answers: []upstream.Answer{raw(choice(`{"role":"assistant","content":"I was"}`, "null"))},
			status: "failed", reason: brokeOff, said: []string{"text: I was"}},
		{name: "no end", answers: []upstream.Answer{raw(choice(`{"role":"assistant","content":"All."}`, "null"), choice(`{}`, `"stop"`))},
			said: []string{"text: All."}},
		{name: "calls that stop, whole, without an index", answers: []upstream.Answer{done(raw(choice(`{"tool_calls":[`+paris+`]}`, "null"),
			choice(`{"tool_calls":[`+now+`]}`, `"stop"`))), end}, said: []string{weatherCall, nowCall, "text: The end."}, usage: 1},
		{name: "an id in every fragment", answers: []upstream.Answer{done(raw(
			choice(`{"tool_calls":[{"index":0,"id":"call_b","type":"function","function":{"name":"now","arguments":"{"}}]}`, "null"),
			choice(`{"tool_calls":[{"index":0,"id":"call_b","type":"function","function":{"arguments":"}"}}]}`, "null"),
			choice(`{}`, `"tool_calls"`))), end}, said: []string{nowCall, "text: The end."}, usage: 1},
		{name: "mixed fragments", answers: []upstream.Answer{done(raw(
			choice(`{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"get_weather","arguments":""}},`+
				`{"index":1,"id":"call_b","type":"function","function":{"name":"now","arguments":""}}]}`, "null"),
			choice(`{"tool_calls":[{"index":1,"function":{"arguments":"{}"}},{"index":0,"function":{"arguments":"{\"city\":"}}]}`, "null"),
			choice(`{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]}`, `"tool_calls"`))), end},
			said: []string{weatherCall, nowCall, "text: The end."}, usage: 1},
		{name: "reasoning, comments and carriage returns", answers: []upstream.Answer{{Body: "data: " + strings.ReplaceAll(strings.TrimPrefix(done(raw(
			choice(`{"role":"assistant","reasoning_content":"Hm."}`, "null"), choice(`{"content":"Aha."}`, `"stop"`))).Body, "data: "), "\n\n", "\r\n\r\n: ping\r\n\r\n")}},
			said: []string{"text: Aha."}},
		{name: "no stream", answers: []upstream.Answer{{Body: completionOf(calls(paris, now), "tool_calls")}, {Body: completionOf(`{"content":"The end."}`, "stop")}},
			said: []string{weatherCall, nowCall, "text: The end."}, usage: 2},
	}
}

// TestComposedModels has the models get answers that were composed, of what was not recorded. Their streams are in
// testdata/models.
func TestComposedModels(t *testing.T) {
	t.Parallel()
	for api, cases := range map[string][]composedCase{responsesAPI: responsesCases(t), chatAPI: chatCases(t)} {
		for _, c := range cases {
			t.Run(api+" "+c.name, func(t *testing.T) {
				t.Parallel()
				h := newModelHost(t, api, upstream.New(c.answers...))
				thread := h.made("/threads", `{"messages":[{"role":"user","content":"Hello."}]}`)
				got := h.stream(h.composedAssistant(&c), thread, c.options)
				require.Empty(t, violations(got.streams), strings.Join(got.streams, ""))
				require.Equal(t, c.said, got.said)
				require.Equal(t, c.images, got.images)
				requireOutcome(t, &c, got)
				require.NotContains(t, strings.Join(got.streams, ""), providerKey)
				require.Len(t, h.provider.Asked(), len(c.answers))
				golden(t, api+" "+c.name, strings.Join(got.streams, "\n"))
			})
		}
	}
}

// composedAssistant makes the assistant of a case.
func (h *modelHost) composedAssistant(c *composedCase) string {
	h.t.Helper()
	tools, resources := c.tools, ""
	if tools == "" {
		tools = twoFunctions
	}
	if c.files {
		file, store := h.upload("handbook.md", "Leave is thirty days.")
		resources = `,"tool_resources":{"file_search":{"vector_store_ids":["` + store + `"]}}`
		if strings.Contains(tools, "code_interpreter") {
			resources = `,"tool_resources":{"code_interpreter":{"file_ids":["` + file + `"]}}`
		}
	}
	return h.made("/assistants", `{"model":"gpt-4o","instructions":"Be kind.","tools":[`+tools+`]`+resources+`}`)
}

func requireOutcome(t *testing.T, c *composedCase, got *ran) {
	t.Helper()
	status := c.status
	if status == "" {
		status = "completed"
	}
	reason := ""
	switch run := got.run; {
	case run.LastError != nil:
		reason = string(run.LastError.Code) + ": " + run.LastError.Message
	case run.IncompleteDetails != nil:
		reason = string(run.IncompleteDetails.Reason)
	}
	require.Equal(t, status, string(got.run.Status), reason)
	require.Equal(t, c.reason, reason)
	var usage [5]int
	for range c.usage {
		usage = sum(usage, endUsage)
	}
	require.Equal(t, usage, totals(got.run.Usage))
}
