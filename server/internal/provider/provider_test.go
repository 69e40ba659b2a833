package provider_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

const key = "sk-secret-of-the-provider"

// post asks a provider that answers in this way.
func post(t *testing.T, answer http.HandlerFunc) (*provider.Stream, error) {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(answer), assistants.WithAPIKey(key))
	require.NoError(t, err)
	return provider.Post(t.Context(), client, "/responses", map[string]bool{"stream": true})
}

// says is an answer with this status and body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// What is sent is for a provider of models, which knows nothing of the Assistants API.
func TestPost(t *testing.T) {
	t.Parallel()
	s, err := post(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, "POST /v1/responses", r.Method+" "+r.URL.Path)
		assert.JSONEq(t, `{"stream":true}`, string(body))
		assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
		assert.Equal(t, "Bearer "+key, r.Header.Get("Authorization"))
		assert.NotContains(t, r.Header, "Openai-Beta")
		_, _ = io.WriteString(w, ": hello\n\nevent: a\ndata: {\"n\":1}\n\ndata: {\"n\":2}\r\n\r\ndata: [DONE]\n\ndata: never\n\n")
	})
	require.NoError(t, err)
	defer s.Close()
	whole, err := s.Whole()
	require.NoError(t, err)
	assert.Nil(t, whole)
	for _, want := range []string{`{"n":1}`, `{"n":2}`} {
		data, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
	}
	_, err = s.Next()
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, "with [redacted] in it", s.Redact("with "+key+" in it"))
}

// A server that does not stream answers with an object, and one that is something else with a page.
func TestWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want, err string }{
		"an object": {" \n{\"id\":\"resp_1\"}", " \n{\"id\":\"resp_1\"}", ""},
		"a page":    {"<html>Sign in</html>", "", "provider: the answer is HTML"},
		"nothing":   {"", "", "unexpected EOF"},
		"too much":  {`{"id":"` + strings.Repeat("x", 32<<20) + `"}`, "", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := post(t, says(200, test.body))
			require.NoError(t, err)
			defer s.Close()
			whole, err := s.Whole()
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				assertShown(t, err, provider.CodeServer, "The model's ")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, string(whole))
		})
	}
}

// assertShown checks what the caller of a run sees of an error.
func assertShown(t *testing.T, err error, code, message string) {
	t.Helper()
	shown, ok := errors.AsType[*server.ModelError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, code, shown.Code)
	assert.Contains(t, shown.Message, message)
	assert.NotContains(t, err.Error()+shown.Message, key)
}

// The caller is shown what the provider says, without the key.
func TestFailures(t *testing.T) {
	t.Parallel()
	body := func(code string) string {
		return `{"error":{"message":"No, ` + key + ` is not enough.","type":"t","code":"` + code + `"}}`
	}
	for name, test := range map[string]struct {
		status     int
		body       string
		code, says string
	}{
		"the request":      {400, body("invalid_value"), provider.CodeServer, "No, [redacted] is not enough."},
		"the prompt":       {400, body("invalid_prompt"), provider.CodePrompt, "No, [redacted]"},
		"an image":         {400, body("invalid_image_url"), provider.CodePrompt, "No, [redacted]"},
		"another image":    {400, body("image_too_large"), provider.CodePrompt, "No, [redacted]"},
		"the key":          {401, body("invalid_api_key"), provider.CodeServer, "did not accept the key of this server"},
		"the permission":   {403, body(""), provider.CodeServer, "No, [redacted]"},
		"the model":        {404, body("model_not_found"), provider.CodeServer, "No, [redacted]"},
		"too many":         {429, body("rate_limit_exceeded"), provider.CodeRateLimit, "No, [redacted]"},
		"no money":         {429, body("insufficient_quota"), provider.CodeRateLimit, "No, [redacted]"},
		"the provider":     {500, body("server_error"), provider.CodeServer, "No, [redacted]"},
		"a page":           {502, "<html><title>Bad Gateway</title></html>", provider.CodeServer, "Bad Gateway"},
		"nothing":          {503, "", provider.CodeServer, "Service Unavailable"},
		"not a success":    {304, "", provider.CodeServer, ""},
		"another shape":    {400, `{"detail":"no"}`, provider.CodeServer, "no"},
		"a numeric code":   {400, `{"error":{"code":400,"message":"no"}}`, provider.CodeServer, "no"},
		"a plain sentence": {404, "model 'x' not found", provider.CodeServer, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, err := post(t, says(test.status, test.body))
				assertShown(t, err, test.code, test.says)
			})
		})
	}
}

// A provider that cannot be reached, or breaks off, is not named to the caller; that nobody waits any more is no failure.
func TestBroken(t *testing.T) {
	t.Parallel()
	client, err := assistants.NewClient(assistants.WithBaseURL("http://127.0.0.1:1/v1"), assistants.WithAPIKey(key), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	_, err = provider.Post(t.Context(), client, "/responses", nil)
	assertShown(t, err, provider.CodeServer, "could not be reached")
	shown, _ := errors.AsType[*server.ModelError](err)
	assert.NotContains(t, shown.Message, "127.0.0.1")
	assert.ErrorContains(t, err, "127.0.0.1:1", "the log has it")

	_, err = provider.Post(t.Context(), client, "/responses", make(chan int))
	require.Error(t, err)

	s, err := post(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\ndata: 2")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	require.NoError(t, err)
	_, err = s.Next()
	require.NoError(t, err)
	_, err = s.Next()
	assertShown(t, err, provider.CodeServer, "The model's answer broke off.")

	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = provider.Post(stopped, client, "/responses", nil)
	require.ErrorIs(t, err, context.Canceled)
	_, isModelError := errors.AsType[*server.ModelError](err)
	assert.False(t, isModelError)
	assert.Equal(t, context.Canceled, provider.Broken(context.Canceled))
}

// Silence ends a stream as the client says.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := assistants.NewClient(assistants.WithStreamIdleTimeout(time.Minute), assistants.WithHandler(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})))
		require.NoError(t, err)
		s, err := provider.Post(t.Context(), client, "/responses", nil)
		require.NoError(t, err)
		defer s.Close()
		_, err = s.Whole()
		assertShown(t, err, provider.CodeServer, "broke off")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestReported(t *testing.T) {
	t.Parallel()
	assertShown(t, provider.Reported("rate_limit_exceeded", "Slow down."), provider.CodeRateLimit, "Slow down.")
	assertShown(t, provider.Reported("vector_store_timeout", "Too slow."), provider.CodeServer, "Too slow.")
	assertShown(t, provider.Reported("", ""), provider.CodeServer, "reported an error")
	long, _ := errors.AsType[*server.ModelError](provider.Reported("", strings.Repeat("é", 1000)))
	assert.LessOrEqual(t, len(long.Message), 520)
	assert.True(t, strings.HasSuffix(long.Message, "é…"))
}
