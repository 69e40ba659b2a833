package chat_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// listing is a provider whose list of models this is.
func listing(t *testing.T, status int, body string) *chat.Model {
	return chat.New(newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "GET /v1/models", r.Method+" "+r.URL.Path)
		assert.NotContains(t, r.Header, "Openai-Beta")
		says(status, body)(w, r)
	})))
}

// Lists of models differ in much; what has a name is a model.
func TestModels(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]server.ModelInfo{
		`{"object":"list","data":[{"id":"a","object":"model","created":1700000000,"owned_by":"me"},{"id":"b"}]}`: {{ID: "a", CreatedAt: 1_700_000_000, OwnedBy: "me"}, {ID: "b"}},
		`{"data":[{"id":"a","created":1700000000.7,"owned_by":null},{"id":"b","created":"1700000000"},{"id":"c","created":"today"},{"id":"d","created":null}]}`: {
			{ID: "a", CreatedAt: 1_700_000_000}, {ID: "b", CreatedAt: 1_700_000_000}, {ID: "c"}, {ID: "d"}},
		`{"data":[{"object":"model"},{"id":""},{"id":null},null,1,[],{"name":"a"},"b"]}`: {{ID: "a"}, {ID: "b"}},
		`[{"id":"a"}]`:                  {{ID: "a"}},
		`{"models":[{"name":"a"}]}`:     {{ID: "a"}},
		`{"object":"list","data":null}`: nil,
		`{"data":[]}`:                   nil,
		`{}`:                            nil,
	} {
		got, err := listing(t, 200, body).Models(t.Context())
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for body, status := range map[string]int{`{"data":{"id":"a"}}`: 200, `{"data":"a"}`: 200, `<html>`: 200, `{"error":{"message":"` + key + `"}}`: 401, `"a"`: 200} {
		_, err := listing(t, status, body).Models(t.Context())
		require.Error(t, err, body)
		assert.NotContains(t, err.Error(), key)
	}
}

// A server lists what the provider has.
func TestModelsOfServer(t *testing.T) {
	t.Parallel()
	client := newClient(t, server.New(server.WithModel(listing(t, 200, `{"data":[{"id":"a","created":1700000000}]}`))))
	var list struct{ Data []struct{ ID string } }
	require.NoError(t, client.Call(t.Context(), "GET", "/models", nil, &list))
	require.Len(t, list.Data, 1)
	assert.Equal(t, "a", list.Data[0].ID)
}

// What cannot be served is refused before there is a run, unless it is to be ignored.
func TestCheck(t *testing.T) {
	t.Parallel()
	code, mcp := assistants.Tool{Type: assistants.ToolCodeInterpreter}, assistants.Tool{Type: assistants.ToolMCP}
	all := []assistants.Tool{functionTool("f"), {Type: assistants.ToolFunction}, {Type: assistants.ToolFileSearch}}
	none := newClient(t, http.NotFoundHandler())
	assert.NoError(t, chat.New(none).Check("m", all))
	assert.ErrorContains(t, chat.New(none).Check("m", append(all, code)), "cannot run code")
	assert.ErrorContains(t, chat.New(none, chat.WithCodeRunner(nil)).Check("m", append(all, code)), "cannot run code")
	assert.ErrorContains(t, chat.New(none).Check("m", append(all, mcp)), "no tools of type 'mcp'")
	assert.NoError(t, chat.New(none, chat.WithCodeRunner(runnerFunc(nil))).Check("m", append(all, code)))
	assert.NoError(t, chat.New(none, chat.WithIgnoredTools(assistants.ToolCodeInterpreter), chat.WithIgnoredTools(assistants.ToolMCP)).Check("m", append(all, code, mcp)))

	client := newClient(t, server.New(server.WithModel(chat.New(none))))
	_, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{code}})
	var refused *assistants.APIError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 400, refused.StatusCode)
	assert.Contains(t, refused.Message, "cannot have the tool 'code_interpreter'")
}

// An assistant from before the tool was refused has failing runs that say why.
func TestCheckOfOldAssistants(t *testing.T) {
	t.Parallel()
	store := server.NewMemoryStore()
	old := newClient(t, server.New(server.WithStore(store)))
	a, err := old.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}}})
	require.NoError(t, err)
	thread, err := old.Threads.Create(t.Context(), assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage("?")}})
	require.NoError(t, err)
	for _, refused := range []server.Model{chat.New(newClient(t, http.NotFoundHandler())), server.ModelFunc(chat.New(newClient(t, http.NotFoundHandler())).Respond)} {
		client := newClient(t, server.New(server.WithStore(store), server.WithModel(refused)))
		run, err := client.Runs.CreateAndPoll(t.Context(), thread.ID, assistants.RunCreateParams{AssistantID: a.ID})
		if err != nil {
			assert.ErrorContains(t, err, "cannot run code")
			continue
		}
		assert.Equal(t, assistants.RunFailed, run.Status)
		assert.Contains(t, run.LastError.Message, "cannot run code")
	}
}
