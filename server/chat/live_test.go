package chat_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// more is a chunk with more of a call, or the beginning of one: these members of it.
func more(members string) string { return delta(`"tool_calls":[{` + members + `}]`) }

// Calls go out as they come, one after the other.
func TestCallsAreStreamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		chunks []string
		want   []string // "new" is an id that was made here
	}{
		{"in fragments", []string{word("So"), more(`"index":0,"id":"a","function":{"name":"f","arguments":""}`), more(`"index":0,"function":{"arguments":"{\"x\""}`),
			more(`"index":0,"function":{"arguments":":1}"}`)}, []string{"So", "a f", `{"x"`, ":1}"}},
		{"one behind the other", []string{more(`"index":0,"id":"a","function":{"name":"f","arguments":"{"}`), more(`"index":0,"function":{"arguments":"}"}`),
			more(`"index":1,"id":"b","function":{"name":"g","arguments":"{"}`), more(`"index":1,"function":{"arguments":"}"}`)},
			[]string{"a f", "{", "}", "b g", "{", "}"}},
		{"mixed", []string{more(`"index":0,"id":"a","function":{"name":"f","arguments":"{"}`), calls("1", "b", "g", "{}"), more(`"index":0,"function":{"arguments":"}"}`),
			calls("2", "c", "g", "[]")}, []string{"a f", "{", "}", "b g{}", "c g[]"}},
		{"white space behind the end", []string{calls("0", "a", "f", "{}"), calls("1", "b", "g", "{}"), more(`"index":0,"function":{"arguments":" \n"}`)},
			[]string{"a f", "{}", "b g", "{}"}},
		{"whole", []string{delta(`"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":{"x":1}}}]`)},
			[]string{"a f", "{}", "b g", `{"x":1}`}},
		{"no id", []string{more(`"index":0,"function":{"name":"f","arguments":"{"}`), more(`"index":0,"function":{"arguments":"}"}`)}, []string{"new f", "{", "}"}},
		{"the id later", []string{more(`"function":{"name":"f","arguments":"{"}`), more(`"id":"a","function":{"arguments":"}"}`), more(`"id":"b","function":{"name":"g","arguments":"1"}`),
			more(`"id":"a","function":{"arguments":" "}`)}, []string{"new f", "{", "}", "b g", "1"}},
		{"an id that is taken", []string{calls("0", "a", "f", "{}"), calls("1", "a", "g", "{}")}, []string{"a f", "{}", "new g", "{}"}},
		{"the id in every fragment", []string{more(`"id":"a","function":{"name":"f","arguments":"{"}`), more(`"id":"a","function":{"name":"f","arguments":"}"}`)},
			[]string{"a f", "{", "}"}},
		{"the name later", []string{more(`"index":0,"id":"a","function":{"arguments":"{"}`), calls("1", "b", "g", "{}"), word("So"), more(`"index":0,"function":{"name":"f","arguments":"}"}`)},
			[]string{"So", "a f", "{}", "b g", "{}"}},
		{"always index 0", []string{calls("0", "a", "f", "{}"), calls("0", "b", "f", "[]"), calls("0", "c", "g", "{}")},
			[]string{"a f", "{}", "b f", "[]", "c g", "{}"}},
		{"a legacy call", []string{delta(`"function_call":{"name":"f","arguments":""}`), delta(`"function_call":{"arguments":"{"}`), delta(`"function_call":{"arguments":"}"}`)},
			[]string{"new f", "{", "}"}},
		{"no arguments", []string{calls("0", "a", "f", ""), calls("1", "b", "g", "")}, []string{"a f", "{}", "b g{}"}},
		{"white space as arguments", []string{calls("0", "a", "f", " ")}, []string{"a f", " ", "{}"}},
		{"arguments that are no JSON", []string{calls("0", "a", "f", "{x"), calls("1", "b", "g", "{}")}, []string{"a f", "{x", "b g{}"}},
		{"half a character", []string{delta(`"content":"a\ud83d"`), more(`"id":"a","function":{"name":"f","arguments":"\"\ud83d"}`), more(`"id":"a","function":{"arguments":"\ude00\""}`)},
			[]string{"a", "\uFFFD", "a f", `"`, `😀"`}},
		{"half a character behind the end", []string{more(`"id":"a","function":{"name":"f","arguments":"1\ud83d"}`), calls("1", "b", "g", "{}")},
			[]string{"a f", "1", "\uFFFD", "b g{}"}},
		{"an empty call between", []string{calls("0", "a", "f", "{}"), more(`"index":1`), calls("2", "b", "g", "{}")}, []string{"a f", "{}", "b g{}"}},
		{"white space in front", []string{word("\n"), calls("0", "a", "f", "{}"), word(" ")}, []string{"a f", "{}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			y := respond(t, streams(append(test.chunks, finish("tool_calls"), done)...), question())
			require.NoError(t, y.failed)
			made := regexp.MustCompile(`^call_[A-Z2-7]{24} `)
			for i := range y.events {
				y.events[i] = made.ReplaceAllString(y.events[i], "new ")
			}
			assert.Equal(t, test.want, y.events)
			assert.Nil(t, y.state, "the history says it all")
		})
	}
}

// A call is told as soon as it is known which function is called, and its arguments as they come, whatever the
// provider writes later.
func TestCallIsToldAtOnce(t *testing.T) {
	t.Parallel()
	told := make(chan struct{})
	k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil, func(w http.ResponseWriter, r *http.Request) {
		streams(more(`"index":0,"id":"a","function":{"name":"f","arguments":""}`), more(`"index":0,"function":{"arguments":"{"}`))(w, r)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-told:
		case <-r.Context().Done():
		}
		streams(more(`"index":0,"function":{"arguments":"}"}`), finish("tool_calls"), done)(w, r)
	})
	stream, err := k.client.Threads.CreateAndRunStream(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: k.assistant,
		Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("?")}}})
	require.NoError(t, err)
	defer stream.Close()
	var deltas []string
	for e, err := range stream.Events() {
		require.NoError(t, err)
		if e.RunStepDelta == nil {
			continue
		}
		for _, c := range e.RunStepDelta.Delta.StepDetails.ToolCalls {
			deltas = append(deltas, c.ID+c.Function.Name+c.Function.Arguments)
		}
		if len(deltas) == 2 {
			close(told)
		}
	}
	assert.Equal(t, []string{"af", "{", "}"}, deltas)
	assert.Equal(t, assistants.RunRequiresAction, stream.Run().Status)
}

// What the model says behind calls is told when their outputs are there, as a message of its own. The model sees it
// where it said it, in every round.
func TestWordsBehindCalls(t *testing.T) {
	t.Parallel()
	call := calls("0", "a", "f", "{}")
	refused := delta(`"refusal":"I will not."`)
	for _, test := range []struct {
		name   string
		chunks []string
		text   string // what is told of it, one message in a line
		seen   string // by the provider's model
		kinds  []string
	}{
		{"text", []string{call, word("Fir"), word("st.")}, "First.", "First.", []string{"function", "message_creation"}},
		{"text on both sides", []string{word("Now: "), call, word("First.")}, "Now: \nFirst.", "Now: First.", []string{"message_creation", "function", "message_creation"}},
		{"text between calls", []string{call, word("First."), calls("1", "b", "f", `{"y":1}`)}, "First.", "First.", []string{"function", "message_creation"}},
		{"a refusal", []string{call, refused}, "I will not.", "I will not.", []string{"function", "message_creation"}},
		{"both", []string{call, word("Hm."), refused}, "Hm.I will not.", "Hm.\nI will not.", []string{"function", "message_creation"}},
		{"half a character", []string{call, delta(`"content":"a\ud83d"`)}, "a�", "a�", []string{"function", "message_creation"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
				streams(append(test.chunks, finish("tool_calls"), spent("10", "5"), done)...),
				streams(word("Second."), calls("0", "c", "f", `{"z":1}`), finish("tool_calls"), done), answers("Third."))
			s := k.hello()
			require.Equal(t, assistants.RunCompleted, s.run.Status, "%v %s", s.run.LastError, k.log)
			assert.Equal(t, test.text+"\nSecond.\nThird.", s.text())
			assert.Equal(t, append(test.kinds, "message_creation", "function", "message_creation"), s.kinds())
			assert.Equal(t, 13, s.run.Usage.PromptTokens)

			second, third := k.sent(1), k.sent(2)
			said := lastSaid(t, k.upstream.requests()[1])
			assert.Equal(t, test.seen, said.Content)
			assert.Equal(t, "a", said.ToolCalls[0].ID)
			assert.Equal(t, second, third[:len(second)], "the history stays the same")
			assert.JSONEq(t, `{"role":"assistant","content":"Second.","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"z\":1}"}}]}`,
				third[len(second)])
			assert.Equal(t, []string{"user", "assistant", "tool"}, roles(t, second)[:3])
		})
	}
}

// roles are those of messages.
func roles(t *testing.T, messages []string) (roles []string) {
	for _, m := range messages {
		found := regexp.MustCompile(`^\{"role":"(\w+)"`).FindStringSubmatch(m)
		require.NotEmpty(t, found)
		roles = append(roles, found[1])
	}
	return roles
}

// A mark in what comes late is that of a place in a file, as anywhere else.
func TestMarksBehindCalls(t *testing.T) {
	t.Parallel()
	const mark = "【4:0†handbook.md】"
	call := question()
	call.History = append(call.History, server.Turn{Message: &assistants.Message{Role: assistants.RoleAssistant, Content: []assistants.ContentPart{{
		Text: &assistants.Text{Value: mark, Annotations: []assistants.Annotation{{Text: mark, FileCitation: &assistants.FileCitation{FileID: "file-1"}}}}}}}})
	y := respond(t, streams(word("【"), calls("0", "a", "f", "{}"), word("See 【4:"), word("0】"), finish("stop")), call)
	require.NoError(t, y.failed)
	assert.Equal(t, []string{"【", "a f", "{}"}, y.events, "what was held back is text")
	call.Round, call.State = 1, y.state
	y = respond(t, answers("So."), call)
	require.NoError(t, y.failed)
	assert.Equal(t, "See "+mark+"So.", y.text)
	assert.Equal(t, []string{"See ", "cited " + mark, "server.NewMessage{}", "So."}, y.events)
	assert.NotContains(t, string(y.state), `"late"`, "it is told once")
}

// An answer that is cut loses what came behind its calls, for the run does not go on.
func TestCutBehindCalls(t *testing.T) {
	t.Parallel()
	y := respond(t, streams(word("So"), calls("0", "a", "f", "{}"), word("First."), finish("length"), done), question())
	require.NoError(t, y.failed)
	assert.Equal(t, []string{"So", "a f", "{}", "server.Finishlength"}, y.events)
	assert.Nil(t, y.state)
}

// The caller does not see calls of functions that the run does not have: the model is told, and goes on.
func TestFunctionsThatNobodyHas(t *testing.T) {
	t.Parallel()
	const none = `"content":"There is no such function.","tool_call_id":"x"`
	unknown := calls("0", "x", "get_it", "{")
	for _, test := range []struct {
		name   string
		chunks []string
		called []string
		text   string
		kinds  []string
	}{
		{"alone", []string{unknown}, nil, "So.", []string{"message_creation"}},
		{"behind text", []string{word("Let me see."), unknown}, nil, "Let me see.\nSo.", []string{"message_creation", "message_creation"}},
		{"in front of text", []string{unknown, word("Let me see.")}, nil, "Let me see.\nSo.", []string{"message_creation", "message_creation"}},
		{"in front of others", []string{unknown, calls("1", "a", "f", "{}"), word("Late.")}, []string{"f{}"}, "Late.\nSo.", []string{"message_creation", "function", "message_creation"}},
		{"behind others", []string{calls("1", "a", "f", `{"y":1}`), unknown, calls("2", "b", "f", "{}")}, []string{`f{"y":1}`, "f{}"}, "So.", []string{"function", "message_creation"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
				streams(append(test.chunks, finish("tool_calls"), spent("10", "5"), done)...), answers("So."))
			s := k.hello()
			require.Equal(t, assistants.RunCompleted, s.run.Status, s.run.LastError)
			assert.Equal(t, test.called, s.called())
			assert.Equal(t, test.text, s.text())
			assert.Equal(t, test.kinds, s.kinds())
			assert.Equal(t, 13, s.run.Usage.PromptTokens)
			assert.Contains(t, k.upstream.requests()[1], none)
		})
	}
	k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil, streams(unknown, finish("tool_calls")))
	assert.Equal(t, assistants.RunFailed, k.hello().run.Status)
	assert.Len(t, k.upstream.requests(), 9, "there is an end")
}

// Where a tool that is served here may have to come first, functions are told whole, behind all text.
func TestFunctionsBesideOwnTools(t *testing.T) {
	t.Parallel()
	runner := runnerFunc(func(context.Context, chat.Code) (chat.CodeResult, error) { return chat.CodeResult{Logs: "1"}, nil })
	call := question()
	call.Tools = append(call.Tools, assistants.Tool{Type: assistants.ToolCodeInterpreter})
	function := []string{more(`"index":0,"id":"a","function":{"name":"f","arguments":"{"}`), word("So"), more(`"index":0,"function":{"arguments":"}"}`)}
	y := respond(t, streams(append(function, finish("tool_calls"))...), call, chat.WithCodeRunner(runner))
	require.NoError(t, y.failed)
	assert.Equal(t, []string{"So", "a f{}"}, y.events)
	y = respond(t, streams(append(function, calls("1", "c", "code_interpreter", `{"code":"1"}`), finish("tool_calls"))...), call, chat.WithCodeRunner(runner))
	require.NoError(t, y.failed)
	assert.Equal(t, []string{"So", "server.CodeCall{c 1}", "server.CodeLogs1", "a f{}"}, y.events)
}

// However long calls are, and however many fragments they come in, they are looked at once: each time would take
// minutes.
func TestLongCalls(t *testing.T) {
	t.Parallel()
	chunks := []string{calls("0", "a", "f", `"`+strings.Repeat("x", 2<<20)), calls("1", "b", "g", "{}")}
	for range 40_000 {
		chunks = append(chunks, more(`"index":0,"function":{"arguments":"x"}`))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	size := 0
	for e, err := range chat.New(newClient(t, streams(append(chunks, finish("stop"))...))).Respond(ctx, question()) {
		require.NoError(t, err)
		require.NoError(t, ctx.Err())
		if more, ok := e.(server.Arguments); ok {
			size += len(more)
		}
	}
	assert.Equal(t, 1+(2<<20)+40_000, size)
}
