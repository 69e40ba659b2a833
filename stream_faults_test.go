package assistants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// What is announced as a stream, or not, and is none.
func TestNoStream(t *testing.T) {
	t.Parallel()
	const report = `{"error":{"message":"no credit","type":"insufficient_quota","code":"c","param":null}}`
	for name, test := range map[string]struct {
		step   step
		opened bool // the error comes from the loop
		says   string
		is     error
	}{
		"HTML":                  {answer(200, "<html>", "content-type: text/html"), false, "text/html", nil},
		"HTML in disguise":      {streaming("\n<!doctype html><p>Hi"), true, "in name only", nil},
		"HTML, unnamed":         {answer(200, "<html>", "content-type: "), true, "no stream", nil},
		"a run":                 {answer(200, aRun("queued")), false, "application/json", nil},
		"a run in disguise":     {streaming(aRun("queued")), true, "in name only", nil},
		"an error":              {answer(200, report), false, "insufficient_quota c: no credit", nil},
		"an error in disguise":  {streaming(" " + report), true, "insufficient_quota c: no credit", nil},
		"an error behind a BOM": {streaming("\ufeff" + report), true, "insufficient_quota c: no credit", nil},
		"a long one":            {streaming(strings.Repeat(" ", 100) + `{"error":{"message":"no credit","x":"` + strings.Repeat("x", 2000) + `"}}`), true, "no credit", nil},
		"text":                  {answer(200, "hello", "content-type: text/plain"), false, "text/plain", nil},
		"text in disguise":      {streaming("hello"), true, "unexpected EOF", io.ErrUnexpectedEOF},
		"nothing":               {streaming(""), true, "the stream is empty", io.ErrUnexpectedEOF},
		"nothing, unnamed":      {answer(200, "", "content-type: "), true, "the stream is empty", io.ErrUnexpectedEOF},
		"no content":            {answer(204, "", "content-type: "), true, "the stream is empty", io.ErrUnexpectedEOF},
		"comments only":         {streaming(": hello\n\n"), true, "broke off", io.ErrUnexpectedEOF},
		"400":                   {answer(400, report), false, "400 insufficient_quota c: no credit", assistants.ErrBadRequest},
		"401":                   {answer(401, report), false, "401", assistants.ErrUnauthorized},
		"404":                   {answer(404, report), false, "404", assistants.ErrNotFound},
		"429":                   {answer(429, report, "retry-after-ms: 0"), false, "429", assistants.ErrRateLimited},
		"500 and a stream":      {answer(500, sse(textEvents...), "content-type: text/event-stream", "retry-after-ms: 0"), false, "500", assistants.ErrServer},
		"redirect away":         {answer(307, "", "location: https://other.example/"), false, "redirect from", nil},
		"redirect to a GET":     {answer(303, "", "location: /v1/there"), false, "would turn POST into GET", nil},
		"not connected":         {fail(reset), false, "connection reset", reset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var resp assistants.Response
			s, err := openStream(t.Context(), newClient(t, newTransport(t, test.step)), assistants.WithResponse(&resp))
			assert.Equal(t, test.opened, err == nil, "%v", err)
			if err == nil {
				assert.Equal(t, 0, len(resp.Body))
				var run *assistants.Run
				run, err = s.Wait()
				assert.Nil(t, run)
				s.Close()
			} else {
				assert.Nil(t, s)
			}
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "POST /threads/thread_1/runs")
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			if resp.StatusCode != 0 && resp.StatusCode != 307 && resp.StatusCode != 303 {
				assert.Equal(t, resp.StatusCode, apiError(t, err).StatusCode)
			}
		})
	}
	// A 307 on the same server is followed, as a POST with its body.
	tr := newTransport(t, answer(307, "", "location: /v1/there"), streaming(sse(textEvents...)))
	s, err := openStream(t.Context(), newClient(t, tr))
	require.NoError(t, err)
	_, err = s.Wait()
	require.NoError(t, err)
	assert.Equal(t, "POST", tr.last().Method)
	assert.Equal(t, tr.requests()[0].body, tr.last().body)
}

// Errors that a server reports in its stream.
func TestStreamErrors(t *testing.T) {
	t.Parallel()
	type want struct{ message, typ, code, param string }
	for name, test := range map[string]struct {
		event string
		want  want
		is    error
	}{
		"nested":           {"event: error\ndata: " + `{"error":{"message":"m","type":"server_error","param":null,"code":null}}`, want{"m", "server_error", "", ""}, assistants.ErrServer},
		"bare":             {"event: error\ndata: " + `{"message":"m","type":"t","param":"p","code":"rate_limit_exceeded"}`, want{"m", "t", "rate_limit_exceeded", "p"}, assistants.ErrRateLimited},
		"a string":         {"event: error\ndata: " + `{"error":"m"}`, want{"m", "", "", ""}, nil},
		"a code of number": {"event: error\ndata: " + `{"error":{"message":"m","code":500}}`, want{"m", "", "500", ""}, nil},
		"plain text":       {"event: error\ndata: m", want{"m", "", "", ""}, nil},
		"nothing":          {"event: error\ndata:", want{"no explanation", "", "", ""}, nil},
		"null":             {"event: error\ndata: {\"error\":null}", want{"no explanation", "", "", ""}, nil},
		"no JSON":          {"event: error\ndata: {\"err", want{"no explanation", "", "", ""}, nil},
		"unnamed":          {"data: " + `{"error":{"message":"m","type":"t"}}`, want{"m", "t", "", ""}, nil},
		"otherwise named":  {"event: oops\ndata: " + `{"error":{"message":"m","type":"t"}}`, want{"m", "t", "", ""}, nil},
		"long":             {"event: error\ndata: " + `{"error":"` + strings.Repeat("x", 600) + `"}`, want{strings.Repeat("x", 509) + "…", "", "", ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := streamFrom(t, streaming(sse(textEvents[:8]...)+test.event+"\n\n"+sse(textEvents[8:]...), "x-request-id: req_7"))
			events, err := eventsOf(s)
			assert.Len(t, events, 8)
			var e *assistants.StreamError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.want, want{e.Message, e.Type, e.Code, e.Param})
			assert.Equal(t, "req_7", e.RequestID)
			assert.Equal(t, "POST", e.Method)
			assert.Equal(t, "/threads/thread_1/runs", e.Path)
			_, data, _ := strings.Cut(test.event, "data:")
			assert.Equal(t, strings.TrimPrefix(data, " "), string(e.Data))
			for _, kind := range []error{assistants.ErrServer, assistants.ErrRateLimited, assistants.ErrNotFound, io.ErrUnexpectedEOF} {
				assert.Equal(t, kind == test.is, errors.Is(err, kind), kind)
			}
			run, again := s.Wait()
			assert.Same(t, e, again)
			assert.Equal(t, assistants.RunInProgress, run.Status)
			assert.Equal(t, "Hel", s.Messages()[0].Text())
		})
	}
	err := streamError(t, `{"error":{"message":"Broken.","type":"server_error","code":"c"}}`)
	require.EqualError(t, err, "assistants: POST /threads/thread_1/runs: error in the stream server_error c: Broken. (request req_7)")
}

func streamError(t *testing.T, data string) error {
	t.Helper()
	_, err := streamFrom(t, streaming("event: error\ndata: "+data+"\n\n", "x-request-id: req_7")).Wait()
	return err
}

// A key that a server repeats in its stream is in no error.
func TestStreamSecrets(t *testing.T) {
	t.Parallel()
	const key = `sk-"quoted"&<0123456789>`
	quoted, err := json.Marshal(key)
	require.NoError(t, err)
	inner := strings.Trim(string(quoted), `"`)
	for name, s := range map[string]step{
		"nested":            streaming("event: error\ndata: {\"error\":{\"message\":"+string(quoted)+",\"type\":"+string(quoted)+",\"code\":"+string(quoted)+"}}\n\n", "x-request-id: "+key),
		"bare":              streaming("event: error\ndata: {\"message\":" + string(quoted) + "}\n\n"),
		"plain":             streaming("event: error\ndata: your key " + key + "\n\n"),
		"at the cut":        streaming("event: error\ndata: {\"error\":\"" + strings.Repeat("x", 500) + inner + "\"}\n\n"),
		"undecodable":       streaming("event: thread.run.created\ndata: {\"id\":" + string(quoted) + ",\"object\":" + string(quoted) + "}\n\n"),
		"type":              streaming("event: thread.run.created\ndata: {\"id\":[" + string(quoted) + "]}\n\n"),
		"an id":             streaming("event: thread.message.delta\ndata: {\"id\":" + string(quoted) + "}\n\n"),
		"no stream":         streaming("<html>" + key),
		"another type":      answer(200, key, "content-type: text/"+key),
		"another with JSON": answer(200, `{"error":`+string(quoted)+`}`),
		"the connection":    reading(errReader{fmt.Errorf("proxy %s: %w", key, io.ErrUnexpectedEOF)}),
		"the second read":   reading(io.MultiReader(strings.NewReader(sse(beginning...)), errReader{errors.New(key)})),
		"the status":        streaming(sse("run.created "+aRun(inner), "run.in_progress "+strings.Replace(aRun(inner), `"id":"run_1"`, `"id":null`, 1))),
	} {
		var log bytes.Buffer
		client, err := assistants.NewClient(assistants.WithHeader("Authorization", "Basic "+key), assistants.WithBaseURL("https://host.example"),
			assistants.WithHTTPClient(&http.Client{Transport: newTransport(t, s)}),
			assistants.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		require.NoError(t, err)
		stream, err := openStream(t.Context(), client)
		if err == nil {
			_, err = stream.Wait()
		}
		require.Error(t, err, name)
		texts := []string{log.String()}
		for _, v := range []any{err, errors.Unwrap(err)} {
			encoded, _ := json.Marshal(v)
			texts = append(texts, string(encoded), fmt.Sprint(v), fmt.Sprintf("%+v %#v %s %q", v, v, v, v))
		}
		var report *assistants.StreamError
		if errors.As(err, &report) {
			texts = append(texts, string(report.Data), fmt.Sprintf("%+v %#v", *report, *report))
		}
		var api *assistants.APIError
		if errors.As(err, &api) {
			texts = append(texts, string(api.Body), fmt.Sprintf("%+v %#v", *api, *api))
		}
		for _, text := range texts {
			for _, form := range []string{key, inner, `0123456789>`, `\"quoted\"`} {
				require.NotContains(t, text, form, name)
			}
		}
	}
}

// A stream that is done without having told how its run ended is no success.
func TestStreamDoneTooSoon(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no events":    sse("done"),
		"data only":    "data: [DONE]\n\n",
		"no run":       sse("message.created "+aMessage("msg_1", "in_progress", ""), "done"),
		"in progress":  sse(append(beginning[:3:3], "done")...),
		"queued":       sse("run.created "+aRun("queued"), "done"),
		"cancelling":   sse("run.cancelling "+aRun("cancelling"), "done"),
		"only a delta": sse("done", "run.completed "+aRun("completed")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := streamOf(t, body)
			run, err := s.Wait()
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.ErrorContains(t, err, "the stream is done")
			assert.Equal(t, s.Run(), run)
			_, again := s.Handle(assistants.Handler{})
			assert.Same(t, apiError(t, err), apiError(t, again))
		})
	}
	for _, status := range []string{"requires_action", "completed", "incomplete", "failed", "cancelled", "expired"} {
		run, err := streamOf(t, sse("run."+status+" "+aRun(status), "done")).Wait()
		require.NoError(t, err, status)
		assert.Equal(t, assistants.RunStatus(status), run.Status)
	}
}

// Events that are what they cannot be.
func TestStreamUndecodable(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"no JSON":       "run.completed {",
		"empty":         "run.completed ",
		"null":          "run.completed null",
		"a list":        "run.completed []",
		"no id":         "run.completed {}",
		"another type":  "run.completed " + aThread(),
		"a delta":       "message.created " + `{"id":"msg_1","object":"thread.message.delta"}`,
		"null delta":    "message.delta null",
		"an index":      addContent("msg_1", `{"index":"0","type":"text"}`),
		"a fraction":    addContent("msg_1", `{"index":0.5,"type":"text"}`),
		"beyond an int": addContent("msg_1", `{"index":1e30,"type":"text"}`),
		"two values":    "run.completed " + aRun("completed") + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := streamOf(t, sse(append(textEvents[:6:6], event, "run.completed "+aRun("completed"), "done")...))
			events, err := eventsOf(s)
			assert.Len(t, events, 6)
			e := apiError(t, err)
			_, data, _ := strings.Cut(event, " ")
			assert.Equal(t, data, string(e.Body))
			name, _, _ := strings.Cut(event, " ")
			assert.Contains(t, e.Message, "event thread."+name)
		})
	}
}

// A stalled is a server whose stream stops after a number of bytes, until its caller is gone.
type stalled struct {
	body string
	gone atomic.Int32
}

func (h *stalled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, h.body)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
	h.gone.Add(1)
}

func (h *stalled) open(t *testing.T, ctx context.Context, opts ...assistants.RequestOption) *assistants.Stream {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(h))
	require.NoError(t, err)
	s, err := openStream(ctx, client, opts...)
	require.NoError(t, err)
	return s
}

// A server that says nothing is left as soon as somebody says so.
func TestStreamStalled(t *testing.T) {
	t.Parallel()
	for _, sent := range []int{0, 1, 600, 1000, 2500} {
		for name, test := range map[string]struct {
			opts  []assistants.RequestOption
			end   func(context.CancelFunc, *assistants.Stream)
			after time.Duration
			is    error
		}{
			"cancel":          {nil, func(cancel context.CancelFunc, _ *assistants.Stream) { cancel() }, 7 * time.Second, context.Canceled},
			"deadline":        {nil, nil, time.Hour, context.DeadlineExceeded},
			"idle":            {[]assistants.RequestOption{assistants.WithStreamIdleTimeout(3 * time.Second)}, nil, 3 * time.Second, context.DeadlineExceeded},
			"idle by default": {nil, nil, 5 * time.Minute, context.DeadlineExceeded},
			"closed":          {nil, func(_ context.CancelFunc, s *assistants.Stream) { s.Close() }, 7 * time.Second, os.ErrClosed},
		} {
			t.Run(fmt.Sprint(name, " at ", sent), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					body := sse(textEvents...)[:sent]
					h := &stalled{body: body}
					opts := append([]assistants.RequestOption{assistants.WithTimeout(2 * time.Second)}, test.opts...)
					if name == "deadline" {
						opts = append(opts, assistants.WithStreamIdleTimeout(0))
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					s := h.open(t, ctx, opts...)
					if test.end != nil {
						time.AfterFunc(7*time.Second, func() { test.end(cancel, s) })
					}
					start := time.Now()
					events, err := eventsOf(s)
					require.ErrorIs(t, err, test.is)
					assert.Equal(t, test.after, time.Since(start))
					assert.Len(t, events, strings.Count(body, "\n\n"))
					assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
					_, again := s.Wait()
					require.ErrorIs(t, again, test.is)
					require.NoError(t, s.Close())
					synctest.Wait()
					assert.EqualValues(t, 1, h.gone.Load())
				})
			})
		}
	}
}

// Silence is counted anew with every byte, and not while the caller thinks.
func TestStreamIdleTimeoutOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, event := range textEvents {
				for _, part := range []string{": keep-alive\n\n", sse(event)} {
					<-time.After(2 * time.Second)
					io.WriteString(w, part)
					w.(http.Flusher).Flush()
				}
			}
		})), assistants.WithStreamIdleTimeout(3*time.Second), assistants.WithTimeout(10*time.Second))
		require.NoError(t, err)
		s, err := openStream(t.Context(), client)
		require.NoError(t, err)
		defer s.Close()
		start := time.Now()
		n := 0
		for _, err := range s.Events() {
			require.NoError(t, err)
			if n++; n == 5 {
				<-time.After(time.Minute)
			}
		}
		assert.Greater(t, time.Since(start), 90*time.Second)
	})
}

// WithTimeout is for opening, also where what is opened is no stream.
func TestStreamTimeout(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"an error that stops": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"HTML that stops": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"HTML that drips": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				io.WriteString(w, strings.Repeat(" ", 4<<10))
				w.(http.Flusher).Flush()
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, err := assistants.NewClient(assistants.WithHandler(handler), assistants.WithMaxRetries(0))
				require.NoError(t, err)
				start := time.Now()
				_, err = openStream(t.Context(), client, assistants.WithTimeout(2*time.Second))
				require.Error(t, err)
				assert.LessOrEqual(t, time.Since(start), 2*time.Second)
			})
		})
	}
}

// Close, at any time and as often as one likes.
func TestStreamClose(t *testing.T) {
	t.Parallel()
	t.Run("before the first event", func(t *testing.T) {
		t.Parallel()
		h := &stalled{body: sse(textEvents...)}
		s := h.open(t, t.Context())
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		events, err := eventsOf(s)
		require.ErrorIs(t, err, os.ErrClosed)
		assert.Empty(t, events)
		_, err = textOf(s)
		require.ErrorIs(t, err, os.ErrClosed)
	})
	t.Run("in the loop", func(t *testing.T) {
		t.Parallel()
		h := &stalled{body: sse(textEvents...)} // whose events have all arrived
		s := h.open(t, t.Context())
		n := 0
		var last error
		for _, err := range s.Events() {
			if last = err; err == nil {
				n++
				require.NoError(t, s.Close())
			}
		}
		assert.Equal(t, 1, n, "events after Close")
		require.ErrorIs(t, last, os.ErrClosed)
		assert.Equal(t, assistants.RunQueued, s.Run().Status)
	})
	t.Run("after the end", func(t *testing.T) {
		t.Parallel()
		s := streamOf(t, sse(textEvents...))
		_, err := s.Wait()
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		run, err := s.Wait()
		require.NoError(t, err)
		assert.Equal(t, assistants.RunCompleted, run.Status)
	})
	t.Run("by many", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			h := &stalled{body: sse(textEvents[:7]...)}
			s := h.open(t, t.Context())
			var wait sync.WaitGroup
			for range 3 {
				wait.Go(func() { assert.NoError(t, s.Close()) })
				wait.Go(func() { _, err := s.Wait(); assert.ErrorIs(t, err, os.ErrClosed) })
			}
			wait.Wait()
		}
	})
}

// What ends a stream behind its last event: nobody waits for long for a connection that stays open.
func TestStreamEndsAtDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &stalled{body: sse(textEvents...)}
		s := h.open(t, t.Context())
		start := time.Now()
		_, err := s.Wait()
		require.NoError(t, err)
		assert.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
		synctest.Wait()
		assert.EqualValues(t, 1, h.gone.Load()) // without Close
	})
}

// Streams that are left leave nothing behind.
func TestStreamsAbandoned(t *testing.T) {
	t.Parallel()
	leave := func(t *testing.T, client *assistants.Client, i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := openStream(ctx, client)
		if !assert.NoError(t, err) {
			return
		}
		for _, err := range s.Events() {
			assert.NoError(t, err)
			break
		}
		switch i % 3 {
		case 0:
			assert.NoError(t, s.Close())
		case 1:
			cancel()
			_, err := s.Wait()
			assert.ErrorIs(t, err, context.Canceled)
		} // else the context alone
	}
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
			h := &stalled{body: sse(textEvents[:7]...)}
			client, err := assistants.NewClient(assistants.WithHandler(h))
			require.NoError(t, err)
			for i := range 1000 {
				leave(t, client, i)
			}
			synctest.Wait()
			assert.EqualValues(t, 1000, h.gone.Load())
		})
	})
	t.Run("connections", func(t *testing.T) {
		t.Parallel()
		h := &stalled{body: sse(textEvents[:7]...)}
		srv := httptest.NewServer(h)
		client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey))
		require.NoError(t, err)
		labels := pprof.Labels("streams", "abandoned") // which goroutines inherit
		pprof.Do(t.Context(), labels, func(context.Context) {
			for i := range 60 {
				leave(t, client, i)
			}
		})
		srv.Close() // waits for the handlers, which wait for their callers to be gone
		assert.EqualValues(t, 60, h.gone.Load())
		client.CloseIdleConnections()
		settled := func() bool {
			var goroutines bytes.Buffer
			assert.NoError(t, pprof.Lookup("goroutine").WriteTo(&goroutines, 1))
			return !bytes.Contains(goroutines.Bytes(), []byte(`"streams":"abandoned"`))
		}
		assert.Eventually(t, settled, 5*time.Second, 10*time.Millisecond)
	})
}

// Opening is repeated as calls are; what has begun is not.
func TestStreamRetries(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(503, "", "retry-after-ms: 0"), answer(429, "", "retry-after-ms: 0"), streaming(sse(textEvents...)))
	var resp assistants.Response
	s, err := openStream(t.Context(), newClient(t, tr), assistants.WithResponse(&resp))
	require.NoError(t, err)
	assert.Equal(t, 3, resp.Attempts)
	_, err = s.Wait()
	require.NoError(t, err)
	require.Len(t, tr.requests(), 3)
	for _, r := range tr.requests() {
		assert.Equal(t, tr.requests()[0].body, r.body)
		assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
	}
	for _, begun := range []string{"", ":", sse(textEvents[:6]...)} {
		tr := newTransport(t, streaming(begun), streaming(sse(textEvents...)))
		s, err := openStream(t.Context(), newClient(t, tr), assistants.WithIdempotencyKey("k"))
		require.NoError(t, err)
		_, err = s.Wait()
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Len(t, tr.requests(), 1)
	}
	tr = newTransport(t, fail(reset), streaming(sse(textEvents...)))
	_, err = openStream(t.Context(), newClient(t, tr))
	require.ErrorIs(t, err, reset)
	assert.Len(t, tr.requests(), 1)
}
