package endpoint_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/server"
)

// environ is an environment with these variables and no others.
func environ(variables map[string]string) endpoint.Env {
	return func(name string) string { return variables[name] }
}

// The first variable that is set counts.
func TestNamed(t *testing.T) {
	t.Parallel()
	variables := map[string]string{}
	for _, next := range []struct {
		name, value string
		want        endpoint.Kind
	}{
		{"ASSISTANTS_MODEL", "mine", endpoint.StandIn},
		{"CHAT_API_KEY", "k", endpoint.StandIn},
		{"AZURE_OPENAI_API_KEY", "k", endpoint.StandIn},
		{"OPENAI_API_KEY", " ", endpoint.StandIn},
		{"OPENAI_API_KEY", "k", endpoint.OpenAI},
		{"AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com", endpoint.Azure},
		{"OPENAI_API_VERSION", "v1", endpoint.Azure},
		{"OPENAI_API_VERSION", "2024-05-01-preview", endpoint.Assistants},
		{"RESPONSES_BASE_URL", "http://localhost:11434/v1", endpoint.Responses},
		{"CHAT_BASE_URL", "http://localhost:11434/v1", endpoint.Chat},
		{"OPENAI_BASE_URL", "http://localhost:8080/v1", endpoint.Assistants},
	} {
		variables[next.name] = next.value
		assert.Equal(t, next.want, endpoint.Named(environ(variables)), "%s=%s", next.name, next.value)
	}
}

// What is asked, of whom, with which key, and what is said about it.
func TestConnect(t *testing.T) {
	t.Parallel()
	const key = "sk-never-to-be-printed"
	for name, c := range map[string]struct {
		env  map[string]string // AT is the address of the upstream
		want exampletest.Request
		says []string
	}{
		"the protocol": {
			map[string]string{"OPENAI_BASE_URL": "AT/v1", "OPENAI_API_KEY": key},
			exampletest.Request{Method: http.MethodPost, Path: "/v1/assistants", Key: key}, []string{"the server at AT/v1"},
		},
		"the protocol at an address of Azure": {
			map[string]string{"AZURE_OPENAI_ENDPOINT": "AT", "AZURE_OPENAI_API_KEY": key, "OPENAI_API_VERSION": "2024-05-01-preview"},
			exampletest.Request{Method: http.MethodPost, Path: "/openai/assistants", Key: key},
			[]string{"the server at AT", "2024-05-01-preview"},
		},
		"Chat Completions": {
			map[string]string{"CHAT_BASE_URL": "AT/v1", "CHAT_API_KEY": key, "OPENAI_API_KEY": "sk-of-somebody-else", "ASSISTANTS_MODEL": "mine"},
			exampletest.Request{Method: http.MethodPost, Path: "/v1/chat/completions", Key: key, Model: "gpt-4o"},
			[]string{"the embedded server", "AT/v1", "by Chat Completions, without code_interpreter"},
		},
		"Chat Completions without a model and a key": {
			map[string]string{"CHAT_BASE_URL": "AT/v1", "OPENAI_API_KEY": "sk-of-somebody-else"},
			exampletest.Request{Method: http.MethodPost, Path: "/v1/chat/completions", Key: "none", Model: "local-model"},
			[]string{"by Chat Completions, without code_interpreter", "local-model answers, ASSISTANTS_MODEL names another"},
		},
		"Responses elsewhere": {
			map[string]string{"RESPONSES_BASE_URL": "AT/v1", "RESPONSES_API_KEY": key, "OPENAI_API_KEY": "sk-of-somebody-else"},
			exampletest.Request{
				Method: http.MethodPost, Path: "/v1/responses", Key: key, Model: "gpt-4o", Tools: []string{"code_interpreter"},
			},
			[]string{"the embedded server", "models at AT/v1 by Responses"},
		},
		"Azure OpenAI": {
			map[string]string{"AZURE_OPENAI_ENDPOINT": "AT", "AZURE_OPENAI_API_KEY": key},
			exampletest.Request{
				Method: http.MethodPost, Path: "/openai/v1/responses", Key: key, Model: "gpt-4o", Tools: []string{"code_interpreter"},
			},
			[]string{"the embedded server", "Azure OpenAI at AT by Responses"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := exampletest.NewUpstream(nil, "x = 1")
			srv := httptest.NewServer(upstream)
			defer srv.Close()
			for variable, value := range c.env {
				c.env[variable] = strings.Replace(value, "AT", srv.URL, 1)
			}
			service, err := endpoint.Connect(t.Context(), environ(c.env))
			require.NoError(t, err)
			for _, text := range c.says {
				assert.Contains(t, service.Name, strings.Replace(text, "AT", srv.URL, 1))
			}
			assert.NotContains(t, service.Name, key)
			tutor, err := service.Client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{
				Model: "gpt-4o",
				Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
			})
			require.NoError(t, err)
			if strings.HasPrefix(service.Name, "the embedded server") {
				run, err := service.Client.Threads.CreateAndRunPoll(t.Context(), assistants.ThreadCreateAndRunParams{
					AssistantID: tutor.ID,
					Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("x + 1 = 2")}},
				})
				require.NoError(t, err)
				require.NoError(t, run.Err())
			}
			require.NoError(t, service.Close())
			requests := upstream.Requests()
			assert.Equal(t, c.want, requests[len(requests)-1])
		})
	}
}

// A local server is told how many tokens there may be in the way that all of them know.
func TestTokensOfChat(t *testing.T) {
	t.Parallel()
	var asked []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Yes."},"finish_reason":"stop"}]}`)
	}))
	defer srv.Close()
	service, err := endpoint.Connect(t.Context(), environ(map[string]string{"CHAT_BASE_URL": srv.URL, "ASSISTANTS_MODEL": "m"}))
	require.NoError(t, err)
	tutor, err := service.Client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m", Instructions: "Say yes."})
	require.NoError(t, err)
	run, err := service.Client.Threads.CreateAndRunPoll(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: tutor.ID, MaxCompletionTokens: 300})
	require.NoError(t, err)
	require.NoError(t, run.Err())
	assert.Contains(t, string(asked), `"max_tokens":300`)
	require.NoError(t, service.Close())
}

// OpenAI's address is not up to the environment; nobody is asked before there is a run.
func TestConnectOpenAI(t *testing.T) {
	t.Parallel()
	service, err := endpoint.Connect(t.Context(), environ(map[string]string{
		"OPENAI_API_KEY": "sk-never-to-be-printed", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1",
	}))
	require.NoError(t, err)
	assert.Equal(t, "the embedded server, on models of OpenAI by Responses", service.Name)
	_, err = service.Client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)
	require.NoError(t, service.Close())
}

func TestConnectOffline(t *testing.T) {
	t.Setenv("ASSISTANTS_MODEL", "")
	service, err := endpoint.Connect(t.Context(), environ(nil))
	require.NoError(t, err)
	assert.Contains(t, service.Name, "a stand-in for a model")
	_, err = service.Client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)

	require.NoError(t, service.Close())
	_, err = service.Client.Threads.Create(t.Context(), assistants.ThreadCreateParams{}, assistants.WithMaxRetries(0))
	require.Error(t, err, "the server is closed with the service")

	assert.Equal(t, "gpt-4o", endpoint.Model())
	t.Setenv("ASSISTANTS_MODEL", "my-deployment")
	assert.Equal(t, "my-deployment", endpoint.Model())
}

// What is wrong is said at once, and never with a key.
func TestConnectErrors(t *testing.T) {
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"object":"list","data":[]}`))
	}))
	defer empty.Close()
	for _, name := range []string{"OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"} {
		t.Setenv(name, "") // which clients would look at
	}
	for want, env := range map[string]map[string]string{
		"set OPENAI_API_KEY":       {"OPENAI_BASE_URL": "http://localhost:1"},
		"set AZURE_OPENAI_API_KEY": {"AZURE_OPENAI_ENDPOINT": "http://localhost:1"},
		"CHAT_BASE_URL, CHAT_API_KEY: assistants: WithBaseURL: the URL holds credentials": {"CHAT_BASE_URL": "http://me:sk-secret@localhost:1"},
		"lists no models":                                {"CHAT_BASE_URL": empty.URL},
		"the key has a space, a line break":              {"OPENAI_API_KEY": "sk secret"},
		"ASSISTANTS_MODEL is not set, and CHAT_BASE_URL": {"CHAT_BASE_URL": "http://127.0.0.1:1", "CHAT_API_KEY": "sk-secret"},
	} {
		_, err := endpoint.Connect(t.Context(), environ(env))
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// A provider of each kind can be had whatever else the environment names.
func TestNewProvider(t *testing.T) {
	t.Parallel()
	env := environ(map[string]string{
		"OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com", "AZURE_OPENAI_API_KEY": "k",
		"CHAT_BASE_URL": "http://localhost:11434/v1",
	})
	for _, kind := range []endpoint.Kind{endpoint.OpenAI, endpoint.Azure, endpoint.Chat, endpoint.StandIn} {
		p, err := endpoint.NewProvider(kind, env, endpoint.Settings{})
		require.NoError(t, err)
		assert.NotNil(t, p.Model)
		assert.NotEmpty(t, p.Name)
		if checker, ok := p.Model.(server.Checker); ok {
			assert.NoError(t, checker.Check("m", nil), kind)
		}
		p.Close()
	}
	_, err := endpoint.NewProvider(endpoint.Assistants, env, endpoint.Settings{})
	require.ErrorContains(t, err, `no provider of models called "assistants"`)
	_, err = endpoint.NewProvider(endpoint.Chat, environ(nil), endpoint.Settings{})
	require.ErrorContains(t, err, "CHAT_BASE_URL is not set")
}

// Something is removed although the program was interrupted, and what went wrong before is not forgotten.
func TestRemove(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before, failed, asked := errors.New("before"), errors.New("failed"), ""
	err := before
	endpoint.Remove(ctx, func(ctx context.Context, id string, _ ...assistants.RequestOption) (*assistants.Deleted, error) {
		asked = id
		return nil, errors.Join(failed, ctx.Err())
	}, "asst_1", &err)
	assert.Equal(t, "asst_1", asked)
	require.ErrorIs(t, err, before)
	require.ErrorIs(t, err, failed)
	require.NotErrorIs(t, err, context.Canceled)
}
