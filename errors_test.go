package assistants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Every form in which servers of this protocol explain themselves.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	type want struct{ message, typ, code, param string }
	for name, test := range map[string]struct {
		status  int
		body    string
		headers []string
		want    want
		is      error
	}{
		"OpenAI":              {400, `{"error":{"message":"m","type":"t","param":"p","code":"c"}}`, nil, want{"m", "t", "c", "p"}, assistants.ErrBadRequest},
		"OpenAI with nulls":   {401, `{"error":{"message":"m","type":"t","param":null,"code":null}}`, nil, want{"m", "t", "", ""}, assistants.ErrUnauthorized},
		"Azure":               {401, `{"error":{"code":"401","message":"m"}}`, nil, want{"m", "", "401", ""}, assistants.ErrUnauthorized},
		"Azure, a number":     {403, `{"error":{"code":403,"message":"m"}}`, nil, want{"m", "", "403", ""}, assistants.ErrPermission},
		"API Management":      {401, `{"statusCode":401,"message":"m"}`, nil, want{"m", "", "", ""}, assistants.ErrUnauthorized},
		"FastAPI":             {404, `{"detail":"m"}`, nil, want{"m", "", "", ""}, assistants.ErrNotFound},
		"FastAPI validation":  {422, `{"detail":[{"loc":["body","model",0],"msg":"required","type":"missing"},{"msg":"n"}]}`, nil, want{"body.model.0: required; n", "", "", ""}, assistants.ErrBadRequest},
		"files":               {404, `{"error":{"message":"m","type":"t","param":"id","code":null},"detail":{"message":"n","code":null}}`, nil, want{"m", "t", "", "id"}, assistants.ErrNotFound},
		"problem details":     {409, `{"type":"about:blank","title":"m","status":409}`, nil, want{"m", "about:blank", "", ""}, assistants.ErrConflict},
		"error as a string":   {429, `{"error":"m"}`, nil, want{"m", "", "", ""}, assistants.ErrRateLimited},
		"error as null":       {500, `{"error":null,"message":"m"}`, nil, want{"m", "", "", ""}, assistants.ErrServer},
		"error in an error":   {500, `{"error":{"error":{"error":{"message":"m"}}}}`, nil, want{"Internal Server Error (the answer is application/json)", "", "", ""}, assistants.ErrServer},
		"error as a number":   {500, `{"error":7}`, nil, want{"Internal Server Error (the answer is application/json)", "", "", ""}, assistants.ErrServer},
		"a string":            {500, `"m"`, nil, want{"m", "", "", ""}, assistants.ErrServer},
		"plain text":          {502, " upstream is down\n", []string{"content-type: text/plain"}, want{"upstream is down", "", "", ""}, assistants.ErrServer},
		"HTML":                {502, `<html><body>Bad</body></html>`, []string{"content-type: text/html; charset=utf-8"}, want{"Bad Gateway (the answer is text/html)", "", "", ""}, assistants.ErrServer},
		"nothing":             {503, ``, nil, want{"Service Unavailable", "", "", ""}, assistants.ErrServer},
		"truncated":           {500, `{"error":{"mess`, nil, want{"Internal Server Error (the answer is application/json)", "", "", ""}, assistants.ErrServer},
		"null":                {500, `null`, nil, want{"Internal Server Error (the answer is application/json)", "", "", ""}, assistants.ErrServer},
		"a status of its own": {599, ``, nil, want{"unknown status", "", "", ""}, assistants.ErrServer},
		"a redirect nowhere":  {307, ``, nil, want{"Temporary Redirect", "", "", ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(test.status, test.body, append(test.headers, "x-request-id: req_7", "retry-after: 2")...))
			err := create(t.Context(), newClient(t, tr, assistants.WithMaxRetries(0)))
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.want, want{e.Message, e.Type, e.Code, e.Param})
			assert.Equal(t, test.status, e.StatusCode)
			assert.Equal(t, "req_7", e.RequestID)
			assert.Equal(t, 2*time.Second, e.RetryAfter)
			assert.Equal(t, "POST", e.Method)
			assert.Equal(t, "/assistants", e.Path)
			assert.Equal(t, test.body, string(e.Body))
			for _, kind := range []error{assistants.ErrBadRequest, assistants.ErrUnauthorized, assistants.ErrPermission, assistants.ErrNotFound,
				assistants.ErrConflict, assistants.ErrRateLimited, assistants.ErrServer, assistants.ErrRetired} {
				assert.Equal(t, kind == test.is, errors.Is(err, kind), kind)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(400, `{"error":{"message":"Unknown parameter: 'x'.","type":"invalid_request_error","param":"x","code":"unknown_parameter"}}`,
		"x-request-id: req_7"), answer(400, `{"error":{"message":"No.","param":"y"}}`), answer(400, `{"error":"`+strings.Repeat("ä", 600)+`"}`))
	client := newClient(t, tr)
	require.EqualError(t, create(t.Context(), client),
		"assistants: POST /assistants: 400 invalid_request_error unknown_parameter: Unknown parameter: 'x'. (request req_7)")
	require.EqualError(t, create(t.Context(), client), "assistants: POST /assistants: 400: No. (param y)")
	var e *assistants.APIError
	require.ErrorAs(t, create(t.Context(), client), &e)
	assert.LessOrEqual(t, len(e.Message), 512)
	assert.True(t, strings.HasSuffix(e.Message, "ä…"))
}

// Hosts that have switched the API off say so, and say what to do; other 404s do not.
func TestRetired(t *testing.T) {
	t.Parallel()
	absent := `{"error":{"message":"Invalid URL (POST /v1/assistants)","type":"invalid_request_error","param":null,"code":null}}`
	missing := `{"error":{"message":"No assistant found with id 'asst_1'.","type":"invalid_request_error","param":null,"code":null}}`
	for name, test := range map[string]struct {
		opt     assistants.Option
		status  int
		body    string
		retired bool
	}{
		"OpenAI":               {assistants.WithBaseURL("https://api.openai.com/v1"), 404, absent, true},
		"OpenAI, gone":         {assistants.WithBaseURL("https://API.openai.com/v1"), 410, "", true},
		"OpenAI, an object":    {assistants.WithBaseURL("https://api.openai.com/v1"), 404, missing, false},
		"OpenAI, another":      {assistants.WithBaseURL("https://api.openai.com/v1"), 400, absent, false},
		"Azure":                {assistants.WithAzureOpenAI("https://r.openai.azure.com", "v1"), 404, `{"error":{"code":"404","message":"Resource not found"}}`, true},
		"Azure, the other way": {assistants.WithAzureOpenAI("https://r.cognitiveservices.azure.com", "v1"), 404, "", true},
		"Foundry":              {assistants.WithFoundryProject("https://r.services.ai.azure.com/api/projects/p"), 404, absent, false},
		"elsewhere":            {assistants.WithBaseURL("https://host.example/v1"), 404, absent, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := assistants.NewClient(assistants.WithAPIKey("k"), test.opt,
				assistants.WithHTTPClient(&http.Client{Transport: newTransport(t, answer(test.status, test.body))}))
			require.NoError(t, err)
			err = create(t.Context(), client)
			assert.Equal(t, test.retired, errors.Is(err, assistants.ErrRetired))
			assert.Equal(t, test.status == 404 || test.retired, errors.Is(err, assistants.ErrNotFound))
			assert.Equal(t, test.retired, strings.Contains(err.Error(), "WithFoundryProject"))
		})
	}
}

// A success that is none is an error that carries status, request id and body.
func TestStrictAnswers(t *testing.T) {
	t.Parallel()
	get := retrieve
	list := func(c *assistants.Client) error {
		_, err := c.Assistants.List(t.Context(), assistants.ListParams{})
		return err
	}
	del := func(c *assistants.Client) error {
		_, err := c.Assistants.Delete(t.Context(), "asst_1")
		return err
	}
	one := func(c *assistants.Client) error { return get(t.Context(), c) }
	for name, test := range map[string]struct {
		call func(*assistants.Client) error
		body string
		says string
	}{
		"empty":              {one, ``, "empty"},
		"blank":              {one, " \n", "empty"},
		"null":               {one, `null`, "no id"},
		"empty object":       {one, `{}`, "no id"},
		"array":              {one, `[]`, "JSON of another kind"},
		"string":             {one, `"asst"`, "JSON of another kind"},
		"HTML":               {one, `<!doctype html>`, "not JSON"},
		"truncated":          {one, assistantJSON[:len(assistantJSON)/2], "truncated"},
		"two answers":        {one, assistantJSON + assistantJSON, "not JSON"},
		"an error":           {one, `{"error":{"message":"sorry"}}`, "sorry"},
		"an error beside":    {one, `{"id":"asst_1","object":"assistant","error":"sorry"}`, "sorry"},
		"another object":     {one, `{"id":"thread_1","object":"thread"}`, `"thread" instead of "assistant"`},
		"no id":              {one, `{"object":"assistant"}`, "no id"},
		"another JSON type":  {one, `{"id":"asst_1","object":"assistant","name":7}`, "number in the field name"},
		"page: null":         {list, `null`, "instead of"},
		"page: empty object": {list, `{}`, "instead of"},
		"page: no list":      {list, assistantJSON, "instead of"},
		"page: null element": {list, `{"object":"list","data":[` + assistantJSON + `,null]}`, "null at position 1"},
		"page: no element":   {list, `{"object":"list","data":[{"id":"run_1","object":"thread.run"}]}`, `position 0`},
		"page: data no list": {list, `{"object":"list","data":{}}`, "object in the field data"},
		"deleted: null":      {del, `null`, "does not say"},
		"deleted: not":       {del, `{"id":"asst_1","object":"assistant.deleted","deleted":false}`, "does not say"},
		"deleted: no":        {del, assistantJSON, "does not say"},
		"deleted: another":   {del, `{"id":"vs_1","object":"vector_store.deleted","deleted":true}`, `instead of "assistant.deleted"`},
		"an empty error":     {one, `{"error":{}}`, "the answer is an error"},
		"deleted: a number":  {del, `{"id":7,"object":"assistant.deleted","deleted":true}`, "a number in the field id, which takes none"},
		"deleted: something": {del, `{"object":"assistant.deleted","deleted":true}`, "no id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, test.body, "x-request-id: req_7"))
			err := test.call(newClient(t, tr))
			require.ErrorContains(t, err, test.says)
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, 200, e.StatusCode)
			assert.Equal(t, "req_7", e.RequestID)
			assert.Equal(t, test.body, string(e.Body))
			assert.Equal(t, name == "truncated", errors.Is(err, io.ErrUnexpectedEOF))
		})
	}
	t.Run("broken off", func(t *testing.T) {
		t.Parallel()
		err := create(t.Context(), newClient(t, newTransport(t, cut(assistantJSON[:20]))))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		var e *assistants.APIError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, assistantJSON[:20], string(e.Body))
	})
	t.Run("no limit is no error", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, assistantJSON))
		require.NoError(t, retrieve(t.Context(), newClient(t, tr, assistants.WithMaxResponseBytes(math.MaxInt64))))
	})
	t.Run("as much of it as can be kept", func(t *testing.T) {
		t.Parallel()
		var e *assistants.APIError
		require.ErrorAs(t, retrieve(t.Context(), newClient(t, newTransport(t, answer(200, strings.Repeat("x", 2<<20))))), &e)
		assert.Len(t, e.Body, 1<<20)
	})
	t.Run("the word error within is none", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, `{"id":"asst_1","object":"assistant","metadata":{"error":"x"},"error":null}`))
		require.NoError(t, retrieve(t.Context(), newClient(t, tr)))
	})
}

// However much a server sends, what is read is bounded.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	endless := func(status int, announced int64, read *int64) step {
		return func(*http.Request) (*http.Response, error) {
			resp := response(status, "")
			resp.ContentLength = announced
			left := int64(1 << 30)
			resp.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
				n := min(int64(len(p)), left)
				if n == 0 {
					return 0, io.EOF
				}
				left -= n
				*read += n
				for i := range p[:n] {
					p[i] = ' '
				}
				return int(n), nil
			}))
			return resp, nil
		}
	}
	for name, test := range map[string]struct {
		status    int
		announced int64
		opt       assistants.Option
		most      int64
	}{
		"by default":          {200, -1, assistants.WithMaxRetries(2), 64<<20 + 1},
		"announced":           {200, 1 << 30, assistants.WithMaxRetries(2), 0},
		"by option":           {200, -1, assistants.WithMaxResponseBytes(1000), 1001},
		"more than announced": {200, 10, assistants.WithMaxResponseBytes(1000), 1001},
		"an error":            {500, -1, assistants.WithMaxRetries(0), 1<<20 + 64<<10},
		"an error, announced": {500, 1 << 30, assistants.WithMaxRetries(0), 1<<20 + 64<<10},
		"no limit announced":  {200, 1<<63 - 1, assistants.WithMaxResponseBytes(1 << 62), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var read int64
			tr := newTransport(t, endless(test.status, test.announced, &read))
			err := retrieve(t.Context(), newClient(t, tr, test.opt))
			require.Error(t, err)
			assert.Len(t, tr.requests(), 1)
			assert.LessOrEqual(t, read, test.most)
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			assert.LessOrEqual(t, len(e.Body), 1<<20)
			if test.status == 200 {
				assert.ErrorContains(t, err, "larger than")
			}
		})
	}
}

// A redirect elsewhere is refused, names both hosts, and takes nothing along; a POST never becomes a GET.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Api-Key"))
	}))
	defer other.Close()
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.Path+" "+string(body)+" "+r.Header.Get("Authorization")+r.Header.Get("Api-Key"))
		to, code := r.Header.Get("To"), http.StatusTemporaryRedirect
		fmt.Sscan(r.Header.Get("Code"), &code)
		if to != "" && !strings.HasSuffix(r.URL.Path, "/there") && r.Header.Get("Stop") == "" {
			http.Redirect(w, r, to, code)
			return
		}
		io.WriteString(w, assistantJSON)
	}))
	defer srv.Close()

	token := func(context.Context) (string, error) { return testKey, nil }
	for _, credential := range []assistants.Option{assistants.WithAPIKey(testKey), assistants.WithAzureAPIKey(testKey), assistants.WithTokenSource(token)} {
		client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL+"/v1"), credential)
		require.NoError(t, err)
		for _, code := range []string{"301", "302", "303", "307", "308"} {
			for _, call := range []func() error{
				func() error {
					return retrieve(t.Context(), client, assistants.WithHeader("To", other.URL), assistants.WithHeader("Code", code))
				},
				func() error {
					return create(t.Context(), client, assistants.WithHeader("To", other.URL), assistants.WithHeader("Code", code))
				},
				func() error { // another scheme
					return retrieve(t.Context(), client, assistants.WithHeader("To", strings.Replace(srv.URL, "http:", "https:", 1)), assistants.WithHeader("Code", code))
				},
				func() error {
					return create(t.Context(), client, assistants.WithHeader("To", strings.Replace(srv.URL, "http:", "https:", 1)), assistants.WithHeader("Code", code))
				},
				func() error { // another name of the same port
					return create(t.Context(), client, assistants.WithHeader("To", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)), assistants.WithHeader("Code", code))
				},
			} {
				seen = nil
				err := call()
				require.ErrorContains(t, err, "redirect from "+srv.URL+" to ")
				require.NotContains(t, err.Error(), testKey)
				assert.Len(t, seen, 1)
			}
			seen = nil
			require.ErrorContains(t, retrieve(t.Context(), client, assistants.WithHeader("To", other.URL), assistants.WithHeader("Code", code)), other.URL)
			// On the same server a GET goes on, and a POST only as a POST.
			require.NoError(t, retrieve(t.Context(), client, assistants.WithHeader("To", "/there"), assistants.WithHeader("Code", code)))
			seen = nil
			err := create(t.Context(), client, assistants.WithHeader("To", "/there"), assistants.WithHeader("Code", code))
			if code == "307" || code == "308" {
				require.NoError(t, err)
				assert.Contains(t, seen[1], `POST /there {"model":"m"} `)
				assert.Contains(t, seen[1], testKey)
			} else {
				require.ErrorContains(t, err, "would turn POST into GET")
				assert.Len(t, seen, 1)
			}
		}
	}
	assert.Empty(t, leaked)

	var asked int
	client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey), assistants.WithMaxRetries(0),
		assistants.WithHTTPClient(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return http.ErrUseLastResponse }}))
	require.NoError(t, err)
	var e *assistants.APIError
	require.ErrorAs(t, retrieve(t.Context(), client, assistants.WithHeader("To", "/there")), &e)
	assert.Equal(t, 307, e.StatusCode)
	assert.Equal(t, 1, asked)

	client, err = assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey))
	require.NoError(t, err)
	seen = nil
	require.ErrorContains(t, retrieve(t.Context(), client, assistants.WithHeader("To", "/round")), "10 redirects")
	assert.Len(t, seen, 10) // and no second attempt
	no := errors.New("not there")
	client, err = assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey),
		assistants.WithHTTPClient(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return no }}))
	require.NoError(t, err)
	seen = nil
	require.ErrorIs(t, retrieve(t.Context(), client, assistants.WithHeader("To", "/there")), no)
	assert.Len(t, seen, 1)
}

// No way of printing a client, an option or an error shows a key, also if the server repeats it.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const key = `sk-"quoted"&<0123456789>`
	quoted, err := json.Marshal(key)
	require.NoError(t, err)
	inner := strings.Trim(string(quoted), `"`)
	echoes := map[string]step{
		"message":         answer(400, `{"error":{"message":`+string(quoted)+`,"type":`+string(quoted)+`,"code":`+string(quoted)+`,"param":`+string(quoted)+`}}`),
		"at the cut":      answer(400, `{"error":"`+strings.Repeat("x", 500)+inner+`"}`),
		"HTML":            answer(502, "<html>"+key+"</html>", "content-type: text/"+key, "x-request-id: "+key, "retry-after-ms: 0"),
		"plain text":      answer(500, "your key "+key, "content-type: text/plain", "retry-after-ms: 0"),
		"redirect":        answer(307, "", "location: https://"+strings.Repeat("a", 3)+".example/"+key),
		"not an answer":   answer(200, "<html>"+key),
		"another object":  answer(200, `{"id":"x","object":`+string(quoted)+`}`),
		"connection":      fail(errors.New("proxy refused " + key)),
		"wrapped":         fail(fmt.Errorf("proxy %s: %w", key, io.ErrUnexpectedEOF)),
		"no answer to it": cut(`{"id":"` + inner),
	}
	for _, credential := range []assistants.Option{
		assistants.WithHeader("Authorization", "Basic "+key), assistants.WithHeader("api-key", key),
	} {
		for name, echo := range echoes {
			var log bytes.Buffer
			handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})
			client, err := assistants.NewClient(credential, assistants.WithBaseURL("https://host.example"), assistants.WithMaxRetries(1),
				assistants.WithHTTPClient(&http.Client{Transport: newTransport(t, echo)}), assistants.WithLogger(slog.New(handler)))
			require.NoError(t, err)
			err = create(t.Context(), client)
			require.Error(t, err, name)
			texts := []string{log.String(), err.Error()}
			for _, v := range []any{client, *client, client.Assistants, *client.Assistants, credential, err, errors.Unwrap(err)} {
				encoded, _ := json.Marshal(v)
				texts = append(texts, string(encoded), fmt.Sprint(v), fmt.Sprintf("%+v %#v %s %q", v, v, v, v))
			}
			var e *assistants.APIError
			if errors.As(err, &e) {
				texts = append(texts, string(e.Body), fmt.Sprintf("%+v %#v", *e, *e))
			}
			for _, text := range texts {
				for _, form := range []string{key, inner, `0123456789>`, `\"quoted\"`} {
					require.NotContains(t, text, form, name)
				}
			}
			assert.Equal(t, name == "wrapped" || name == "no answer to it", errors.Is(err, io.ErrUnexpectedEOF), name)
		}
	}
	for _, opt := range []assistants.Option{assistants.WithAPIKey(testKey), assistants.WithAzureAPIKey(testKey), assistants.WithHeader("Cookie", testKey),
		assistants.WithHeader("Cookie", "sid="+testKey+"; theme=dark"), assistants.WithHeader("X-Gateway-Token", testKey)} {
		client, err := assistants.NewClient(assistants.WithBaseURL("https://host.example"), opt, assistants.WithHeader("Authorization", "x"),
			assistants.WithMaxRetries(0), assistants.WithHTTPClient(&http.Client{Transport: newTransport(t, answer(400, testKey))}))
		require.NoError(t, err)
		err = create(t.Context(), client)
		for _, v := range []any{client, *client, opt, err} {
			encoded, _ := json.Marshal(v)
			assert.NotContains(t, string(encoded)+fmt.Sprintf("%v %+v %#v", v, v, v), testKey)
		}
	}
}

// A key is found in whatever spelling it comes back.
func TestSecretSpellings(t *testing.T) {
	t.Parallel()
	const key = "sk-AbCdEf/0123+456"
	for name, text := range map[string]string{
		"JSON of .NET":   `sk-AbCdEf/0123\u002B456`,
		"JSON of PHP":    `sk-AbCdEf\/0123+456`,
		"JSON by force":  `\u0073\u006b\u002dAbCdEf/0123+456`,
		"Go":             `sk-AbCdEf/0123\x2b456`,
		"a URL":          `sk-AbCdEf%2F0123%2b456`,
		"HTML":           `sk-AbCdEf/0123&#43;456`,
		"twice, and cut": key + key + `sk-AbC`,
	} {
		for _, body := range []string{`{"error":{"message":"bad key ` + text + `"}}`, "bad key " + text} {
			err := create(t.Context(), newClient(t, newTransport(t, answer(400, body)), assistants.WithAPIKey(key)))
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			assert.Contains(t, string(e.Body), "bad key [redacted]", name)
			for _, shown := range []string{err.Error(), string(e.Body)} {
				assert.NotContains(t, shown, "CdEf/", name)
				assert.NotContains(t, shown, `CdEf\/`, name)
				assert.NotContains(t, shown, "CdEf%", name)
			}
		}
	}
	for _, secret := range []string{`abc%25defghi`, `ab\\cdefghi`, `a&amp;bcdefg`, `a&b<c>d"efg`} { // that look escaped, or must be
		quoted, err := json.Marshal(secret)
		require.NoError(t, err)
		for _, body := range []string{"x " + secret + " y", `{"error":` + string(quoted) + `}`, "x " + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(secret)} {
			err := create(t.Context(), newClient(t, newTransport(t, answer(400, body))), assistants.WithHeader("Authorization", secret))
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			assert.NotContains(t, err.Error()+string(e.Body), "efg")
		}
	}
	t.Run("at the end of what is kept", func(t *testing.T) {
		t.Parallel()
		for before := 1<<20 - 40; before < 1<<20+10; before += 3 {
			for _, status := range []int{200, 400} {
				var e *assistants.APIError
				err := create(t.Context(), newClient(t, newTransport(t, answer(status, strings.Repeat("x", before)+key+strings.Repeat("y", 200_000))), assistants.WithAPIKey(key)))
				require.ErrorAs(t, err, &e)
				assert.LessOrEqual(t, len(e.Body), 1<<20)
				assert.NotContains(t, string(e.Body), key[:4])
			}
		}
	})
	t.Run("one that begins another", func(t *testing.T) {
		t.Parallel()
		err := create(t.Context(), newClient(t, newTransport(t, answer(400, "abcdefghijkl"))), assistants.WithHeader("Cookie", "a=abcdef; b=abcdefghijkl"))
		require.ErrorContains(t, err, ": [redacted]")
		assert.NotContains(t, err.Error(), "ghijkl")
	})
	client, err := assistants.NewClient(assistants.WithAPIKey("sk-AbCdEfGh"), assistants.WithBaseURL("https://host.example"),
		assistants.WithHTTPClient(&http.Client{Transport: newTransport(t, answer(307, "", "location: https://sk-AbCdEfGh.example/"))}))
	require.NoError(t, err)
	err = create(t.Context(), client)
	require.ErrorContains(t, err, "redirect from https://host.example:443 to https://[redacted].example:443 refused")
}

func TestLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}})
	tr := newTransport(t, answer(500, "body", "retry-after-ms: 0"), fail(reset), answer(200, assistantJSON, "x-request-id: req_7"))
	require.NoError(t, retrieve(t.Context(), newClient(t, tr, assistants.WithLogger(slog.New(handler)))))
	assert.Equal(t, `level=WARN msg="assistants: attempt failed" method=GET path=/assistants/asst_1 status=500 attempt=1 request_id=""
level=WARN msg="assistants: attempt failed" method=GET path=/assistants/asst_1 status=0 attempt=2 request_id="" error="read tcp: connection reset by peer"
level=DEBUG msg="assistants: answered" method=GET path=/assistants/asst_1 status=200 attempt=3 request_id=req_7
`, log.String())
}
