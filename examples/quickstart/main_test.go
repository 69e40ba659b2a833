package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/server"
)

func clearEnv(t *testing.T) {
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "AZURE_OPENAI_ENDPOINT",
		"AZURE_OPENAI_API_KEY", "OPENAI_API_VERSION", "ASSISTANTS_MODEL"} {
		t.Setenv(name, "")
	}
}

// The main job comes to the same end on every endpoint that the environment can name.
func TestRun(t *testing.T) {
	srv := httptest.NewServer(server.New(server.WithAPIKeys("k")))
	defer srv.Close()
	for name, env := range map[string]map[string]string{
		"embedded": {},
		"OpenAI":   {"OPENAI_BASE_URL": srv.URL + "/v1", "OPENAI_API_KEY": "k"},
		"Azure":    {"AZURE_OPENAI_ENDPOINT": srv.URL, "AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "2024-05-01-preview"},
		"Azure v1": {"AZURE_OPENAI_ENDPOINT": srv.URL, "AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for variable, value := range env {
				t.Setenv(variable, value)
			}
			client, where, err := endpoint.Connect()
			require.NoError(t, err)
			assert.Equal(t, name == "embedded", strings.HasPrefix(where, "the embedded server"))
			var out strings.Builder
			require.NoError(t, run(t.Context(), client, &out))
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			require.Len(t, lines, 7)
			assert.Regexp(t, `^Assistant asst_\w{24}: Math Tutor on gpt-4o$`, lines[0])
			assert.Regexp(t, `^Thread    thread_\w{24}, created 20`, lines[1])
			assert.Regexp(t, "^Message   msg_\\w{24}: I need to solve the equation `3x \\+ 11 = 14`", lines[2])
			assert.Contains(t, lines[4], "x = 1")
			assert.Regexp(t, `^Run       run_\w{24} is completed$`, lines[6])
		})
	}
}

// Nothing is left behind, whatever happens.
func TestCleansUp(t *testing.T) {
	assert.Contains(t, exampletest.Output(t, run, nil), "x = 1")
}

func TestConnectErrors(t *testing.T) {
	clearEnv(t)
	t.Setenv("OPENAI_BASE_URL", "http://localhost:1")
	_, _, err := endpoint.Connect()
	require.ErrorContains(t, err, "OPENAI_API_KEY")
}
