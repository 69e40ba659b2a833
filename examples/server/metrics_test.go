package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/server"
)

// What a conversation leaves in the metrics: requests by route, a call of the model, its tokens, and no id of
// anything.
func TestMetrics(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(exampletest.NewUpstream(nil, "Good day."))
	defer srv.Close()
	p := start(t, map[string]string{"CHAT_BASE_URL": srv.URL + "/v1"}, "-route", "gpt-4o=local-model", "-metrics-addr", "127.0.0.1:0")
	client := p.client(t, "no-key-is-asked-for")
	text(t, converse(t, client, "gpt-4o", "Hello!"))
	_, err := client.Threads.Retrieve(t.Context(), "thread_that_is_not_there")
	require.Error(t, err)
	fetch(t, p.at("/nothing/here"))

	status, body := fetch(t, p.metrics)
	require.Equal(t, http.StatusOK, status)
	for _, line := range []string{
		`assistants_http_request_duration_seconds_count{method="POST",route="/assistants",status="2xx"} 1`,
		`assistants_http_request_duration_seconds_count{method="POST",route="/threads/{thread_id}/messages",status="2xx"} 1`,
		`assistants_http_request_duration_seconds_count{method="POST",route="/threads/{thread_id}/runs",status="2xx"} 1`,
		`assistants_http_request_duration_seconds_count{method="GET",route="/threads/{thread_id}",status="4xx"} 1`,
		`assistants_http_request_duration_seconds_count{method="GET",route="other",status="4xx"} 1`,
		`assistants_model_call_duration_seconds_count{backend="chat",outcome="completed"} 1`,
		`assistants_model_tokens_total{kind="prompt",model="local-model"} 20`,
		`assistants_model_tokens_total{kind="completion",model="local-model"} 5`,
		`assistants_runs_in_progress 0`,
		`go_goroutines `, `process_start_time_seconds `,
	} {
		assert.Contains(t, body, "\n"+line)
	}
	assert.NotRegexp(t, regexp.MustCompile(`(asst|thread|msg|run|step)_\w{10}`), body)
	status, _ = fetch(t, strings.TrimSuffix(p.metrics, "/metrics")+"/v1/threads")
	assert.Equal(t, http.StatusNotFound, status, "the API is not served there")
}

// Without an address of their own metrics are beside the API.
func TestMetricsBesideTheAPI(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	assert.Equal(t, p.at("/metrics"), p.metrics)
	status, body := fetch(t, p.metrics)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "\nassistants_runs_in_progress 0\n")
}

// Every route of the metrics is one of the API, under every prefix.
func TestRouteLabels(t *testing.T) {
	t.Parallel()
	m, api := newMetrics(), server.New()
	braces := regexp.MustCompile(`\{\w+\}`)
	for _, path := range routes() {
		for _, prefix := range []string{"", "/v1", "/openai", "/openai/v1", "/api/projects/mine"} {
			r := httptest.NewRequest(http.MethodPatch, prefix+braces.ReplaceAllString(path, "x%2Fy"), nil)
			assert.Equal(t, path, m.routeOf(r))
			assert.Equal(t, other, methodOf(r))
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code, "the API does not know %s", r.URL)
		}
	}
	for _, path := range []string{"/", "/v1", "/v2/threads", "/v1//threads", "/v1/threads/", "/v1/threads/a/b/c/d"} {
		assert.Equal(t, other, m.routeOf(httptest.NewRequest(http.MethodGet, path, nil)), path)
	}
}

// A request is counted however it ends, with the status that was sent first.
func TestObserve(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	handler := m.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/models":
			require.NoError(t, http.NewResponseController(w).Flush())
		case "/files":
			panic(http.ErrAbortHandler)
		case "/threads":
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	for _, path := range []string{"/models", "/files", "/threads"} {
		func() {
			defer func() { _ = recover() }()
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}()
	}
	assert.Equal(t, 3, testutil.CollectAndCount(m.requests))
	families, err := m.registry.Gather()
	require.NoError(t, err)
	assert.Regexp(t, `name:"route" +value:"/threads"} +label:{name:"status" +value:"4xx"`, fmt.Sprint(families))
}

// Calls are counted by how they end.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		want string
		ctx  context.Context
		take int // events
		err  error
	}{
		{completed, t.Context(), 3, nil},
		{failed, t.Context(), 3, errors.New("no")},
		{stopped, t.Context(), 1, nil},
		{stopped, ended, 3, nil},
		{stopped, ended, 3, context.Canceled},
	} {
		m := newMetrics()
		o := &observed{backend: "test", metrics: m, logger: slog.New(slog.DiscardHandler), Model: server.ModelFunc(
			func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
				return func(yield func(server.ModelEvent, error) bool) {
					assert.InDelta(t, 1, testutil.ToFloat64(m.runs), 0)
					if yield(server.Text("a"), nil) && yield(server.Usage{PromptTokens: 3, CachedTokens: -1}, nil) && c.err != nil {
						yield(nil, c.err)
					}
				}
			})}
		for range o.Respond(c.ctx, &server.ModelCall{Model: "m"}) {
			if c.take--; c.take == 0 {
				break
			}
		}
		assert.InDelta(t, 0, testutil.ToFloat64(m.runs), 0)
		families, err := m.registry.Gather()
		require.NoError(t, err)
		assert.Regexp(t, `name:"outcome" +value:"`+c.want+`"`, fmt.Sprint(families))
	}
}

// A model without them has no opinions and no list.
func TestObservedOptional(t *testing.T) {
	t.Parallel()
	o := &observed{Model: server.StandIn(), metrics: newMetrics(), logger: slog.New(slog.DiscardHandler)}
	require.NoError(t, o.Check("m", []assistants.Tool{{Type: "telephone"}}))
	list, err := o.Models(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
}

// However many names callers make up, there are not many labels.
func TestModelLabels(t *testing.T) {
	t.Parallel()
	var k known
	for i := range maxModels {
		name := fmt.Sprint("model-", i)
		assert.Equal(t, name, k.label(name))
	}
	assert.Equal(t, other, k.label("one-too-many"))
	assert.Equal(t, "model-7", k.label("model-7"))
	assert.Equal(t, other, new(known).label(strings.Repeat("m", maxModelName+1)))
	assert.Equal(t, "\uFFFD", new(known).label("\xff"))
}
