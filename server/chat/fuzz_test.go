package chat_test

import (
	"context"
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

// respond has a model asked by nobody's server, and returns the text and the calls that it yields.
func respond(t testing.TB, handler http.HandlerFunc, call *server.ModelCall) (text string, called []server.FunctionCall, failed error) {
	var b strings.Builder
	ended := false
	for e, err := range chat.New(newClient(t, handler)).Respond(context.Background(), call) {
		require.False(t, ended, "an error is the end")
		if err != nil {
			require.NotContains(t, err.Error(), key)
			ended, failed = true, err
			continue
		}
		switch e := e.(type) {
		case server.Text:
			require.Empty(t, called, "calls come last")
			b.WriteString(string(e))
		case server.Citation:
			b.WriteString(e.Mark)
		case server.FunctionCall:
			require.NotEmpty(t, e.ID)
			require.NotEmpty(t, e.Arguments)
			called = append(called, e)
		}
	}
	return b.String(), called, failed
}

func question() *server.ModelCall {
	return &server.ModelCall{Temperature: 1, TopP: 1, ParallelToolCalls: true, Tools: []assistants.Tool{functionTool("f")},
		History: []server.Turn{{Message: &assistants.Message{Role: assistants.RoleUser}}}}
}

// Whatever a provider sends, there is an end, and what is yielded keeps to the rules of a Model.
func FuzzStream(f *testing.F) {
	for _, way := range ways {
		f.Add(body(way.answer))
	}
	f.Add(events(rich...))
	f.Add(`{"choices":[{"message":{"content":[[["a"]]],"tool_calls":[{"function":{"arguments":{}}}]}}],"error":"a"}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, called, _ := respond(t, says(200, body), question())
		ids := map[string]bool{}
		for _, c := range called {
			require.False(t, ids[c.ID], "two calls have one id")
			ids[c.ID] = true
		}
	})
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
		got, _, failed := respond(t, streams(append(chunks, finish("stop"))...), call)
		require.NoError(t, failed)
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
