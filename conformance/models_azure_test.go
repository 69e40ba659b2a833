package conformance

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
	"github.com/assistants-go/assistants/server"
)

// TestModelsAskAzure has both models ask a resource of Azure OpenAI: the path and the header of its key are those of
// Azure, and the version is in the query unless it is v1.
func TestModelsAskAzure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ api, version, path, query string }{
		{responsesAPI, "v1", "/openai/v1/responses", ""},
		{chatAPI, "v1", "/openai/v1/chat/completions", ""},
		{responsesAPI, "2025-03-01-preview", "/openai/responses", "api-version=2025-03-01-preview"},
	} {
		t.Run(c.api+" "+c.version, func(t *testing.T) {
			t.Parallel()
			provider := upstream.New(endOf(t, c.api))
			listening := httptest.NewServer(provider)
			t.Cleanup(listening.Close)
			asking, err := assistants.NewClient(assistants.WithAzureOpenAI(listening.URL, c.version), assistants.WithAzureAPIKey(providerKey))
			require.NoError(t, err)
			t.Cleanup(asking.CloseIdleConnections)
			s := server.New(server.WithModel(modelOf(c.api, asking)))
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			client, err := assistants.NewClient(assistants.WithHandler(s))
			require.NoError(t, err)
			h := &modelHost{t, provider, s, client}
			got := h.stream(h.made("/assistants", `{"model":"a-deployment"}`), h.made("/threads", `{"messages":[`+hello+`]}`), "")
			assert.Equal(t, []string{"text: The end."}, got.said)
			require.Len(t, provider.Requests(), 1)
			asked := provider.Requests()[0]
			assert.Equal(t, c.path, asked.Path)
			assert.Equal(t, c.query, asked.Query)
			assert.Equal(t, providerKey, asked.Header.Get("api-key"))
			assert.Empty(t, asked.Header.Get("Authorization")+asked.Header.Get("OpenAI-Beta"))
			requireWants(t, asked.Body, wants{"model": `"a-deployment"`})
		})
	}
}
