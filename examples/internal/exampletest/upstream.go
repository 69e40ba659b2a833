package exampletest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/server"
)

// OnProviders is what a program prints on models of a provider that are asked by Responses, and by Chat Completions.
// It must succeed, and delete all that it creates. Copies of files that the embedded server has made with the
// provider go by themselves.
func OnProviders(t *testing.T, program endpoint.Program, calls []Call, answer string) map[string]string {
	t.Helper()
	printed := make(map[string]string)
	for name, environment := range map[string]func(url string) map[string]string{
		"responses": func(url string) map[string]string {
			return map[string]string{"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": "key-of-azure"}
		},
		"chat": func(url string) map[string]string { return map[string]string{"CHAT_BASE_URL": url + "/v1"} },
	} {
		upstream := NewUpstream(calls, answer)
		srv := httptest.NewServer(upstream)
		env := environment(srv.URL)
		service, err := endpoint.Connect(t.Context(), func(name string) string { return env[name] })
		require.NoError(t, err)
		var out strings.Builder
		err = program(t.Context(), service.Client, &out)
		requireEmpty(t, service.Client)
		require.NoError(t, service.Close())
		upstream.requireExpiring(t)
		srv.Close()
		require.NoError(t, err, name)
		require.NoError(t, upstream.api.Close())
		printed[name] = out.String()
	}
	return printed
}

// requireEmpty fails the test if there are assistants, files or vector stores.
func requireEmpty(t *testing.T, client *assistants.Client) {
	t.Helper()
	tutors, err := client.Assistants.List(t.Context(), assistants.ListParams{})
	require.NoError(t, err)
	require.Empty(t, tutors.Data)
	files, err := client.Files.List(t.Context(), assistants.FileListParams{})
	require.NoError(t, err)
	require.Empty(t, files.Data)
	stores, err := client.VectorStores.List(t.Context(), assistants.ListParams{})
	require.NoError(t, err)
	require.Empty(t, stores.Data)
}

// A Call is one of a function.
type Call struct{ Name, Arguments string }

// A Request is one that an [Upstream] was sent.
type Request struct {
	Method, Path string
	Key          string // in whichever header
	Model        string // that is asked
	Tools        []string
}

// An Upstream is a provider of models, with files and vector stores. Whatever its model is asked, by Responses or by
// Chat Completions, it calls functions first if it is offered them, and then always says the same.
type Upstream struct {
	calls  []Call
	answer string
	api    *server.Server // files and vector stores

	mu       sync.Mutex
	requests []Request
}

// NewUpstream returns an Upstream whose model calls functions, none if there are none, and then gives an answer.
func NewUpstream(calls []Call, answer string) *Upstream {
	return &Upstream{calls: calls, answer: answer, api: server.New()}
}

// Requests are those that were sent so far.
func (u *Upstream) Requests() []Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.requests)
}

// requireExpiring fails the test if there is a file or a vector store that stays for good.
func (u *Upstream) requireExpiring(t *testing.T) {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(u.api))
	require.NoError(t, err)
	for file, err := range client.Files.All(t.Context(), assistants.FileListParams{}) {
		require.NoError(t, err)
		require.False(t, file.ExpiresAt.IsZero(), "the provider keeps %s", file.Filename)
	}
	for store, err := range client.VectorStores.All(t.Context(), assistants.ListParams{}) {
		require.NoError(t, err)
		require.NotNil(t, store.ExpiresAfter, "the provider keeps %s", store.Name)
	}
}

// question is what of both APIs' requests matters here.
type question struct {
	Model    string
	Input    []struct{ Type string }
	Messages []struct{ Role string }
	Tools    []struct {
		Type, Name string
		Function   struct{ Name string }
	}
}

// answered reports whether functions have been called.
func (q *question) answered() bool {
	for _, item := range q.Input {
		if item.Type == "function_call_output" {
			return true
		}
	}
	for _, message := range q.Messages {
		if message.Role == "tool" {
			return true
		}
	}
	return false
}

// tools are the names of functions, and the types of others.
func (q *question) tools() (names []string) {
	for _, tool := range q.Tools {
		switch {
		case tool.Type != "function":
			names = append(names, tool.Type)
		case tool.Name != "":
			names = append(names, tool.Name)
		default:
			names = append(names, tool.Function.Name)
		}
	}
	return names
}

func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/openai"), "/v1")
	asked := path == "/responses" || path == "/chat/completions"
	var q question
	if asked {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &q) != nil {
			http.Error(w, "no question", http.StatusBadRequest)
			return
		}
	}
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Bearer ")
	u.mu.Lock()
	u.requests = append(u.requests, Request{r.Method, r.URL.Path, key + r.Header.Get("Api-Key"), q.Model, q.tools()})
	u.mu.Unlock()
	calls := u.calls
	if q.answered() || len(calls) > 0 && !slices.Contains(q.tools(), calls[0].Name) {
		calls = nil
	}
	switch {
	case path == "/models":
		fmt.Fprint(w, `{"object":"list","data":[{"id":"local-model","object":"model","created":1,"owned_by":"me"}]}`)
	case !asked:
		u.api.ServeHTTP(w, r)
	case path == "/responses":
		u.respond(w, calls)
	default:
		u.complete(w, calls)
	}
}

// object is JSON that is written here.
type object map[string]any

// respond is POST /responses.
func (u *Upstream) respond(w http.ResponseWriter, calls []Call) {
	w.Header().Set("Content-Type", "text/event-stream")
	number := 0
	send := func(event string, data object) {
		data["type"], data["sequence_number"] = event, number
		number++
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, encoded(data))
	}
	response := object{"id": "resp_1", "object": "response", "status": "in_progress", "output": []object{}}
	send("response.created", object{"response": response})
	var output []object
	for i, call := range calls {
		item := object{"id": fmt.Sprint("fc_", i), "type": "function_call", "call_id": fmt.Sprint("call_", i), "name": call.Name, "arguments": ""}
		send("response.output_item.added", object{"output_index": i, "item": item})
		send("response.function_call_arguments.delta", object{"output_index": i, "item_id": item["id"], "delta": call.Arguments})
		item["arguments"] = call.Arguments
		send("response.output_item.done", object{"output_index": i, "item": item})
		output = append(output, item)
	}
	if len(calls) == 0 {
		item := object{"id": "msg_0", "type": "message", "role": "assistant", "status": "in_progress", "content": []object{}}
		at := func(more object) object {
			more["output_index"], more["content_index"], more["item_id"] = 0, 0, "msg_0"
			return more
		}
		send("response.output_item.added", object{"output_index": 0, "item": item})
		send("response.content_part.added", at(object{"part": object{"type": "output_text", "text": "", "annotations": []object{}}}))
		for word := range strings.SplitAfterSeq(u.answer, " ") {
			send("response.output_text.delta", at(object{"delta": word}))
		}
		part := object{"type": "output_text", "text": u.answer, "annotations": []object{}}
		item["status"], item["content"] = "completed", []object{part}
		send("response.output_text.done", at(object{"text": u.answer}))
		send("response.content_part.done", at(object{"part": part}))
		send("response.output_item.done", object{"output_index": 0, "item": item})
		output = append(output, item)
	}
	response["status"], response["output"] = "completed", output
	response["usage"] = object{"input_tokens": 20, "output_tokens": 5, "total_tokens": 25,
		"input_tokens_details": object{"cached_tokens": 8}, "output_tokens_details": object{"reasoning_tokens": 2}}
	send("response.completed", object{"response": response})
}

// complete is POST /chat/completions.
func (u *Upstream) complete(w http.ResponseWriter, calls []Call) {
	w.Header().Set("Content-Type", "text/event-stream")
	chunk := func(choices []object, more object) {
		more["id"], more["object"], more["choices"] = "chatcmpl-1", "chat.completion.chunk", choices
		fmt.Fprintf(w, "data: %s\n\n", encoded(more))
	}
	delta := func(delta object) {
		chunk([]object{{"index": 0, "delta": delta, "finish_reason": nil}}, object{})
	}
	delta(object{"role": "assistant", "content": ""})
	reason := "tool_calls"
	for i, call := range calls {
		function := object{"name": call.Name, "arguments": call.Arguments}
		delta(object{"tool_calls": []object{{"index": i, "id": fmt.Sprint("call_", i), "type": "function", "function": function}}})
	}
	if len(calls) == 0 {
		reason = "stop"
		for word := range strings.SplitAfterSeq(u.answer, " ") {
			delta(object{"content": word})
		}
	}
	chunk([]object{{"index": 0, "delta": object{}, "finish_reason": reason}}, object{})
	chunk([]object{}, object{"usage": object{"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}})
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func encoded(data object) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // it is all written here
	}
	return text
}
