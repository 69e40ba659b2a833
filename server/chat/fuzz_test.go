package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// yielded is what a model has said.
type yielded struct {
	text   string // up to the calls
	called []server.FunctionCall
	events []string
	state  []byte
	failed error
}

// respond has a model asked by nobody's server, and holds what it yields to the rules of a Model.
func respond(t testing.TB, handler http.HandlerFunc, call *server.ModelCall, opts ...chat.Option) *yielded {
	y := new(yielded)
	for e, err := range chat.New(newClient(t, handler), opts...).Respond(context.Background(), call) {
		require.NoError(t, y.failed, "an error is the end")
		if y.failed = err; err != nil {
			require.NotContains(t, err.Error(), key)
			continue
		}
		switch e := e.(type) {
		case server.Text:
			require.Empty(t, y.called, "calls come last")
			y.text += string(e)
			y.events = append(y.events, string(e))
		case server.Refusal:
			require.Empty(t, y.called, "calls come last")
			y.events = append(y.events, "refusal "+string(e))
		case server.Citation:
			require.Empty(t, y.called, "calls come last")
			y.text += e.Mark
			y.events = append(y.events, "cited "+e.Mark)
		case server.FunctionCall:
			require.NotEmpty(t, e.ID)
			y.called = append(y.called, e)
			y.events = append(y.events, e.ID+" "+e.Name+e.Arguments)
		case server.Arguments:
			require.NotEmpty(t, y.called, "arguments of nothing")
			require.NotEmpty(t, e)
			y.called[len(y.called)-1].Arguments += string(e)
			y.events = append(y.events, string(e))
		case server.State:
			y.state = e
		case server.Usage:
		default:
			y.events = append(y.events, fmt.Sprintf("%T%v", e, e))
		}
	}
	return y
}

// next is the call of a model once the functions that it has called are answered: with their own arguments.
func (y *yielded) next() *server.ModelCall {
	call := question()
	call.Round, call.State = 1, y.state
	if y.text != "" {
		call.History = append(call.History, server.Turn{Message: &assistants.Message{Role: assistants.RoleAssistant,
			Content: []assistants.ContentPart{{Text: &assistants.Text{Value: y.text}}}}})
		call.History[1].Message.RunID, call.RunID = "run_1", "run_1"
	}
	var made []assistants.ToolCall
	for _, c := range y.called {
		made = append(made, assistants.ToolCall{ID: c.ID,
			Function: &assistants.FunctionCall{Name: c.Name, Arguments: c.Arguments, Output: c.Arguments}})
	}
	call.History = append(call.History, server.Turn{ToolCalls: made})
	return call
}

func question() *server.ModelCall {
	return &server.ModelCall{Temperature: 1, TopP: 1, ParallelToolCalls: true, Tools: []assistants.Tool{functionTool("f"), functionTool("g")},
		History: []server.Turn{{Message: &assistants.Message{Role: assistants.RoleUser}}}}
}

// Whatever a provider sends, there is an end, and what is yielded keeps to the rules of a Model.
func FuzzStream(f *testing.F) {
	for _, way := range ways {
		f.Add(body(way.answer))
	}
	f.Add(events(rich...))
	f.Add(events(calls("0", "", "f", " "), calls("1", "b", "f", `{"x":`), calls("1", "b", "", `1}`), word("So"), finish("stop")))
	f.Add(events(calls("0", "a", "f", "{}"), calls("1", "a", "f", "{}"), word("So"), calls("0", "", "", " "), calls("2", "", "f", `"\ud83d`), finish("stop")))
	f.Add(`{"choices":[{"message":{"content":[[["a"]]],"tool_calls":[{"function":{"arguments":{}}}]}}],"error":"a"}`)
	f.Fuzz(func(t *testing.T, body string) {
		y := respond(t, says(200, body), question())
		ids := map[string]bool{}
		for _, c := range y.called {
			require.False(t, ids[c.ID], "two calls have one id")
			ids[c.ID] = true
		}
		if y.failed != nil || len(y.called) == 0 {
			return
		}
		u := &upstream{t: t, answers: []http.HandlerFunc{answers("So.")}}
		require.NoError(t, respond(t, u.ServeHTTP, y.next()).failed)
		sent := lastSaid(t, u.requests()[0])
		told := sent.ToolCalls[:0]
		for _, c := range sent.ToolCalls {
			object := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(c.Function.Arguments), &object), "servers take nothing but an object")
			if c.Function.Name == "f" || c.Function.Name == "g" {
				told = append(told, c)
			}
		}
		require.Len(t, told, len(y.called))
		for i, c := range y.called {
			require.NotEmpty(t, strings.TrimSpace(c.Arguments))
			require.Equal(t, c.ID, told[i].ID)
			require.Equal(t, c.Name, told[i].Function.Name)
			require.Equal(t, inJSON(t, asObject(c.Arguments)), inJSON(t, told[i].Function.Arguments))
		}
	})
}

// asObject is how arguments are given back to the provider.
func asObject(arguments string) string {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(arguments), &object) == nil && object != nil {
		return arguments
	}
	b, _ := json.Marshal(map[string]string{"arguments": arguments})
	return string(b)
}

// spoken is what the provider's model is told that it has said.
type spoken struct {
	Role      string
	Content   string
	ToolCalls []struct {
		ID       string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
}

// lastSaid is the last of it in a request.
func lastSaid(t testing.TB, request string) (last spoken) {
	var body struct{ Messages []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(request), &body))
	for _, m := range body.Messages {
		if strings.HasPrefix(string(m), `{"role":"assistant"`) {
			last = spoken{}
			require.NoError(t, json.Unmarshal(m, &last))
		}
	}
	require.NotEmpty(t, last.Role)
	return last
}

// inJSON is a text as it arrives if it is sent, with a sign for what is no character.
func inJSON(t testing.TB, text string) (arrived string) {
	b, err := json.Marshal(text)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &arrived))
	return arrived
}

// body is what a handler answers.
func body(answer http.HandlerFunc) string {
	var w recorder
	answer(&w, nil)
	return w.String()
}

type recorder struct{ strings.Builder }

func (*recorder) Header() http.Header { return http.Header{} }
func (*recorder) WriteHeader(int)     {}

// However text is cut, with whatever signs of marks in it, it arrives whole; and marks that are known become
// citations.
func FuzzMarks(f *testing.F) {
	f.Add("a 【4:0†handbook.md】 b【", uint8(1))
	f.Add("【【4:0】】【4:0†", uint8(3))
	f.Add("【4:0†x】\n【 4:0 † source 】", uint8(2))
	f.Add("\xe3\x80", uint8(1))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		if !utf8.ValidString(text) || strings.TrimSpace(text) == "" {
			return
		}
		var chunks []string
		for rest := text; rest != ""; {
			n := min(max(int(size), 1), len(rest))
			chunks = append(chunks, delta(`"content":"`+rawQuoted(rest[:n])+`"`))
			rest = rest[n:]
		}
		call := question()
		call.History = append(call.History, server.Turn{Message: &assistants.Message{Role: assistants.RoleAssistant, Content: []assistants.ContentPart{{
			Text: &assistants.Text{Value: "【4:0†handbook.md】", Annotations: []assistants.Annotation{{
				Text: "【4:0†handbook.md】", FileCitation: &assistants.FileCitation{FileID: "file-1"}}}}}}}})
		y := respond(t, streams(append(chunks, finish("stop"))...), call)
		require.NoError(t, y.failed)
		got := y.text
		if !strings.Contains(text, "4:0") {
			require.Equal(t, text, got)
		}
		require.GreaterOrEqual(t, strings.Count(got, "【"), strings.Count(text, "【"))
	})
}

// rawQuoted is text within JSON, with bytes that are no character left as they are.
func rawQuoted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			_, _ = io.WriteString(&b, `\u00`+string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15]))
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
