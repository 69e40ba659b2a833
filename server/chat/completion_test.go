package chat_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// ways are answers that mean the same, or as good as. Servers really answer in each of them.
var ways = []struct {
	name   string
	answer http.HandlerFunc
	text   string
	called []string
}{
	{"as it should be", streams(delta(`"role":"assistant","content":""`), word("Hi"), finish("stop"), spent("1", "2"), done), "Hi", nil},
	{"no [DONE]", streams(word("Hi"), finish("stop")), "Hi", nil},
	{"no finish_reason", streams(word("Hi"), done), "Hi", nil},
	{"usage alone ends it", streams(word("Hi"), spent("1", "2")), "Hi", nil},
	{"usage first", streams(`{"choices":[],"usage":{"prompt_tokens":1}}`, word("Hi"), finish("stop")), "Hi", nil},
	{"white space in front", streams(word("\n"), word(" \n"), word("Hi"), finish("stop")), "\n \nHi", nil},
	{"white space alone", streams(word("\n\n"), finish("stop")), "\n\n", nil},
	{"white space in front of calls", streams(word("\n\n"), calls("0", "a", "f", "{}"), finish("stop")), "", []string{"f{}"}},
	{"usage with the last content", streams(word("H"),
		`{"choices":[{"delta":{"content":"i"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, done), "Hi", nil},
	{"[DONE] without its empty line", says(200, events(word("Hi"), finish("stop"))+"data: [DONE]"), "Hi", nil},
	{"CRLF and comments", says(200, strings.ReplaceAll(": wait\n\n"+events(word("Hi"))+": more\n"+events(finish("stop"), done), "\n", "\r\n")), "Hi", nil},
	{"null", streams(delta(`"content":null,"refusal":null,"tool_calls":null,"function_call":null`), word("Hi"),
		`{"choices":[{"index":0,"delta":null,"finish_reason":null}],"usage":null,"error":null}`, `{"choices":null}`, finish("stop"), done), "Hi", nil},
	{"empty lists", streams(`{"choices":[]}`, delta(`"tool_calls":[]`), word("Hi"), finish("stop"), done), "Hi", nil},
	{"parts", streams(delta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":null},{"type":"text","text":"H"},"i"]`), finish("stop")), "Hi", nil},
	{"thoughts", streams(delta(`"reasoning_content":"hm"`), delta(`"reasoning":"hm","reasoning_details":[{}]`), word("Hi"), finish("stop")), "Hi", nil},
	{"several choices", streams(word("H"), `{"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"}]}`,
		`{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"i"}}]}`, finish("stop"), done), "Hi", nil},
	{"no index", streams(`{"choices":[{"delta":{"content":"Hi"}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`), "Hi", nil},
	{"an index in quotes", streams(`{"choices":[{"index":"0","delta":{"content":"Hi"},"finish_reason":"eos"}]}`), "Hi", nil},
	{"whole", says(200, `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":1,"completion_tokens":2}}`), "Hi", nil},
	{"whole in a stream", streams(`{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}`, done), "Hi", nil},
	{"whole with calls", says(200, `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","type":"function",`+
		`"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`), "", []string{"f{}"}},
	{"a message beside each delta", streams(
		`{"choices":[{"message":{"role":"assistant","content":""},"delta":{"role":"assistant","content":""}}]}`,
		`{"choices":[{"message":{"role":"assistant","content":"H"},"delta":{"content":"H"}}]}`,
		`{"choices":[{"message":{"role":"assistant","content":"Hi"},"delta":{"content":"i"}}]}`,
		`{"choices":[{"message":{"role":"assistant","content":"Hi"},"delta":{"content":""},"finish_reason":"stop"}]}`, done), "Hi", nil},
	{"a message at the end", streams(word("H"), word("i"), `{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}`, done), "Hi", nil},
	{"a message with nothing beside it", streams(`{"choices":[{"delta":{},"message":{"content":"Hi"},"finish_reason":"stop"}]}`, done), "Hi", nil},
	{"whole with both", says(200, `{"choices":[{"delta":{"content":"H"},"message":{"content":"Hi"},"finish_reason":"stop"}]}`), "Hi", nil},
	{"whole with a delta", says(200, `{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}`), "Hi", nil},
	{"calls in both", streams(
		`{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}`,
		`{"choices":[{"delta":{},"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`), "", []string{"f{}"}},
	{"filtered whole", says(200, `{"choices":[{"finish_reason":"stop","index":0}],"usage":{}}`), "", nil},
	{"refusal", streams(delta(`"refusal":"I can"`), delta(`"refusal":"not."`), finish("stop"), done), "I cannot.", nil},
	{"escapes", streams(delta(`"content":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`), finish("stop")), "\"\\/\b\f\n\r\té😀", nil},
	{"half a surrogate pair", streams(delta(`"content":"a\ud83d"`), delta(`"content":""`), delta(`"content":"\ude00b"`), finish("stop")), "a😀b", nil},
	{"halves without the other", streams(delta(`"content":"a\ud83d"`), delta(`"content":"b\ude00\ud83dc\ud83d"`), finish("stop")), "a�b��c�", nil},
	{"half a character", streams(delta("\"content\":\"a\xf0\x9f\""), delta("\"content\":\"\x98\x80b\""), finish("stop")), "a😀b", nil},
	{"Korean", streams(delta(`"content":"한"`), delta("\"content\":\"\xed\""), delta("\"content\":\"\x95\x9c\""), finish("stop")), "한한", nil},

	{"calls", streams(delta(`"role":"assistant","content":null`), delta(`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]`), delta(`"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]`),
		calls("1", "b", "g", `{"y":2}`), finish("tool_calls"), done), "", []string{`f{"x":1}`, `g{"y":2}`}},
	{"calls and stop", streams(calls("0", "a", "f", "{}"), finish("stop"), done), "", []string{"f{}"}},
	{"text and calls", streams(word("So:"), calls("0", "a", "f", "{}"), finish("tool_calls"), done), "So:", []string{"f{}"}},
	{"text behind calls", streams(calls("0", "a", "f", "{}"), word("So:"), finish("tool_calls"), done), "So:", []string{"f{}"}},
	{"mixed fragments", streams(
		delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}]`),
		delta(`"tool_calls":[{"index":1,"function":{"arguments":"{\"y\":"}}]`), delta(`"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]`),
		delta(`"tool_calls":[{"index":1,"function":{"arguments":"2}"}}]`), finish("tool_calls")), "", []string{`f{"x":1}`, `g{"y":2}`}},
	{"the id in every fragment", streams(
		delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]`),
		delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}]`), finish("tool_calls")), "", []string{`f{"x":1}`}},
	{"the id in every fragment, without an index", streams(
		delta(`"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]`), delta(`"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{"}}]`),
		delta(`"tool_calls":[{"id":"a","function":{"arguments":"1}"}}]`), delta(`"tool_calls":[{"id":"b","function":{"arguments":"}"}}]`), finish("tool_calls")),
		"", []string{`f{"x":1}`, `g{}`}},
	{"another id in every fragment", streams(
		delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]`),
		delta(`"tool_calls":[{"index":0,"id":"b","function":{"arguments":"1}"}}]`), finish("tool_calls")), "", []string{`f{"x":1}`}},
	{"another id in every fragment, without an index", streams(
		delta(`"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]`),
		delta(`"tool_calls":[{"id":"b","function":{"arguments":"1}"}}]`), finish("tool_calls")), "", []string{`f{"x":1}`}},
	{"the name in every fragment, and no id", streams(
		delta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]`), delta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":"}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1"}}]`), delta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]`), finish("stop")),
		"", []string{`f{"x":1}`}},
	{"neither index nor id", streams(delta(`"tool_calls":[{"function":{"name":"f","arguments":"{\"x\":1}"}},{"function":{"name":"f","arguments":"{\"x\":2}"}},`+
		`{"function":{"name":"g","arguments":"{}"}}]`), finish("tool_calls")), "", []string{`f{"x":1}`, `f{"x":2}`, `g{}`}},
	{"always index 0", streams(calls("0", "a", "f", "{}"), calls("0", "b", "f", `{"x":1}`), calls("0", "c", "g", "{}"), finish("tool_calls")),
		"", []string{"f{}", `f{"x":1}`, "g{}"}},
	{"one id for all", streams(calls("0", "a", "f", "{}"), calls("1", "a", "g", "{}"), finish("tool_calls")), "", []string{"f{}", "g{}"}},
	{"arguments that are an object", streams(delta(`"tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]`), finish("stop")), "", []string{`f{"x":1}`}},
	{"no arguments", streams(delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"id":"b","function":{"name":"g","arguments":null}}]`),
		finish("tool_calls")), "", []string{"f{}", "g{}"}},
	{"arguments that are no JSON", streams(calls("0", "a", "f", "{x"), finish("tool_calls")), "", []string{"f{x"}},
	{"half a character in arguments", streams(delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"\"\ud83d"}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"arguments":"\ude00\""}}]`), finish("tool_calls")), "", []string{`f"😀"`}},
	{"an empty call", streams(delta(`"tool_calls":[{"index":0}]`), word("Hi"), finish("stop")), "Hi", nil},
	{"a legacy call", streams(delta(`"function_call":{"name":"f","arguments":""}`), delta(`"function_call":{"arguments":"{}"}`), finish("function_call")),
		"", []string{"f{}"}},
}

// Whatever the way, the caller sees the same.
func TestWays(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f"), functionTool("g")}}, nil, way.answer, answers("."))
			s := k.hello()
			require.Equal(t, assistants.RunCompleted, s.run.Status, "%v %s", s.run.LastError, k.log)
			want := way.text
			if way.called != nil {
				want = strings.TrimPrefix(want+"\n.", "\n")
			}
			assert.Equal(t, want, s.text())
			assert.Equal(t, way.called, s.called())
		})
	}
}

// What the model has cost is booked where it can be found.
func TestUsage(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
		streams(word("So:"), calls("0", "a", "f", "{}"), finish("tool_calls"), `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,`+
			`"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}`, done),
		answers("."))
	s := k.hello()
	require.Len(t, s.steps, 3)
	for i, want := range [][2]int{{0, 0}, {10, 5}, {3, 2}} {
		assert.Equal(t, want, [2]int{s.steps[i].Usage.PromptTokens, s.steps[i].Usage.CompletionTokens}, i)
	}
	assert.Equal(t, 13, s.run.Usage.PromptTokens)
	assert.Equal(t, 7, s.run.Usage.CompletionTokens)
	assert.Equal(t, 4, s.run.Usage.PromptTokenDetails.CachedTokens)
	assert.Equal(t, 3, s.run.Usage.CompletionTokensDetails.ReasoningTokens)
}

// An answer that is cut, and says so, is incomplete and not lost.
func TestCut(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"length": "max_completion_tokens", "content_filter": "content_filter"} {
		k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
			streams(word("So:"), calls("0", "a", "f", `{"x`), finish(reason), done))
		s := k.hello()
		assert.Equal(t, assistants.RunIncomplete, s.run.Status)
		assert.Equal(t, want, s.run.IncompleteDetails.Reason)
		assert.Equal(t, "So:", s.text())
		assert.Equal(t, []string{`f{"x`}, s.called())
	}
}
