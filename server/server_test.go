package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const requestError = "invalid_request_error"

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	t.Parallel()
	s := server.New()
	for _, target := range []string{"/v1/assistants", "/v1/nothing", "/v1/assistants/", "/v1/assistants/asst_none"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("OpenAI-Beta", "assistants=v2")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)

		assert.Regexp(t, `^req_[0-9a-f]{32}$`, w.Header().Get("x-request-id"))
		assert.Regexp(t, `^\d+$`, w.Header().Get("openai-processing-ms"))
		assert.Equal(t, "2020-10-01", w.Header().Get("openai-version"))
		assert.Equal(t, fmt.Sprint(w.Body.Len()), w.Header().Get("Content-Length"))
		if w.Code != http.StatusTemporaryRedirect {
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		}
	}
}

func TestDialects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		prefix, query string
		beta          string // the header that is sent
		status        int
	}{
		{"/v1", "", "assistants=v2", 200},
		{"", "", "assistants=v2", 200},
		{"/v1", "", "realtime=v1, assistants=v2", 200},
		{"/v1", "", "assistants=v1, assistants=v2", 200},
		{"/openai", "?api-version=2024-05-01-preview", "", 200},
		{"/openai", "", "", 200},
		{"/openai/v1", "", "", 200},
		{"/api/projects/my%2Fproject", "?api-version=v1", "", 200},
		{"/v1", "?api-version=v1", "", 200},
		{"/v1", "", "", 400},
		{"", "", "", 400},
		{"/v1", "", "assistants=v1", 400},
		{"/openai", "?api-version=2024-05-01-preview", "assistants=v1", 400},
		{"/api/projects/p", "?api-version=v1", "assistants=v1", 400},
		{"/v2", "", "assistants=v2", 404},
		{"/api/projects", "", "assistants=v2", 404},
		{"/api/projects/", "", "assistants=v2", 404},
		{"//v1", "", "assistants=v2", 404},
		{"/v1/", "", "assistants=v2", 404},
	} {
		a := newAPI(t)
		id := a.create(`{"model":"m"}`)
		for _, path := range []string{"/assistants", "/assistants/" + id} {
			got := a.do("GET", tc.prefix+path+tc.query, "", "OpenAI-Beta: "+tc.beta)
			assert.Equal(t, tc.status, got.status, "%s%s%s %s: %s", tc.prefix, path, tc.query, tc.beta, got.body)
		}
	}
}

func TestIDsArePercentDecodedElements(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithIDSource(func(prefix string) string { return prefix + "_a/b ?" }))
	a.create(`{"model":"m"}`)
	assert.Equal(t, 200, a.do("GET", "/v1/assistants/asst_a%2Fb%20%3F", "").status)
	assert.Equal(t, 404, a.do("GET", "/v1/assistants/asst_a/b%20%3F", "").status)
	assert.Equal(t, 404, a.do("GET", "/v1/assistants//asst_a%2Fb%20%3F", "").status)
	assert.Equal(t, 400, a.do("GET", "/v1/assistants/%2F", "").status)
	assert.Equal(t, 400, a.do("GET", "/v1/assistants/..", "").status)
}

func TestTrailingSlashRedirects(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithAPIKeys("secret"))
	for target, location := range map[string]string{
		"http://host:99/v1/assistants/":         "http://host:99/v1/assistants",
		"http://host/v1/assistants/?limit=1":    "http://host/v1/assistants?limit=1",
		"https://host/openai/assistants/a%2Fb/": "https://host/openai/assistants/a%2Fb", // with TLS
	} {
		got := a.do("POST", target, `{"model":"m"}`)
		assert.Equal(t, 307, got.status)
		assert.Equal(t, location, got.header.Get("Location"))
		assert.NotContains(t, got.header, "Content-Type")
		assert.Empty(t, got.body)
	}
	for _, target := range []string{"/v1/nothing/", "/v1/", "/", "/v1/assistants//", "//v1/assistants/", "//assistants/"} {
		assert.Equal(t, 401, a.do("GET", target, "").status, target)
	}
}

// The scheme is that of the connection, not what a request says about itself.
func TestRedirectsToTheConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		scheme, urlHost, host string
		tls                   *tls.ConnectionState
		path, location        string
	}{
		{"", "", "h:99", nil, "/v1/assistants/", "http://h:99/v1/assistants?a=b"},
		{"", "", "h:99", &tls.ConnectionState{}, "/v1/assistants/", "https://h:99/v1/assistants?a=b"},
		{"https", "h", "h", nil, "/v1/assistants/", "http://h/v1/assistants?a=b"},
		{"http", "h", "h", &tls.ConnectionState{}, "/v1/assistants/", "https://h/v1/assistants?a=b"},
		{"javascript", "h", "", nil, "/v1/assistants/", "/v1/assistants?a=b"},
		{"", "", "", &tls.ConnectionState{}, "/v1/assistants/x/", "/v1/assistants/x?a=b"},
		{"", "", "h", nil, "assistants/", "http://h/assistants?a=b"}, // as http.StripPrefix leaves it
	} {
		r := &http.Request{
			Method: "GET", Host: tc.host, TLS: tc.tls,
			URL: &url.URL{Scheme: tc.scheme, Host: tc.urlHost, Path: tc.path, RawQuery: "a=b"},
		}
		w := httptest.NewRecorder()
		server.New().ServeHTTP(w, r)
		assert.Equal(t, 307, w.Code)
		assert.Equal(t, tc.location, w.Header().Get("Location"))
	}
}

// Request lines of the absolute form, which proxies are sent.
func TestRedirectOfAbsoluteForm(t *testing.T) {
	t.Parallel()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
		"GET https://target.example/v1/assistants/ HTTP/1.1\r\nHost: header.example\r\n\r\n")))
	require.NoError(t, err)
	w := httptest.NewRecorder()
	server.New().ServeHTTP(w, r)
	assert.Equal(t, "http://target.example/v1/assistants", w.Header().Get("Location"))
}

func TestRedirectIsFollowedWithItsBody(t *testing.T) {
	t.Parallel()
	ts := httptest.NewServer(server.New())
	defer ts.Close()
	req, err := http.NewRequest("POST", ts.URL+"/v1/assistants/", strings.NewReader(`{"model":"m"}`))
	require.NoError(t, err)
	req.Header.Set("OpenAI-Beta", "assistants=v2")
	res, err := ts.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, 200, res.StatusCode, string(body))
}

func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for method, path := range map[string]string{
		"GET": "/v1/assistants/asst_1/files", "POST": "/v1//assistants", "HEAD": "/v1/nothing", "OPTIONS": "/v1/x%22%5C%00%FF",
	} {
		got := a.do(method, path+"?x=1", "")
		assert.Equal(t, 404, got.status)
		assert.Equal(t, envelope("Invalid URL ("+method+" "+path+")", requestError, "", ""), got.body)
	}
	for path, allow := range map[string]string{"/v1/assistants": "GET, POST", "/assistants/asst_1": "GET, POST, DELETE"} {
		for _, method := range []string{"PUT", "HEAD", "OPTIONS", "get"} {
			got := a.do(method, path, "")
			assert.Equal(t, 405, got.status)
			assert.Equal(t, allow, got.header.Get("Allow"))
			assert.Equal(t, envelope("Invalid method for URL ("+method+" "+path+")", requestError, "", ""), got.body)
		}
	}
}

// Over a connection a HEAD has the headers of the refusal and no body.
func TestHead(t *testing.T) {
	t.Parallel()
	ts := httptest.NewServer(server.New())
	defer ts.Close()
	res, err := ts.Client().Head(ts.URL + "/v1/assistants")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Empty(t, body)
	assert.Equal(t, 405, res.StatusCode)
	assert.Equal(t, "GET, POST", res.Header.Get("Allow"))
}

// Whatever an error repeats, its body is the envelope, and valid JSON.
func TestOddCharactersInErrors(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithModelNames("m"))
	for escaped, shown := range map[string]string{
		"%22%5C": `"\`, "%00%0a%1f%7f": "\x00\n\x1f\x7f", "%FF": "\uFFFD", "%E2%80%A8%3C%26%3E": "\u2028<&>", "%F0%9F%98%80": "😀",
	} {
		got := a.do("GET", "/v1/assistants/asst_"+escaped, "")
		assert.Equal(t, envelope("No assistant found with id 'asst_"+shown+"'.", requestError, "", ""), got.body)
		got = a.do("GET", "/v1/assistants?order="+escaped, "")
		assert.Equal(t, envelope("Invalid value: '"+shown+"'. Supported values are: 'asc' and 'desc'.", requestError, "order", "invalid_value"), got.body)
		invalidBody{`{"model":` + quoted(shown) + `}`, "The requested model '" + shown + "' does not exist.", "model", "model_not_found"}.
			check(t, a, "/v1/assistants")
		invalidBody{`{` + quoted(shown) + `:1}`, "Unknown parameter: '" + shown + "'.", shown, "unknown_parameter"}.check(t, a, "/v1/assistants")
	}
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	noKey := envelope("You didn't provide an API key. You need to provide your API key in an Authorization header "+
		"using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're "+
		"accessing the API from your browser and are prompted for a username and password. You can obtain an API key from "+
		"https://platform.openai.com/account/api-keys.", requestError, "", "")
	wrong := func(shown string) string {
		return envelope("Incorrect API key provided: "+shown+". You can find your API key at "+
			"https://platform.openai.com/account/api-keys.", requestError, "", "invalid_api_key")
	}
	a := newAPI(t, server.WithAPIKeys("first-key", "", "second-key"))
	for _, tc := range []struct{ header, body string }{
		{"Authorization: Bearer first-key", ""},
		{"Authorization: bearer second-key", ""},
		{"api-key: second-key", ""},
		{"X: -", noKey},
		{"Authorization: Basic first-key", noKey},
		{"Authorization: Bearer", noKey},
		{"Authorization: Bearer dummy-token", wrong("dummy-token")},
		{"Authorization: Bearer 123456789012", wrong("123456789012")},
		{"api-key: 1234567890123", wrong("12345678*0123")},
		{"api-key: first-key-and-more", wrong("first-ke******more")},
		{"api-key: " + strings.Repeat("k", 9000), wrong("kkkkkkkk" + strings.Repeat("*", 256) + "kkkk")},
	} {
		got := a.do("GET", "/v1/assistants", "", tc.header)
		if tc.body == "" {
			assert.Equal(t, 200, got.status, tc.header)
			continue
		}
		assert.Equal(t, 401, got.status, tc.header)
		assert.Equal(t, tc.body, got.body)
	}
	shut := newAPI(t, server.WithAPIKeys(""))
	for _, header := range []string{"X: -", "Authorization: Bearer", "Authorization: Bearer k"} {
		assert.Equal(t, 401, shut.do("GET", "/v1/assistants", "", header).status, "an empty key must not open the door")
	}
	assert.Equal(t, 200, newAPI(t, server.WithAPIKeys()).do("GET", "/v1/assistants", "").status)
}

// Each request violates a rule and all that are checked later.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithAPIKeys("key"), server.WithMaxBodyBytes(20))
	const key = "Authorization: Bearer key"
	for i, tc := range []struct {
		path, body string
		headers    []string
		want       string
	}{
		{"/v1/assistants/x/", "{{", []string{"OpenAI-Beta:"}, ""},
		{"/v1/nothing", "{{", []string{"OpenAI-Beta:"}, "You didn't provide an API key."},
		{"/v1/nothing", "{{", []string{"OpenAI-Beta:", key}, "Invalid URL"},
		{"/v1/assistants/x", "{{", []string{"OpenAI-Beta:", key}, "You must provide the 'OpenAI-Beta' header"},
		{"/v1/assistants/x", strings.Repeat("{", 21), []string{key}, "Maximum content size limit (20) exceeded."},
		{"/v1/assistants/x", "{{", []string{key}, "We could not parse"},
		{"/v1/assistants/x", `{"x":1}`, []string{key}, "Unknown parameter: 'x'."},
		{"/v1/assistants/x", `{}`, []string{key}, "Expected an ID that begins with 'asst'."},
		{"/v1/assistants/asst_x", `{}`, []string{key}, "No assistant found with id 'asst_x'."},
	} {
		assert.Contains(t, a.do("POST", tc.path, tc.body, tc.headers...).body, tc.want, i)
	}
	require.NoError(t, a.server.Close())
	assert.Equal(t, 503, a.do("POST", "/v1/assistants/x/", "{{", "OpenAI-Beta:").status)
}

func TestClose(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	assert.Equal(t, 200, a.do("GET", "/v1/assistants", "").status)
	for range 2 {
		require.NoError(t, a.server.Close())
		got := a.do("GET", "/v1/assistants", "")
		assert.Equal(t, 503, got.status)
		assert.Equal(t, envelope("The server is shut down and takes no more requests.", "server_error", "", ""), got.body)
		assert.NotEmpty(t, got.header.Get("x-request-id"))
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	body := `{"model":"m"}`
	a := newAPI(t, server.WithMaxBodyBytes(int64(len(body))))
	assert.Equal(t, 200, a.do("POST", "/v1/assistants", body).status)
	got := a.do("POST", "/v1/assistants", body+" ")
	assert.Equal(t, 413, got.status)
	assert.Equal(t, envelope("Maximum content size limit (13) exceeded.", requestError, "", ""), got.body)

	wide := newAPI(t, server.WithMaxBodyBytes(0))
	assert.Equal(t, 200, wide.do("POST", "/v1/assistants", body+strings.Repeat(" ", 16<<20-len(body))).status)
	assert.Equal(t, 413, wide.do("POST", "/v1/assistants", body+strings.Repeat(" ", 16<<20)).status)
}

func TestFailuresKeepTheirCauseToThemselves(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &hookStore{Store: server.NewMemoryStore()}
	a := newAPI(t, server.WithStore(store), server.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for i, fail := range []func() error{
		func() error { return errors.New("disk on fire") },
		func() error { panic("disk on fire") },
	} {
		store.get = fail
		got := a.do("GET", "/v1/assistants/asst_1", "", "Authorization: Bearer hidden-key")
		assert.Equal(t, 500, got.status)
		assert.Equal(t, envelope(fmt.Sprintf("The server had an error while processing your request. Sorry about that! "+
			"(Please include the request ID req_%d when you report it.)", i+1), "server_error", "", ""), got.body)
		assert.Contains(t, log.String(), "disk on fire")
		assert.Contains(t, log.String(), "level=ERROR")
		log.Reset()
	}
}

func TestAbortHandlerPanicsOn(t *testing.T) {
	t.Parallel()
	store := &hookStore{Store: server.NewMemoryStore(), get: func() error { panic(http.ErrAbortHandler) }}
	a := newAPI(t, server.WithStore(store))
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { a.do("GET", "/v1/assistants/asst_1", "") })
}

func TestLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := newAPI(t, server.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	a.do("POST", "/v1/assistants?q=hidden", `{"model":"hidden"}`, "Authorization: Bearer hidden", "X-Other: hidden")
	line := log.String()
	for _, want := range []string{"level=INFO", "method=POST", "path=/v1/assistants", "status=200", "duration=0s", "request_id=req_1"} {
		assert.Contains(t, line, want)
	}
	assert.NotContains(t, line, "hidden")
}

func TestNilOptionsAreDefaults(t *testing.T) {
	t.Parallel()
	s := server.New(nil, server.WithStore(nil), server.WithClock(nil), server.WithIDSource(nil), server.WithLogger(nil),
		server.WithModelNames(), server.WithAPIKeys(), server.WithMaxBodyBytes(-1))
	a := &api{t: t, handler: s, server: s}
	id := a.create(`{"model":"anything"}`)
	assert.Regexp(t, `^asst_[A-Za-z0-9]{24}$`, id)
	got := a.do("GET", "/v1/assistants/"+id, "")
	assert.WithinDuration(t, time.Now(), time.Unix(field[int64](t, got.body, "created_at"), 0), time.Minute)
}

func TestDefaultIDs(t *testing.T) {
	t.Parallel()
	s := server.New(server.WithStore(holding(t, "file-1")), server.WithClock(func() time.Time { return time.Unix(epoch, 0) }))
	a := &api{t: t, handler: s}
	seen := map[string]bool{}
	letters := map[rune]bool{}
	for range 500 {
		got := a.do("POST", "/v1/assistants", `{"model":"m","tools":[{"type":"file_search"}],
			"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file-1"]}]}}}`)
		id := field[string](t, got.body, "id")
		assert.Regexp(t, `^asst_[A-Za-z0-9]{24}$`, id)
		assert.Regexp(t, fmt.Sprintf(`"vector_store_ids":\["vs_%08x[0-9a-f]{24}"\]`, epoch), got.body)
		assert.False(t, seen[id])
		seen[id] = true
		for _, c := range strings.TrimPrefix(id, "asst_") {
			letters[c] = true
		}
	}
	assert.Len(t, letters, 62, "every character must be possible")
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := server.New()
	a := &api{t: t, handler: s}
	shared := a.create(`{"model":"m"}`)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				body := fmt.Sprintf(`{"model":"m","metadata":{"worker":"%d","i":"%d"}}`, worker, i)
				id := a.create(body)
				assert.Equal(t, 200, a.do("POST", "/v1/assistants/"+shared, body).status)
				assert.Equal(t, 200, a.do("GET", "/v1/assistants/"+id, "").status)
				assert.Equal(t, 200, a.do("GET", "/v1/assistants?limit=5&after="+id, "").status)
				if i%2 == 0 {
					assert.Equal(t, 200, a.do("DELETE", "/v1/assistants/"+id, "").status)
				}
			}
		})
	}
	wg.Wait()
	count, after := 0, ""
	for {
		got := a.do("GET", "/v1/assistants?limit=100"+after, "")
		count += len(field[[]any](t, got.body, "data"))
		if !field[bool](t, got.body, "has_more") {
			break
		}
		after = "&after=" + field[string](t, got.body, "last_id")
	}
	assert.Equal(t, 1+8*25, count)
}
