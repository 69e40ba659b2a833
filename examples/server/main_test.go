package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func environ(variables map[string]string) endpoint.Env {
	return func(name string) string { return variables[name] }
}

// A process is what main is, without the process.
type process struct {
	base    string // of the API, with /v1
	metrics string // the address
	models  string // who answers, as the log says
	ended   chan error
	cancel  context.CancelFunc
}

// start starts the server on a free port, to be stopped with the test at the latest.
func start(t *testing.T, env map[string]string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{ended: make(chan error, 1), cancel: cancel}
	logs, stderr := io.Pipe()
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), environ(env), stderr)
		stderr.Close()
		p.ended <- err
	}()
	p.listening(t, logs)
	t.Cleanup(func() { cancel(); <-p.ended })
	return p
}

// listening reads the log until the server listens, and then throws it away.
func (p *process) listening(t *testing.T, logs io.Reader) {
	t.Helper()
	for lines := json.NewDecoder(logs); p.base == ""; {
		var line struct {
			Models, Metrics string
			BaseURL         string `json:"base_url"`
		}
		require.NoError(t, lines.Decode(&line))
		p.base, p.models, p.metrics = line.BaseURL, line.Models, line.Metrics
	}
	go io.Copy(io.Discard, logs)
}

// stop is what the first signal does.
func (p *process) stop() error {
	p.cancel()
	err := <-p.ended
	p.ended <- nil
	return err
}

func (p *process) client(t *testing.T, key string) *assistants.Client {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithBaseURL(p.base), assistants.WithAPIKey(key), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// at is an address beside the API.
func (p *process) at(path string) string { return strings.TrimSuffix(p.base, "/v1") + path }

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	got, err := http.Get(url)
	require.NoError(t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return got.StatusCode, string(text)
}

// converse has a question answered by a model, and streams the answer.
func converse(t *testing.T, client *assistants.Client, model, question string) *assistants.Stream {
	t.Helper()
	tutor, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: model})
	require.NoError(t, err)
	thread, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)
	_, err = client.Messages.Create(t.Context(), thread.ID, assistants.UserMessage(question))
	require.NoError(t, err)
	stream, err := client.Runs.Stream(t.Context(), thread.ID, assistants.RunCreateParams{AssistantID: tutor.ID})
	require.NoError(t, err)
	t.Cleanup(func() { stream.Close() })
	return stream
}

func text(t *testing.T, stream *assistants.Stream) string {
	t.Helper()
	var all strings.Builder
	for piece, err := range stream.Text() {
		require.NoError(t, err)
		all.WriteString(piece)
	}
	require.NoError(t, stream.Run().Err())
	return all.String()
}

// Callers hold a conversation with a key, and with no other; health needs none.
func TestConversation(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{keysVariable: "first-key-of-ours, second-key-of-ours"})
	assert.Equal(t, "a stand-in for a model", p.models)
	for _, key := range []string{"first-key-of-ours", "second-key-of-ours"} {
		assert.Contains(t, text(t, converse(t, p.client(t, key), "gpt-4o", "Hello!")), "I am a stand-in")
	}
	_, err := p.client(t, "a-key-of-nobody").Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.ErrorContains(t, err, "401")
	status, body := fetch(t, p.at("/healthz"))
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "ok\n", body)
	status, _ = fetch(t, p.at("/metrics"))
	assert.Equal(t, http.StatusUnauthorized, status, "metrics are for those who have a key")
	for key, want := range map[string]int{"second-key-of-ours": http.StatusOK, "a-key-of-nobody": http.StatusUnauthorized} {
		asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.at("/metrics"), nil)
		require.NoError(t, err)
		asked.Header.Set("Authorization", "Bearer "+key)
		got, err := http.DefaultClient.Do(asked)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		assert.Equal(t, want, got.StatusCode)
	}
	require.NoError(t, p.stop())
	_, err = http.Get(p.at("/healthz"))
	require.Error(t, err)
}

// Names of models lead to the back ends and models of their routes.
func TestRoutes(t *testing.T) {
	t.Parallel()
	upstream := exampletest.NewUpstream(nil, "Good day.")
	srv := httptest.NewServer(upstream)
	defer srv.Close()
	p := start(t, map[string]string{
		"CHAT_BASE_URL":         srv.URL + "/v1",
		"AZURE_OPENAI_ENDPOINT": srv.URL, "AZURE_OPENAI_API_KEY": "key-of-azure",
	}, "-route", "gpt-4-turbo=azure:gpt-4.1", "-route", "llama*=llama3.2:3b", "-route", "o*=azure:", "-route", "none=stand-in:")
	assert.Contains(t, p.models, "by Chat Completions; a stand-in")
	client := p.client(t, "no-key-is-asked-for")
	for name, want := range map[string]exampletest.Request{
		"gpt-4-turbo": {Method: "POST", Path: "/openai/v1/responses", Key: "key-of-azure", Model: "gpt-4.1"},
		"llama2":      {Method: "POST", Path: "/v1/chat/completions", Key: "none", Model: "llama3.2:3b"},
		"o4-mini":     {Method: "POST", Path: "/openai/v1/responses", Key: "key-of-azure", Model: "o4-mini"},
		"qwen3":       {Method: "POST", Path: "/v1/chat/completions", Key: "none", Model: "qwen3"},
	} {
		stream := converse(t, client, name, "Hello!")
		assert.Equal(t, "Good day.", text(t, stream))
		assert.Equal(t, name, stream.Run().Model, "callers see the name that they have used")
		requests := upstream.Requests()
		assert.Equal(t, want, requests[len(requests)-1], name)
	}
	assert.Contains(t, text(t, converse(t, client, "none", "Hello!")), "I am a stand-in")
}

// Nobody runs code by Chat Completions. Assistants that want it are refused, or do without if the operator says so.
func TestIgnoreCode(t *testing.T) {
	t.Parallel()
	upstream := exampletest.NewUpstream(nil, "Good day.")
	srv := httptest.NewServer(upstream)
	defer srv.Close()
	env := map[string]string{"CHAT_BASE_URL": srv.URL + "/v1"}
	coder := assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}}}
	_, err := start(t, env).client(t, "no-key-is-asked-for").Assistants.Create(t.Context(), coder)
	require.ErrorContains(t, err, "400 invalid_request_error: Invalid 'tools': ")
	p := start(t, env, "-ignore-code")
	assert.Contains(t, p.models, "without code_interpreter")
	_, err = p.client(t, "no-key-is-asked-for").Assistants.Create(t.Context(), coder)
	require.NoError(t, err)
}

// A name without a route is unknown if the operator says so, and GET /models lists those that have one.
func TestRoutesOnly(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "-routes-only", "-route", "gpt-4o=stand-in:", "-route", "llama*=stand-in:llama3.2")
	client := p.client(t, "no-key-is-asked-for")
	assert.Contains(t, text(t, converse(t, client, "llama2", "Hello!")), "I am a stand-in")
	_, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "gpt-4"})
	require.ErrorContains(t, err, "400 invalid_request_error model_not_found")
	var list struct{ Data []struct{ ID string } }
	require.NoError(t, client.Call(t.Context(), http.MethodGet, "/models", nil, &list))
	assert.Equal(t, []struct{ ID string }{{"gpt-4o"}, {"llama3.2"}}, list.Data)
}

// A provider that does not know what it is asked is reported before the first run needs it, and without its key.
func TestProbe(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/models" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}))
	defer srv.Close()
	for base, warned := range map[string]bool{srv.URL: true, srv.URL + "/v1": false} {
		var logs bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&logs, nil))
		env := environ(map[string]string{"RESPONSES_BASE_URL": base, "RESPONSES_API_KEY": "sk-never-to-be-logged"})
		b, err := newBackends(new(config), env, newMetrics(), logger)
		require.NoError(t, err)
		b.probe(t.Context())
		b.close()
		assert.Equal(t, warned, strings.Contains(logs.String(), "often ends with /v1"), "%s: %s", base, &logs)
		assert.NotContains(t, logs.String(), "sk-never")
	}
}

// With a route for all names, nobody asks for a model that is not there.
func TestRouteForAll(t *testing.T) {
	t.Parallel()
	upstream := exampletest.NewUpstream(nil, "Good day.")
	srv := httptest.NewServer(upstream)
	defer srv.Close()
	p := start(t, map[string]string{"CHAT_BASE_URL": srv.URL + "/v1"}, "-route", "*=local-model")
	assert.Equal(t, "Good day.", text(t, converse(t, p.client(t, "no-key-is-asked-for"), "gpt-3.5-turbo", "Hello!")))
	assert.True(t, slices.ContainsFunc(upstream.Requests(), func(r exampletest.Request) bool { return r.Model == "local-model" }))
}

// Files are in a directory while the server runs, and nothing is there afterwards.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	p := start(t, nil, "-files", dir)
	file, err := p.client(t, "no-key-is-asked-for").Files.Upload(t.Context(),
		assistants.FileUploadParams{File: strings.NewReader("All is well."), Filename: "note.txt"})
	require.NoError(t, err)
	assert.Positive(t, file.Bytes)
	found, err := filepath.Glob(filepath.Join(dir, "contents-*", "blob-*"))
	require.NoError(t, err)
	assert.Len(t, found, 1)
	require.NoError(t, p.stop())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Without keys no other machine is served, and no page that a browser shows on this one.
func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that a server that was not to be there ends
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		err := run(ctx, []string{"-addr", addr}, environ(nil), io.Discard)
		require.ErrorContains(t, err, addr+" can be reached from other machines")
		require.ErrorContains(t, err, keysVariable)
		keys := environ(map[string]string{keysVariable: "a-key-of-ours"})
		require.NoError(t, run(ctx, []string{"-addr", addr}, keys, io.Discard))
	}
	_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(start(t, nil).base, "http://"), "/v1"))
	require.NoError(t, err)
	guarded := start(t, map[string]string{keysVariable: "a-key-of-ours"})
	for _, c := range []struct {
		base, host, site string
		want             int
	}{
		{"http://127.0.0.1:" + port + "/v1", "", "", http.StatusOK},
		{"http://127.0.0.1:" + port + "/v1", "localhost", "same-origin", http.StatusOK},
		{"http://127.0.0.1:" + port + "/v1", "[::1]:" + port, "none", http.StatusOK},
		{"http://127.0.0.1:" + port + "/v1", "", "cross-site", http.StatusForbidden},
		{"http://127.0.0.1:" + port + "/v1", "page.example:" + port, "same-origin", http.StatusForbidden},
		{"http://127.0.0.1:" + port + "/v1", "127.0.0.1.page.example", "", http.StatusForbidden},
		{guarded.base, "page.example", "cross-site", http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.base+"/threads", strings.NewReader("{}"))
		require.NoError(t, err)
		r.Host = c.host
		r.Header.Set("OpenAI-Beta", "assistants=v2")
		r.Header.Set("Authorization", "Bearer a-key-of-ours")
		r.Header.Set("Sec-Fetch-Site", c.site)
		got, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		got.Body.Close()
		assert.Equal(t, c.want, got.StatusCode, "%+v", c)
	}
}

// What is wrong with flags and environment is said at once, and never with a key.
func TestErrors(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, c := range []struct {
		want string
		args string
		env  map[string]string
	}{
		{"flag provided but not defined: -port", "-port 80", nil},
		{`unexpected argument "serve"`, "serve", nil},
		{"invalid value \"loud\" for flag -log", "-log loud", nil},
		{"want NAME=MODEL", "-route gpt-4o", nil},
		{"want NAME=MODEL", "-route =gpt-4o", nil},
		{"want NAME=MODEL", "-route a*b*=c", nil},
		{"-route a: CHAT_BASE_URL is not set", "-route a=chat:b", nil},
		{"there is another one for \"a\"", "-route a=b -route a=c", nil},
		{"there is another default", "-route *=b -route *=c", nil},
		{"OPENAI_BASE_URL, or a date as OPENAI_API_VERSION", "", map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1", "OPENAI_API_KEY": "sk-secret"}},
		{"OPENAI_BASE_URL, or a date as OPENAI_API_VERSION", "", map[string]string{
			"AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:1", "OPENAI_API_VERSION": "2024-05-01-preview",
		}},
		{"ASSISTANTS_API_KEYS is set and has no key in it", "", map[string]string{keysVariable: " , "}},
		{"address already in use", "-addr " + taken.Addr().String(), nil},
		{"address already in use", "-metrics-addr " + taken.Addr().String(), nil},
		{"missing port", "-addr localhost", nil},
		{"-files: ", "-files " + file, nil},
		{"the key has a space", "", map[string]string{"OPENAI_API_KEY": "sk secret"}},
	} {
		args := append([]string{"-addr", "127.0.0.1:0"}, strings.Fields(c.args)...)
		err := run(t.Context(), args, environ(c.env), io.Discard)
		require.ErrorContains(t, err, c.want, c.args)
		assert.NotContains(t, err.Error(), "secret")
	}
	var help strings.Builder
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, environ(nil), &help), flag.ErrHelp)
	for _, name := range []string{"-addr", "-metrics-addr", "-files", "-log", "-route"} {
		assert.Contains(t, help.String(), "  "+name+" ")
	}
}
