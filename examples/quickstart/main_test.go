package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/examples/internal/endpoint"
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
			require.Len(t, lines, 6)
			assert.Regexp(t, `^Created   asst_\w{24}: Math Tutor on gpt-4o, created 20`, lines[0])
			assert.Regexp(t, `^Listed    asst_\w{24}: Math Tutor$`, lines[1])
			assert.Regexp(t, `: 1 tool, metadata map\[example:quickstart\]$`, lines[2])
			assert.Regexp(t, `: Patient Math Tutor \(Explains every step.\), metadata map\[\]$`, lines[3])
			assert.Regexp(t, `404 invalid_request_error: No assistant found with id 'asst_\w{24}'.`, lines[5])
		})
	}
}

func TestConnectErrors(t *testing.T) {
	clearEnv(t)
	t.Setenv("OPENAI_BASE_URL", "http://localhost:1")
	_, _, err := endpoint.Connect()
	require.ErrorContains(t, err, "OPENAI_API_KEY")
}
