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

// The main job comes to the same end on every server of the protocol that the environment can name.
func TestRun(t *testing.T) {
	t.Setenv("ASSISTANTS_MODEL", "")
	srv := httptest.NewServer(server.New(server.WithAPIKeys("k")))
	defer srv.Close()
	for name, env := range map[string]map[string]string{
		"embedded": {},
		"OpenAI":   {"OPENAI_BASE_URL": srv.URL + "/v1", "OPENAI_API_KEY": "k"},
		"Azure":    {"AZURE_OPENAI_ENDPOINT": srv.URL, "AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "2024-05-01-preview"},
	} {
		t.Run(name, func(t *testing.T) {
			service, err := endpoint.Connect(t.Context(), func(name string) string { return env[name] })
			require.NoError(t, err)
			defer func() { require.NoError(t, service.Close()) }()
			assert.Equal(t, name == "embedded", strings.HasPrefix(service.Name, "the embedded server"))
			var out strings.Builder
			require.NoError(t, run(t.Context(), service.Client, &out))
			checkOutput(t, out.String(), "x = 1")
		})
	}
}

func checkOutput(t *testing.T, printed, answer string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	require.Len(t, lines, 7)
	assert.Regexp(t, `^Assistant asst_\w{24}: Math Tutor on gpt-4o$`, lines[0])
	assert.Regexp(t, `^Thread    thread_\w{24}, created 20`, lines[1])
	assert.Regexp(t, "^Message   msg_\\w{24}: I need to solve the equation `3x \\+ 11 = 14`", lines[2])
	assert.Contains(t, lines[4], answer)
	assert.Regexp(t, `^Run       run_\w{24} is completed$`, lines[6])
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	t.Setenv("ASSISTANTS_MODEL", "")
	for _, printed := range exampletest.OnProviders(t, run, nil, "Subtract 11, divide by 3: x is one.") {
		checkOutput(t, printed, "Subtract 11, divide by 3: x is one.")
	}
}

// Nothing is left behind, whatever happens.
func TestCleansUp(t *testing.T) {
	assert.Contains(t, exampletest.Output(t, run, nil), "x = 1")
}
