package assistants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// The variables that NewClient reads.
var variables = []string{
	"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID",
	"AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "OPENAI_API_VERSION",
}

func setenv(t *testing.T, env map[string]string) {
	for _, name := range variables {
		t.Setenv(name, env[name])
	}
}

func noToken(context.Context) (string, error) { return "token", nil }

// What is missing or contradicts itself is an error of NewClient, and shows no secret.
func TestNewClientErrors(t *testing.T) {
	key := assistants.WithAPIKey("secret-key")
	for name, test := range map[string]struct {
		env  map[string]string
		opts []assistants.Option
		says string
	}{
		"nothing":                   {nil, nil, "OPENAI_API_KEY"},
		"nil option":                {nil, []assistants.Option{nil}, "option 0 is nil"},
		"empty key":                 {nil, []assistants.Option{assistants.WithAPIKey("")}, "empty"},
		"key with a line break":     {nil, []assistants.Option{assistants.WithAPIKey("secret-key\n")}, "line break"},
		"key in env with a space":   {map[string]string{"OPENAI_API_KEY": "secret key"}, nil, "space"},
		"two keys":                  {nil, []assistants.Option{key, assistants.WithAzureAPIKey("secret-key")}, "two credentials at once"},
		"key and token":             {nil, []assistants.Option{key, assistants.WithTokenSource(noToken)}, "two credentials at once"},
		"nil token source":          {nil, []assistants.Option{assistants.WithTokenSource(nil)}, "nil"},
		"no scheme":                 {nil, []assistants.Option{key, assistants.WithBaseURL("localhost:8080")}, "http://"},
		"no host":                   {nil, []assistants.Option{key, assistants.WithBaseURL("http:///v1")}, "no host"},
		"no URL":                    {nil, []assistants.Option{key, assistants.WithBaseURL("http://a b")}, "not a URL"},
		"empty URL":                 {nil, []assistants.Option{key, assistants.WithBaseURL("")}, "http://"},
		"password in URL":           {nil, []assistants.Option{key, assistants.WithBaseURL("https://me:secret-key@host")}, "credentials"},
		"bad password in URL":       {nil, []assistants.Option{key, assistants.WithBaseURL("https://me:secret-key%zz@host")}, "not a URL"},
		"query in URL":              {nil, []assistants.Option{key, assistants.WithBaseURL("https://host/v1?key=secret-key")}, "query"},
		"bad URL in env":            {map[string]string{"OPENAI_BASE_URL": "ftp://host"}, []assistants.Option{key}, "OPENAI_BASE_URL"},
		"two endpoints":             {nil, []assistants.Option{key, assistants.WithBaseURL("http://a"), assistants.WithAzureOpenAI("http://b", "v1")}, "two endpoints at once: WithAzureOpenAI and WithBaseURL"},
		"handler and URL":           {nil, []assistants.Option{assistants.WithHandler(http.NotFoundHandler()), assistants.WithBaseURL("http://a")}, "two endpoints"},
		"handler and HTTP client":   {nil, []assistants.Option{assistants.WithHandler(http.NotFoundHandler()), assistants.WithHTTPClient(&http.Client{})}, "contradict"},
		"nil handler":               {nil, []assistants.Option{assistants.WithHandler(nil)}, "nil"},
		"nil HTTP client":           {nil, []assistants.Option{key, assistants.WithHTTPClient(nil)}, "nil"},
		"Azure without endpoint":    {nil, []assistants.Option{assistants.WithAzureOpenAI("", "v1")}, "AZURE_OPENAI_ENDPOINT"},
		"Azure without version":     {nil, []assistants.Option{assistants.WithAzureOpenAI("http://a", "")}, "OPENAI_API_VERSION"},
		"Azure without key":         {map[string]string{"OPENAI_API_KEY": "not this one"}, []assistants.Option{assistants.WithAzureOpenAI("http://a", "v1")}, "AZURE_OPENAI_API_KEY"},
		"Azure v1 with a date":      {nil, []assistants.Option{key, assistants.WithAzureOpenAI("http://a/openai/v1", "2024-05-01-preview")}, "/openai/v1"},
		"Azure key for OpenAI":      {nil, []assistants.Option{assistants.WithAzureAPIKey("secret-key")}, "no api-key header"},
		"Azure key for Foundry":     {nil, []assistants.Option{assistants.WithFoundryProject("https://a/api/projects/p"), assistants.WithAzureAPIKey("secret-key")}, "no api-key header"},
		"Foundry without token":     {map[string]string{"OPENAI_API_KEY": "not this one"}, []assistants.Option{assistants.WithFoundryProject("https://a/api/projects/p")}, "WithTokenSource"},
		"negative retries":          {nil, []assistants.Option{key, assistants.WithMaxRetries(-1)}, "negative"},
		"negative timeout":          {nil, []assistants.Option{key, assistants.WithTimeout(-1)}, "negative"},
		"negative idle timeout":     {nil, []assistants.Option{key, assistants.WithStreamIdleTimeout(-1)}, "negative"},
		"no room for answers":       {nil, []assistants.Option{key, assistants.WithMaxResponseBytes(0)}, "no limit"},
		"header name":               {nil, []assistants.Option{key, assistants.WithHeader("a b", "c")}, "no name of a header"},
		"key as a header's name":    {nil, []assistants.Option{key, assistants.WithHeader("Bearer secret-key", "Authorization")}, "no name of a header"},
		"header value":              {nil, []assistants.Option{key, assistants.WithHeader("Authorization", "secret-key\r\n")}, "characters"},
		"header that frames":        {nil, []assistants.Option{key, assistants.WithHeader("content-length", "1")}, "frames"},
		"credentials off":           {nil, []assistants.Option{key, assistants.WithHeader("authorization", "")}, "cannot be taken off"},
		"beta that is no header":    {nil, []assistants.Option{key, assistants.WithBeta("a\nb")}, "characters"},
		"empty organization":        {nil, []assistants.Option{key, assistants.WithOrganization("")}, "empty"},
		"project that is no header": {nil, []assistants.Option{key, assistants.WithProject("\x00")}, "characters"},
		"option of one call":        {nil, []assistants.Option{key, assistants.WithIdempotencyKey("k")}, "WithIdempotencyKey: this option belongs to one call"},
		"response of one call":      {nil, []assistants.Option{key, assistants.WithResponse(new(assistants.Response))}, "one call"},
		"field of one call":         {nil, []assistants.Option{key, assistants.WithBodyField("a", 1)}, "one call"},
	} {
		t.Run(name, func(t *testing.T) {
			setenv(t, test.env)
			client, err := assistants.NewClient(test.opts...)
			require.ErrorContains(t, err, test.says)
			assert.Nil(t, client)
			assert.NotContains(t, err.Error(), "secret-key")
		})
	}
}

// Addresses and headers of every kind of endpoint, from options and from the environment.
func TestEndpoints(t *testing.T) {
	const dated = "2024-05-01-preview"
	token := assistants.WithTokenSource(func(context.Context) (string, error) { return "tok", nil })
	for name, test := range map[string]struct {
		env     map[string]string
		opts    []assistants.Option
		url     string
		headers map[string]string // "" means absent
	}{
		"the environment alone": {
			map[string]string{"OPENAI_API_KEY": " k\n", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "proj"}, nil,
			"https://api.openai.com/v1/assistants/asst_1",
			map[string]string{"Authorization": "Bearer k", "OpenAI-Organization": "org", "OpenAI-Project": "proj",
				"OpenAI-Beta": "assistants=v2", "Api-Key": ""},
		},
		"base URL of the environment": {
			map[string]string{"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://localhost:8080/a/v1/"}, nil,
			"http://localhost:8080/a/v1/assistants/asst_1", map[string]string{"Authorization": "Bearer k"},
		},
		"options before the environment": {
			map[string]string{"OPENAI_API_KEY": "env", "OPENAI_BASE_URL": "http://env", "OPENAI_ORG_ID": "env", "OPENAI_PROJECT_ID": "env"},
			[]assistants.Option{assistants.WithAPIKey("k"), assistants.WithBaseURL("https://host"),
				assistants.WithOrganization("org"), assistants.WithProject("proj"), assistants.WithBeta(assistants.BetaV1)},
			"https://host/assistants/asst_1",
			map[string]string{"Authorization": "Bearer k", "OpenAI-Organization": "org", "OpenAI-Project": "proj", "OpenAI-Beta": "assistants=v1"},
		},
		"the last option of a name": {
			nil, []assistants.Option{assistants.WithAPIKey("a"), assistants.WithBaseURL("https://a"),
				assistants.WithAPIKey("b"), assistants.WithBaseURL("https://b")},
			"https://b/assistants/asst_1", map[string]string{"Authorization": "Bearer b"},
		},
		"no beta header": {
			nil, []assistants.Option{assistants.WithAPIKey("k"), assistants.WithBeta(assistants.BetaNone)},
			"https://api.openai.com/v1/assistants/asst_1", map[string]string{"OpenAI-Beta": ""},
		},
		"Azure by date": {
			map[string]string{"OPENAI_API_KEY": "no", "OPENAI_ORG_ID": "no", "OPENAI_PROJECT_ID": "no", "OPENAI_BASE_URL": "http://no"},
			[]assistants.Option{assistants.WithAzureOpenAI("https://r.openai.azure.com/", dated), assistants.WithAzureAPIKey("k")},
			"https://r.openai.azure.com/openai/assistants/asst_1?api-version=" + dated,
			map[string]string{"Api-Key": "k", "Authorization": "", "OpenAI-Organization": "", "OpenAI-Project": "", "OpenAI-Beta": "assistants=v2"},
		},
		"Azure v1": {
			nil, []assistants.Option{assistants.WithAzureOpenAI("https://r.openai.azure.com", "v1"), token},
			"https://r.openai.azure.com/openai/v1/assistants/asst_1", map[string]string{"Authorization": "Bearer tok", "Api-Key": ""},
		},
		"Azure as the portal shows it": {
			nil, []assistants.Option{assistants.WithAzureOpenAI("https://r.openai.azure.com/openai/v1/", "v1"), assistants.WithAzureAPIKey("k")},
			"https://r.openai.azure.com/openai/v1/assistants/asst_1", nil,
		},
		"Azure from the environment": {
			map[string]string{"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/openai/", "AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": dated},
			[]assistants.Option{assistants.WithAzureOpenAI("", "")},
			"https://r.openai.azure.com/openai/assistants/asst_1?api-version=" + dated, map[string]string{"Api-Key": "k"},
		},
		"a Foundry project": {
			map[string]string{"OPENAI_API_KEY": "no"},
			[]assistants.Option{assistants.WithFoundryProject("https://r.services.ai.azure.com/api/projects/p"), token},
			"https://r.services.ai.azure.com/api/projects/p/assistants/asst_1?api-version=v1",
			map[string]string{"Authorization": "Bearer tok", "OpenAI-Beta": ""},
		},
		"a header as credentials": {
			nil, []assistants.Option{assistants.WithBaseURL("https://gateway"), assistants.WithHeader("authorization", "Basic abc")},
			"https://gateway/assistants/asst_1", map[string]string{"Authorization": "Basic abc"},
		},
		"a gateway's key beside that of the environment": {
			map[string]string{"OPENAI_API_KEY": "k"},
			[]assistants.Option{assistants.WithBaseURL("https://gateway"), assistants.WithHeader("Gateway-Auth", "Bearer g")},
			"https://gateway/assistants/asst_1", map[string]string{"Authorization": "Bearer k", "Gateway-Auth": "Bearer g"},
		},
		"a gateway's key alone": {
			nil, []assistants.Option{assistants.WithBaseURL("https://gateway"), assistants.WithHeader("Gateway-Auth", "Bearer gateway-key")},
			"https://gateway/assistants/asst_1", map[string]string{"Authorization": "", "Gateway-Auth": "Bearer gateway-key"},
		},
		"headers of one's own": {
			nil, []assistants.Option{assistants.WithAPIKey("k"), assistants.WithHeader("X-Tenant", "7"), assistants.WithHeader("Accept", "")},
			"https://api.openai.com/v1/assistants/asst_1", map[string]string{"X-Tenant": "7", "Accept": "", "Authorization": "Bearer k"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			setenv(t, test.env)
			tr := newTransport(t, answer(200, assistantJSON))
			client, err := assistants.NewClient(append(test.opts, assistants.WithHTTPClient(&http.Client{Transport: tr}))...)
			require.NoError(t, err)
			_, err = client.Assistants.Retrieve(t.Context(), "asst_1")
			require.NoError(t, err)
			assert.Equal(t, test.url, tr.last().URL.String())
			for name, value := range test.headers {
				assert.Equal(t, value, tr.last().Header.Get(name), name)
			}
		})
	}
}

// A handler needs no network, no credentials and no environment.
func TestWithHandler(t *testing.T) {
	setenv(t, map[string]string{"OPENAI_API_KEY": "not for this", "OPENAI_BASE_URL": "http://not.here"})
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v1/assistants", r.URL.Path)
		assert.Equal(t, "/v1/assistants?limit=1", r.RequestURI)
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.NotEmpty(t, r.RemoteAddr)
		io.WriteString(w, `{"object":"list","data":[]}`)
	})))
	require.NoError(t, err)
	var resp assistants.Response
	page, err := client.Assistants.List(t.Context(), assistants.ListParams{Limit: 1}, assistants.WithResponse(&resp))
	require.NoError(t, err)
	assert.Empty(t, page.Data)
	assert.Equal(t, 200, resp.StatusCode)
}

func TestRequestOptions(t *testing.T) {
	t.Parallel()
	create := func(t *testing.T, opts ...assistants.RequestOption) (sent, error) {
		tr := newTransport(t, answer(200, assistantJSON, "x-request-id: req_1"))
		_, err := newClient(t, tr, assistants.WithHeader("X-All", "a"), assistants.WithHeader("X-One", "a")).
			Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m",
			Tools: []assistants.Tool{{Function: &assistants.FunctionDefinition{Name: "f"}}}}, opts...)
		if err != nil {
			assert.Empty(t, tr.requests())
			return sent{}, err
		}
		return tr.last(), nil
	}
	t.Run("headers and keys", func(t *testing.T) {
		t.Parallel()
		r, err := create(t, assistants.WithHeader("X-One", "b"), assistants.WithIdempotencyKey("key"))
		require.NoError(t, err)
		assert.Equal(t, "a", r.Header.Get("X-All"))
		assert.Equal(t, "b", r.Header.Get("X-One"))
		assert.Equal(t, "key", r.Header.Get("Idempotency-Key"))
	})
	t.Run("body fields", func(t *testing.T) {
		t.Parallel()
		r, err := create(t, assistants.WithBodyField("model", json.RawMessage(`{"name":"x"}`)),
			assistants.WithBodyField("tools.0.function.strict", false), assistants.WithBodyField("tools.1", assistants.Tool{Type: "file_search"}),
			assistants.WithBodyField("new.deep", []int{1}), assistants.WithBodyField("gone", assistants.Null[int]()))
		require.NoError(t, err)
		assert.JSONEq(t, `{"model":{"name":"x"},"tools":[{"type":"function","function":{"name":"f","strict":false}},{"type":"file_search"}],
			"new":{"deep":[1]},"gone":null}`, r.body)
	})
	for name, test := range map[string]struct {
		opt  assistants.RequestOption
		says string
	}{
		"through a value":  {assistants.WithBodyField("model.x", 1), "there is a value"},
		"off the array":    {assistants.WithBodyField("tools.2", 1), "no index"},
		"no index":         {assistants.WithBodyField("tools.x", 1), "no index"},
		"empty element":    {assistants.WithBodyField("a..b", 1), "empty element"},
		"no JSON":          {assistants.WithBodyField("a", func() {}), "unsupported type"},
		"empty key":        {assistants.WithIdempotencyKey(""), "1 to 255"},
		"key with break":   {assistants.WithIdempotencyKey("a\nb"), "characters"},
		"nil response":     {assistants.WithResponse(nil), "nil"},
		"nil option":       {nil, "option 0 is nil"},
		"not streamed":     {assistants.WithStreamIdleTimeout(time.Second), "not streamed"},
		"negative timeout": {assistants.WithTimeout(-1), "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := create(t, test.opt)
			require.ErrorContains(t, err, test.says)
		})
	}
	t.Run("what a GET cannot honour", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, assistantJSON))
		client := newClient(t, tr)
		_, err := client.Assistants.Retrieve(t.Context(), "asst_1", assistants.WithIdempotencyKey("k"))
		require.ErrorContains(t, err, "WithIdempotencyKey")
		_, err = client.Assistants.Retrieve(t.Context(), "asst_1", assistants.WithBodyField("a", 1))
		require.ErrorContains(t, err, "WithBodyField: a GET has no body")
		_, err = client.Assistants.Delete(t.Context(), "asst_1", assistants.WithBodyField("a", 1))
		require.ErrorContains(t, err, "WithBodyField: a DELETE has no body")
		assert.Empty(t, tr.requests())
	})
	t.Run("response of nothing", func(t *testing.T) {
		t.Parallel()
		resp := assistants.Response{StatusCode: 200}
		_, err := newClient(t, newTransport(t, answer(200, assistantJSON))).Assistants.Retrieve(t.Context(), "", assistants.WithResponse(&resp))
		require.Error(t, err)
		assert.Zero(t, resp)
	})
	t.Run("response", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(500, ""), answer(404, `{"error":{}}`, "apim-request-id: 7"))
		var resp assistants.Response
		_, err := newClient(t, tr, assistants.WithMaxRetries(0)).Assistants.Retrieve(t.Context(), "a", assistants.WithResponse(&resp))
		require.ErrorIs(t, err, assistants.ErrServer)
		assert.Equal(t, 1, resp.Attempts)
		_, err = newClient(t, tr).Assistants.Retrieve(t.Context(), "a", assistants.WithResponse(&resp))
		require.ErrorIs(t, err, assistants.ErrNotFound)
		assert.Equal(t, "7", resp.RequestID)
		assert.Equal(t, 404, resp.StatusCode)
		assert.Equal(t, `{"error":{}}`, string(resp.Body))
		assert.Equal(t, "7", resp.Header.Get("Apim-Request-Id"))
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestNilContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	_, err := newClient(t, newTransport(t, answer(200, assistantJSON))).Assistants.Retrieve(none, "asst_1")
	require.ErrorContains(t, err, "context is nil")
	_, err = new(assistants.AssistantsService).Retrieve(t.Context(), "asst_1")
	require.ErrorContains(t, err, "NewClient")
	require.ErrorContains(t, new(assistants.Client).Call(t.Context(), "GET", "/a", nil, nil), "NewClient")
}

func TestTokenSource(t *testing.T) {
	t.Parallel()
	t.Run("asked on every attempt", func(t *testing.T) {
		t.Parallel()
		n := 0
		tr := newTransport(t, answer(500, "", "retry-after-ms: 0"), answer(200, assistantJSON))
		client, err := assistants.NewClient(assistants.WithBaseURL("https://host"), assistants.WithHTTPClient(&http.Client{Transport: tr}),
			assistants.WithTokenSource(func(ctx context.Context) (string, error) {
				n++
				return []string{"", "first", "second"}[n], ctx.Err()
			}))
		require.NoError(t, err)
		_, err = client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
		require.NoError(t, err)
		assert.Equal(t, "Bearer first", tr.requests()[0].Header.Get("Authorization"))
		assert.Equal(t, "Bearer second", tr.requests()[1].Header.Get("Authorization"))
	})
	broken := errors.New("no identity")
	for name, source := range map[string]func(context.Context) (string, error){
		"fails":        func(context.Context) (string, error) { return "", broken },
		"is empty":     func(context.Context) (string, error) { return "", nil },
		"is no header": func(context.Context) (string, error) { return "hidden\ntoken", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			client, err := assistants.NewClient(assistants.WithBaseURL("https://host"), assistants.WithTokenSource(source),
				assistants.WithHTTPClient(&http.Client{Transport: tr}))
			require.NoError(t, err)
			_, err = client.Assistants.Retrieve(t.Context(), "asst_1")
			require.ErrorContains(t, err, "no credential")
			assert.NotContains(t, err.Error(), "hidden")
			assert.Equal(t, name == "fails", errors.Is(err, broken))
			assert.Empty(t, tr.requests())
		})
	}
}

// Real sources of tokens fail with errors of other requests. Those are no reason to try again, and no timeout of the
// server's.
func TestTokenSourceErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source func(context.Context) (string, error)
		opts   []assistants.Option
		is     error
		says   string
	}{
		"no connection": {func(ctx context.Context) (string, error) {
			return "", fmt.Errorf("entra: %w", &url.Error{Op: "Post", URL: "https://login.example", Err: notDialled})
		}, nil, syscall.ECONNREFUSED, "no credential: entra: Post"},
		"a connection error by itself": {func(context.Context) (string, error) {
			return "", &url.Error{Op: "Post", URL: "https://login.example", Err: reset}
		}, nil, syscall.ECONNRESET, "no credential: Post"},
		"silence": {func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, []assistants.Option{assistants.WithTimeout(time.Second)}, context.DeadlineExceeded, "no credential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				client, err := assistants.NewClient(append(test.opts, assistants.WithBaseURL("https://host.example"),
					assistants.WithTokenSource(func(ctx context.Context) (string, error) {
						asked++
						return test.source(ctx)
					}))...)
				require.NoError(t, err)
				err = retrieve(t.Context(), client)
				require.ErrorIs(t, err, test.is)
				require.ErrorContains(t, err, test.says)
				assert.Equal(t, 1, asked)
			})
		})
	}
}

// What one call changes stays with it.
func TestCallsDoNotShare(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, `{"object":"list","data":[]}`))
	client := newClient(t, tr, assistants.WithHeader("X-All", "a"))
	azure, err := assistants.NewClient(assistants.WithAzureOpenAI("https://host.example", "2024-05-01-preview"), assistants.WithAzureAPIKey(testKey),
		assistants.WithHTTPClient(&http.Client{Transport: tr}))
	require.NoError(t, err)
	for _, c := range []*assistants.Client{client, azure} {
		_, err := c.Assistants.List(t.Context(), assistants.ListParams{Limit: 1, After: "a"}, assistants.WithHeader("X-One", "1"),
			assistants.WithHeader("X-All", "b"))
		require.NoError(t, err)
		_, err = c.Assistants.List(t.Context(), assistants.ListParams{Order: "asc"})
		require.NoError(t, err)
		assert.Empty(t, tr.last().Header.Get("X-One"))
		assert.NotEqual(t, "b", tr.last().Header.Get("X-All"))
	}
	assert.Equal(t, "api-version=2024-05-01-preview&order=asc", tr.last().URL.RawQuery)
	assert.Equal(t, "limit=1", strings.Split(tr.requests()[0].URL.RawQuery, "&")[1])

	own := &http.Client{Transport: tr}
	_, err = assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithHTTPClient(own))
	require.NoError(t, err)
	assert.Nil(t, own.CheckRedirect)
}

// Credentials of the caller's own take the place of the client's.
func TestCredentialHeaders(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, assistantJSON))
	client := newClient(t, tr)
	require.NoError(t, retrieve(t.Context(), client, assistants.WithHeader("Authorization", "Basic 0123456789")))
	assert.Equal(t, []string{"Basic 0123456789"}, tr.last().Header["Authorization"])
	require.NoError(t, retrieve(t.Context(), client, assistants.WithHeader("Api-Key", "0123456789")))
	assert.Empty(t, tr.last().Header.Get("Authorization"))
	require.NoError(t, retrieve(t.Context(), client, assistants.WithHeader("Ocp-Apim-Subscription-Key", "0123456789")))
	assert.Equal(t, "Bearer "+testKey, tr.last().Header.Get("Authorization")) // a gateway's key goes along with the server's
	require.NoError(t, retrieve(t.Context(), client, assistants.WithHeader("User-Agent", "")))
	assert.Equal(t, []string{""}, tr.last().Header["User-Agent"]) // which net/http does not send
	assert.Equal(t, "Bearer "+testKey, tr.last().Header.Get("Authorization"))
}

// Open leaves an answer to its reader, with the errors of a call, and a way to keep secrets out of what is read.
func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("what arrives", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, "data: 1\n\n"))
		body, err := newClient(t, tr).Open(t.Context(), "POST", "/responses?a=b", json.RawMessage(`{"stream":true}`),
			assistants.WithHeader("Accept", "text/event-stream"), assistants.WithHeader("OpenAI-Beta", ""))
		require.NoError(t, err)
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		assert.Equal(t, "data: 1\n\n", string(got))
		sent := tr.last()
		assert.Equal(t, "https://host.example/v1/responses?a=b", sent.URL.String())
		assert.Equal(t, "text/event-stream", sent.Header.Get("Accept"))
		assert.Equal(t, "application/json", sent.Header.Get("Content-Type"))
		assert.NotContains(t, sent.Header, "Openai-Beta")
		assert.JSONEq(t, `{"stream":true}`, sent.body)
		assert.Equal(t, "not [redacted]", body.(interface{ Redact(string) string }).Redact("not "+testKey))
	})
	t.Run("errors", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, newTransport(t, answer(404, `{"error":{"message":"gone"}}`)))
		_, err := client.Open(t.Context(), "GET", "/files/f/content", nil)
		require.ErrorIs(t, err, assistants.ErrNotFound)
		_, err = client.Open(t.Context(), "GET", "no path", nil)
		require.ErrorContains(t, err, "slash")
		_, err = client.Open(t.Context(), "", "/a", nil)
		require.ErrorContains(t, err, "method is empty")
		_, err = client.Open(t.Context(), "POST", "/a", json.RawMessage("{"))
		require.ErrorContains(t, err, "unexpected end")
		_, err = client.Open(t.Context(), "GET", "/a", nil, assistants.WithToolHandler(nil))
		require.Error(t, err)
	})
}

// Call reaches what no method reaches, and no other server.
func TestCall(t *testing.T) {
	t.Parallel()
	t.Run("JSON both ways", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, `{"id":"x","n":1}`))
		var out struct{ ID string }
		err := newClient(t, tr).Call(t.Context(), "POST", "/threads/a%2Fb/fork?depth=2", map[string]int{"n": 1}, &out,
			assistants.WithBodyField("m", 2))
		require.NoError(t, err)
		assert.Equal(t, "x", out.ID)
		assert.Equal(t, "https://host.example/v1/threads/a%2Fb/fork?depth=2", tr.last().URL.String())
		assert.JSONEq(t, `{"n":1,"m":2}`, tr.last().body)
	})
	t.Run("raw JSON, and nothing", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, `{"id":"x"}`))
		client := newClient(t, tr)
		var raw json.RawMessage
		require.NoError(t, client.Call(t.Context(), "POST", "/a", json.RawMessage(`{"b": 1}`), &raw))
		assert.Equal(t, `{"id":"x"}`, string(raw))
		assert.JSONEq(t, `{"b":1}`, tr.last().body)
		require.NoError(t, client.Call(t.Context(), "DELETE", "/a", nil, nil))
		assert.Empty(t, tr.last().body)
	})
	t.Run("a typed answer is checked", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, `{"id":"x","object":"thread"}`))
		err := newClient(t, tr).Call(t.Context(), "GET", "/a", nil, new(assistants.Assistant))
		require.ErrorContains(t, err, `type "thread" instead of "assistant"`)
	})
	t.Run("errors are errors", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(404, `{"error":{"message":"gone"}}`), answer(200, `{"error":{"message":"not so well"}}`))
		client := newClient(t, tr)
		require.ErrorIs(t, client.Call(t.Context(), "GET", "/a", nil, nil), assistants.ErrNotFound)
		require.ErrorContains(t, client.Call(t.Context(), "GET", "/a", nil, nil), "not so well")
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, "not JSON"), answer(404, `{"error":{"message":"gone"}}`))
		var out bytes.Buffer
		client := newClient(t, tr, assistants.WithMaxResponseBytes(3))
		require.NoError(t, client.Call(t.Context(), "GET", "/files/f/content", nil, &out, assistants.WithStreamIdleTimeout(time.Second)))
		assert.Equal(t, "not JSON", out.String())
		require.ErrorContains(t, client.Call(t.Context(), "GET", "/files/f/content", nil, &out), "gone")
	})
	t.Run("bytes that nobody takes", func(t *testing.T) {
		t.Parallel()
		full := errors.New("disk full")
		err := newClient(t, newTransport(t, answer(200, "bytes"))).Call(t.Context(), "GET", "/a", nil, failingWriter{full})
		require.ErrorIs(t, err, full)
		assert.False(t, errors.As(err, new(*assistants.APIError)))
	})
	t.Run("a stream may last", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client, err := assistants.NewClient(assistants.WithTimeout(500*time.Millisecond), assistants.WithHandler(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					for range 5 {
						<-time.After(time.Second)
						io.WriteString(w, "x")
						w.(http.Flusher).Flush()
					}
				})))
			require.NoError(t, err)
			var out strings.Builder
			require.ErrorIs(t, client.Call(t.Context(), "GET", "/a", nil, &out), context.DeadlineExceeded) // no header in time
			require.NoError(t, client.Call(t.Context(), "GET", "/a", nil, &out, assistants.WithTimeout(1500*time.Millisecond)))
			assert.Equal(t, "xxxxx", out.String())
		})
	})
	t.Run("what cannot be sent or decoded", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, "{}"))
		client := newClient(t, tr)
		require.ErrorContains(t, client.Call(t.Context(), "", "/a", nil, nil), "method is empty")
		require.ErrorContains(t, client.Call(t.Context(), "GET", "/a", nil, struct{}{}), "cannot be decoded into this struct {}")
		require.ErrorContains(t, client.Call(t.Context(), "GET", "/a", nil, (*int)(nil)), "cannot be decoded into this *int")
		require.ErrorContains(t, client.Call(t.Context(), "GET", "/a", nil, (*bytes.Buffer)(nil)), "cannot be decoded into this *bytes.Buffer")
		require.ErrorContains(t, client.Call(t.Context(), "b\nad", "/a", nil, nil), "invalid method")
		require.ErrorContains(t, client.Call(t.Context(), "POST", "/a", json.RawMessage("{"), nil), "unexpected end")
		assert.Empty(t, tr.requests())
		require.NoError(t, client.Call(t.Context(), "PUT", "/a?flag&b=1;c", nil, nil, assistants.WithBodyField(`a\.b`, 1)))
		assert.JSONEq(t, `{"a.b":1}`, tr.last().body)
		assert.Equal(t, "flag&b=1;c", tr.last().URL.RawQuery)
		require.NoError(t, client.Call(t.Context(), "POST", "/a", json.RawMessage(` {"a": "<"}`), nil))
		assert.Equal(t, ` {"a": "<"}`, tr.last().body)
		require.NoError(t, client.Call(t.Context(), "POST", "/a", json.RawMessage(nil), nil))
		assert.Empty(t, tr.last().body)
	})
	t.Run("the header of something large", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, func(*http.Request) (*http.Response, error) {
			resp := response(200, "")
			resp.ContentLength = 1 << 40
			return resp, nil
		})
		var resp assistants.Response
		require.NoError(t, newClient(t, tr).Call(t.Context(), "HEAD", "/a", nil, nil, assistants.WithResponse(&resp)))
		assert.Equal(t, 200, resp.StatusCode)
	})
	for _, path := range []string{"", "threads", "/a#/b", "/a b", "/a\n", "//..", "/a/../b", "/a/%2e%2e/b", "/a%zz", "https://evil.example/", "@evil.example/"} {
		t.Run("path "+path, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, "{}"))
			require.Error(t, newClient(t, tr).Call(t.Context(), "GET", path, nil, nil))
			assert.Empty(t, tr.requests())
		})
	}
	t.Run("stays with its host", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, "{}"))
		client, err := assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithBaseURL("https://host.example"),
			assistants.WithHTTPClient(&http.Client{Transport: tr}))
		require.NoError(t, err)
		for _, path := range []string{"//evil.example/x", "/@evil.example", "/:80/", "/\\evil.example"} {
			_ = client.Call(t.Context(), "GET", path, nil, nil)
		}
		for _, r := range tr.requests() {
			assert.Equal(t, "host.example", r.URL.Host)
		}
	})
}
