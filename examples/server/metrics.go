package main

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// metrics are what is counted. No label has a value that callers choose without a bound.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec // seconds, by method, route, status
	runs     prometheus.Gauge
	calls    *prometheus.HistogramVec // seconds, by backend, outcome
	tokens   *prometheus.CounterVec   // by model, kind
	models   known
	patterns *http.ServeMux // names routes, and serves nothing
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assistants_http_request_duration_seconds",
			Help:    "Requests, and how long they took to answer; streams as long as their runs.",
			Buckets: []float64{.001, .005, .025, .1, .5, 1, 5, 15, 60, 300},
		}, []string{"method", "route", "status"}),
		runs: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assistants_runs_in_progress",
			Help: "Runs that a model is at work on; not those that are queued, or wait for outputs.",
		}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assistants_model_call_duration_seconds",
			Help:    "Calls of models, and how long they took to their last word.",
			Buckets: []float64{.1, .5, 1, 2, 5, 10, 30, 60, 120, 300, 600},
		}, []string{"backend", "outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assistants_model_tokens_total",
			Help: "Tokens that models have read and written, as they say.",
		}, []string{"model", "kind"}),
		patterns: http.NewServeMux(),
	}
	for _, prefix := range []string{"", "/v1", "/openai", "/openai/v1", "/api/projects/{project}"} {
		for _, path := range routes() {
			m.patterns.Handle(prefix+path, named(path))
		}
	}
	m.registry.MustRegister(m.requests, m.runs, m.calls, m.tokens,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler serves /metrics.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// routes are the addresses of the API, without what dialects put in front of them.
func routes() []string {
	return []string{
		"/assistants", "/assistants/{assistant_id}",
		"/threads", "/threads/runs", "/threads/{thread_id}",
		"/threads/{thread_id}/messages", "/threads/{thread_id}/messages/{message_id}",
		"/threads/{thread_id}/runs", "/threads/{thread_id}/runs/{run_id}",
		"/threads/{thread_id}/runs/{run_id}/cancel", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
		"/threads/{thread_id}/runs/{run_id}/steps", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}",
		"/models", "/models/{model}",
		"/files", "/files/{file_id}", "/files/{file_id}/content",
		"/uploads", "/uploads/{upload_id}/parts", "/uploads/{upload_id}/complete", "/uploads/{upload_id}/cancel",
		"/vector_stores", "/vector_stores/{vector_store_id}", "/vector_stores/{vector_store_id}/search",
		"/vector_stores/{vector_store_id}/files", "/vector_stores/{vector_store_id}/files/{file_id}",
		"/vector_stores/{vector_store_id}/files/{file_id}/content",
		"/vector_stores/{vector_store_id}/file_batches", "/vector_stores/{vector_store_id}/file_batches/{batch_id}",
		"/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel",
		"/vector_stores/{vector_store_id}/file_batches/{batch_id}/files",
	}
}

// named is a handler that is nothing but the name of a route.
type named string

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

// other is what a label says of all that has no value of its own.
const other = "other"

// observe counts the requests of a handler.
func (m *metrics) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, answer := time.Now(), &answer{ResponseWriter: w}
		defer func() { // also if the connection is dropped, by a panic
			m.requests.WithLabelValues(methodOf(r), m.routeOf(r), answer.class()).Observe(time.Since(start).Seconds())
		}()
		next.ServeHTTP(answer, r)
	})
}

func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		return r.Method
	}
	return other
}

func (m *metrics) routeOf(r *http.Request) string {
	if handler, _ := m.patterns.Handler(r); handler != nil {
		if name, ok := handler.(named); ok {
			return string(name)
		}
	}
	return other
}

// An answer knows its status.
type answer struct {
	http.ResponseWriter
	status int // 0: none yet
}

func (a *answer) WriteHeader(status int) {
	a.status = cmp.Or(a.status, status)
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// class is such as "2xx".
func (a *answer) class() string { return strconv.Itoa(cmp.Or(a.status, http.StatusOK)/100) + "xx" }

// An observed model is one whose calls and tokens are counted.
type observed struct {
	server.Model
	backend string
	metrics *metrics
	logger  *slog.Logger
}

var (
	_ server.Checker = (*observed)(nil)
	_ server.Lister  = (*observed)(nil)
)

// Outcomes of a call of a model.
const (
	completed = "completed"
	failed    = "failed"
	stopped   = "stopped" // by the server: the run was cancelled, has expired, or yielded more than runs may
)

// Respond passes on what the model yields.
func (o *observed) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		start, model, outcome := time.Now(), call.Model, failed // unless it comes to its end
		o.logger.DebugContext(ctx, "asking a model", slog.String("backend", o.backend), slog.String("model", model), slog.String("run_id", call.RunID))
		o.metrics.runs.Inc()
		defer func() {
			o.metrics.runs.Dec()
			o.metrics.calls.WithLabelValues(o.backend, outcome).Observe(time.Since(start).Seconds())
		}()
		for event, err := range o.Model.Respond(ctx, call) {
			if usage, ok := event.(server.Usage); ok {
				o.metrics.spent(model, usage)
			}
			if more := yield(event, err); err != nil || !more {
				if err == nil || ctx.Err() != nil {
					outcome = stopped
				}
				return
			}
		}
		outcome = completed
		if ctx.Err() != nil {
			outcome = stopped
		}
	}
}

// Check asks the model, if it can be asked.
func (o *observed) Check(model string, tools []assistants.Tool) error {
	if checker, ok := o.Model.(server.Checker); ok {
		return checker.Check(model, tools)
	}
	return nil
}

// Models asks the model, if it can be asked.
func (o *observed) Models(ctx context.Context) ([]server.ModelInfo, error) {
	if lister, ok := o.Model.(server.Lister); ok {
		return lister.Models(ctx)
	}
	return nil, nil
}

// spent counts tokens. Those from a cache are read too, and those of reasoning are written too.
func (m *metrics) spent(model string, usage server.Usage) {
	model = m.models.label(model)
	for kind, n := range map[string]int{
		"prompt": usage.PromptTokens, "cached": usage.CachedTokens,
		"completion": usage.CompletionTokens, "reasoning": usage.ReasoningTokens,
	} {
		m.tokens.WithLabelValues(model, kind).Add(float64(max(n, 0)))
	}
}

const (
	maxModels    = 50
	maxModelName = 100 // bytes
)

// known are the names of models that have been counted under their own names. What a model is called is for callers
// to say, and some providers answer to any name.
type known struct {
	mu    sync.Mutex
	names map[string]bool
}

// label is a name, or other if there are many or it is long.
func (k *known) label(name string) string {
	if name = strings.ToValidUTF8(name, "\uFFFD"); len(name) > maxModelName {
		return other
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.names[name]:
	case len(k.names) == maxModels:
		return other
	case k.names == nil:
		k.names = map[string]bool{name: true}
	default:
		k.names[name] = true
	}
	return name
}
