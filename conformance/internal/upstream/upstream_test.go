package upstream_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/given"
	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

func ask(p *upstream.Provider, method, path, body string) (status int, contentType, answer string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Header().Get("Content-Type"), w.Body.String()
}

func TestProviderGivesAnswersInTheirOrder(t *testing.T) {
	t.Parallel()
	p := upstream.New(upstream.Answer{Body: "data: 1\n\n", Piece: 2}, upstream.Answer{Status: 429, Type: "text/plain", Body: "slow"},
		upstream.Answer{Body: "{}"})
	for _, want := range []struct {
		path, kind, body string
		status           int
	}{
		{"/v1/responses", "text/event-stream; charset=utf-8", "data: 1\n\n", 200},
		{"/openai/deployments/gpt/chat/completions?api-version=1", "text/plain", "slow", 429},
		{"/openai/v1/responses", "application/json", "{}", 200},
	} {
		status, kind, body := ask(p, "POST", want.path, `{"a":1}`)
		assert.Equal(t, want.status, status)
		assert.Equal(t, want.kind, kind)
		assert.Equal(t, want.body, body)
	}
	status, _, body := ask(p, "POST", "/v1/responses", "")
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "no answer")
	status, _, _ = ask(p, "GET", "/v1/responses", "")
	assert.Equal(t, 404, status)
	p.Others = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	_, _, body = ask(p, "POST", "/v1/files", "a form")
	assert.Equal(t, "a form", body)
	require.Len(t, p.Requests(), 6)
	require.Len(t, p.Asked(), 4)
	assert.Equal(t, `{"a":1}`, string(p.Asked()[1].Body))
	assert.Equal(t, "api-version=1", p.Asked()[1].Query)
}

func TestContainers(t *testing.T) {
	t.Parallel()
	p := upstream.New()
	p.Others = &upstream.Containers{Content: []byte("image"), Next: http.NotFoundHandler()}
	_, _, body := ask(p, "POST", "/v1/containers", `{"name":"a"}`)
	assert.Contains(t, body, `"id":"cntr_1"`)
	_, _, body = ask(p, "GET", "/v1/containers/cntr_9", "")
	assert.Contains(t, body, `"id":"cntr_9"`)
	_, _, body = ask(p, "POST", "/v1/containers/cntr_9/files", "text")
	assert.Contains(t, body, `"bytes":4,"container_id":"cntr_9"`)
	_, _, body = ask(p, "GET", "/openai/v1/containers/c/files/f/content", "")
	assert.Equal(t, "image", body)
	status, _, _ := ask(p, "GET", "/v1/other", "")
	assert.Equal(t, 404, status)
}

func recorded(t *testing.T) []upstream.Recorded {
	t.Helper()
	all, err := upstream.Read(upstream.Folder(given.Folder(t, recording.FolderVariable)))
	require.NoError(t, err)
	return all
}

// TestStreamIsWhatWasRecorded takes the Responses that recorded streams end with apart: the events are those that were
// recorded, in their order, and so is what they say, however it is cut into pieces.
func TestStreamIsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, r := range recorded(t) {
		if r.Chat() || !r.Answer.Streamed() {
			continue
		}
		events := eventsOf(t, r.Answer.Body)
		response, err := json.Marshal(events[len(events)-1]["response"])
		require.NoError(t, err)
		composed, err := upstream.Stream(string(response))
		require.NoError(t, err)
		assert.Equal(t, told(events), told(eventsOf(t, composed)), r.Name)
		compared++
	}
	assert.GreaterOrEqual(t, compared, 15)
}

func eventsOf(t *testing.T, stream string) []map[string]any {
	t.Helper()
	var events []map[string]any
	for _, m := range regexp.MustCompile(`(?m)^data: (\{.*)$`).FindAllStringSubmatch(stream, -1) {
		var event map[string]any
		require.NoError(t, json.Unmarshal([]byte(m[1]), &event))
		events = append(events, event)
	}
	return events
}

// told are the events of a stream without the Response and what is about the stream alone, deltas of one kind as one.
// That a Response has waited in a queue is left out.
func told(events []map[string]any) []map[string]any {
	var all []map[string]any
	for _, e := range events {
		for _, name := range []string{"sequence_number", "obfuscation", "response", "logprobs"} {
			delete(e, name)
		}
		kind := e["type"].(string)
		if n := len(all); n > 0 && strings.HasSuffix(kind, ".delta") && all[n-1]["type"] == kind {
			all[n-1]["delta"] = all[n-1]["delta"].(string) + e["delta"].(string)
			continue
		}
		if kind != "response.queued" {
			all = append(all, e)
		}
	}
	return all
}

// TestComposedStreamsAreDescribed has the description judge the events that recorded answers are taken apart into.
func TestComposedStreamsAreDescribed(t *testing.T) {
	t.Parallel()
	folder := given.Folder(t, given.Description)
	schemas := map[bool]*openapi3.Schema{}
	for chat, name := range map[bool][2]string{false: {"responses", "ResponseStreamEvent"}, true: {"chat", "CreateChatCompletionStreamResponse"}} {
		document, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, name[0]+".openapi.yaml"))
		require.NoError(t, err)
		schemas[chat] = document.Components.Schemas[name[1]].Value
	}
	kinds := map[string]bool{}
	for _, r := range recorded(t) {
		if r.Answer.Streamed() || r.Answer.Status != 200 {
			continue
		}
		apart := upstream.Stream
		if r.Chat() {
			apart = upstream.Chunks
		}
		stream, err := apart(r.Answer.Body)
		require.NoError(t, err, r.Name)
		for _, e := range eventsOf(t, stream) {
			kind, _ := e["type"].(string)
			if kinds[kind] || e["response"] != nil || e["item"] != nil {
				continue // once is enough, and recorded objects are what they are
			}
			if kinds[kind] = true; kind == "response.function_call_arguments.done" {
				e["name"] = "" // which is described, and was not recorded
			}
			assert.NoError(t, schemas[r.Chat()].VisitJSON(e, openapi3.EnableJSONSchema2020()), "%s: %v", r.Name, e)
		}
	}
	assert.Greater(t, len(kinds), 15)
}

func TestInterleaved(t *testing.T) {
	t.Parallel()
	const call = `{"type":"function_call","id":"1","call_id":"a","name":"f","arguments":"{}"}`
	stream, err := upstream.Interleaved(`{"status":"completed","output":[` + call + `,` + strings.ReplaceAll(call, `"1"`, `"2"`) + `]}`)
	require.NoError(t, err)
	var order []any
	for _, e := range eventsOf(t, stream) {
		if e["type"] == "response.function_call_arguments.delta" {
			order = append(order, e["output_index"])
		}
	}
	assert.Equal(t, []any{0.0, 1.0}, order)
	_, err = upstream.Stream(`{"status":"completed"}`)
	assert.ErrorContains(t, err, "without output")
	_, err = upstream.Chunks(`{"choices":[]}`)
	assert.ErrorContains(t, err, "without choices")
}
