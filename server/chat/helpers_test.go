package chat_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/internal/logtest"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// key is the provider's, which nobody shall see.
const key = "sk-secret-of-the-provider"

// upstream is a provider that answers one request after the other in these ways, and the last way again and again.
type upstream struct {
	t testing.TB

	mu      sync.Mutex
	answers []http.HandlerFunc
	asked   []string // bodies
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	assert.Equal(u.t, "POST /v1/chat/completions", r.Method+" "+r.URL.Path)
	assert.Equal(u.t, "Bearer "+key, r.Header.Get("Authorization"))
	assert.NotContains(u.t, r.Header, "Openai-Beta")
	u.mu.Lock()
	answer := u.answers[min(len(u.asked), len(u.answers)-1)]
	u.asked = append(u.asked, string(body))
	u.mu.Unlock()
	answer(w, r)
}

func (u *upstream) requests() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.asked)
}

// says is an answer with this status and body.
func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// streams is an answer of these chunks, and no end of its own.
func streams(chunks ...string) http.HandlerFunc { return says(200, events(chunks...)) }

func events(chunks ...string) string {
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString("data: " + c + "\n\n")
	}
	return b.String()
}

// delta is a chunk with this delta.
func delta(members string) string { return `{"choices":[{"index":0,"delta":{` + members + `}}]}` }

// says this text, in one delta.
func word(text string) string {
	quoted, _ := json.Marshal(text)
	return delta(`"content":` + string(quoted))
}

// finish is a chunk with this reason, and spent one with this usage.
func finish(reason string) string {
	return `{"choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

func spent(prompt, completion string) string {
	return `{"choices":[],"usage":{"prompt_tokens":` + prompt + `,"completion_tokens":` + completion + `}}`
}

// calls is a chunk with a whole call.
func calls(index, id, name, arguments string) string {
	quoted, _ := json.Marshal(arguments)
	return delta(`"tool_calls":[{"index":` + index + `,"id":"` + id + `","type":"function","function":{"name":"` + name +
		`","arguments":` + string(quoted) + `}}]`)
}

const done = "[DONE]"

// answers is a whole answer of this text.
func answers(text string) http.HandlerFunc {
	return streams(word(text), finish("stop"), spent("3", "2"), done)
}

// talk is a server with this model behind it, and an assistant.
type talk struct {
	t         testing.TB
	upstream  *upstream
	server    *server.Server
	client    *assistants.Client
	assistant string
	log       *logtest.Log
}

func newClient(t testing.TB, handler http.Handler) *assistants.Client {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(handler), assistants.WithAPIKey(key), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	return client
}

func newTalk(t testing.TB, params assistants.AssistantCreateParams, opts []chat.Option, how ...http.HandlerFunc) *talk {
	t.Helper()
	k := &talk{t: t, upstream: &upstream{t: t, answers: how}, log: new(logtest.Log)}
	k.server = server.New(server.WithModel(chat.New(newClient(t, k.upstream), opts...)),
		server.WithLogger(slog.New(slog.NewTextHandler(k.log, nil))))
	t.Cleanup(func() { _ = k.server.Close() })
	k.client = newClient(t, k.server)
	params.Model = "m"
	a, err := k.client.Assistants.Create(t.Context(), params)
	require.NoError(t, err)
	k.assistant = a.ID
	return k
}

// said is what came of a run.
type said struct {
	run      *assistants.Run
	messages []*assistants.Message
	steps    []*assistants.RunStep
	events   []string
}

// ask has the assistant answer in a stream; functions echo their arguments.
func (k *talk) ask(params assistants.ThreadCreateAndRunParams) *said {
	k.t.Helper()
	params.AssistantID = k.assistant
	if len(params.Thread.Messages) == 0 {
		params.Thread.Messages = []assistants.MessageCreateParams{assistants.UserMessage("Hello?")}
	}
	stream, err := k.client.Threads.CreateAndRunStream(k.t.Context(), params, assistants.WithToolHandler(echo))
	require.NoError(k.t, err)
	defer stream.Close()
	s := new(said)
	for e, err := range stream.Events() {
		require.NoError(k.t, err)
		s.events = append(s.events, string(e.Type))
	}
	s.run, s.messages, s.steps = stream.Run(), stream.Messages(), stream.Steps()
	return s
}

func (k *talk) hello() *said { return k.ask(assistants.ThreadCreateAndRunParams{}) }

// text is what was written, one message in a line, and what was called.
func (s *said) text() string {
	var all []string
	for _, m := range s.messages {
		all = append(all, m.Text()+m.Refusal())
	}
	return strings.Join(all, "\n")
}

// called are the functions that were called.
func (s *said) called() []string {
	var all []string
	for _, step := range s.steps {
		for _, c := range step.StepDetails.ToolCalls {
			if c.Function != nil {
				all = append(all, c.Function.Name+c.Function.Arguments)
			}
		}
	}
	return all
}

// kinds are what the steps did.
func (s *said) kinds() []string {
	var all []string
	for _, step := range s.steps {
		kind := string(step.Type)
		for _, c := range step.StepDetails.ToolCalls {
			kind = string(c.Type)
		}
		all = append(all, kind)
	}
	return all
}

func functionTool(name string) assistants.Tool {
	return assistants.Tool{Function: &assistants.FunctionDefinition{Name: name}}
}

// echo answers calls with their arguments.
func echo(_ context.Context, call assistants.ToolCall) (string, error) {
	return "echo " + call.Function.Arguments, nil
}

// quoted is text as it stands within JSON.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b[1 : len(b)-1])
}
