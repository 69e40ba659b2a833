package assistants_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// However a handler in this process fails, the call ends with an error.
func TestHandlerFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"panic":                 {func(http.ResponseWriter, *http.Request) { panic("ouch") }, "panicked: ouch"},
		"abort":                 {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "aborted"},
		"panic within":          {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{"); panic("ouch") }, "panicked: ouch"},
		"a failed test":         {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "ended its goroutine"},
		"failed within":         {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{"); runtime.Goexit() }, "ended its goroutine"},
		"a status that is none": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(42) }, "invalid status 42"},
		"nothing":               {func(http.ResponseWriter, *http.Request) {}, "empty"},
		"no content":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); io.WriteString(w, "{}") }, "empty"},
		"nothing but HTML":      {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html></html>") }, "not JSON"},
		"less than promised": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, assistantJSON)
		}, "unexpected EOF"},
		"nothing of what was promised": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "10") }, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := assistants.NewClient(assistants.WithHandler(test.handler), assistants.WithMaxRetries(0))
			require.NoError(t, err)
			require.ErrorContains(t, create(t.Context(), client), test.says)
		})
	}
}

// A handler sees that its caller is gone: timed out, or content with what it has.
func TestHandlerSeesTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{}, 1)
		client, err := assistants.NewClient(assistants.WithTimeout(time.Second), assistants.WithHandler(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					io.WriteString(w, "the beginning")
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
				ended <- struct{}{}
			})))
		require.NoError(t, err)
		require.ErrorIs(t, create(t.Context(), client), context.DeadlineExceeded)
		<-ended
		require.Error(t, client.Call(t.Context(), "GET", "/a", nil, failingWriter{io.ErrShortWrite}))
		<-ended
	})
}

// What a handler writes and reads is what it would be on a network.
func TestHandlerFidelity(t *testing.T) {
	t.Parallel()
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"model":"m"}`, string(body))
		assert.Equal(t, "HTTP/1.1", r.Proto)
		assert.NotEmpty(t, r.Host)
		assert.Empty(t, r.URL.Host)
		w.Header().Set("X-Before", "1")
		w.WriteHeader(http.StatusEarlyHints) // announces, and answers nothing
		w.WriteHeader(http.StatusOK)
		w.WriteHeader(http.StatusTeapot) // too late
		w.Header().Set("X-After", "1")
		io.WriteString(w, assistantJSON[:10])
		io.WriteString(w, assistantJSON[10:])
	})))
	require.NoError(t, err)
	var resp assistants.Response
	require.NoError(t, create(t.Context(), client, assistants.WithResponse(&resp)))
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("X-Before"))
	assert.Empty(t, resp.Header.Get("X-After"))
	assert.Equal(t, assistantJSON, string(resp.Body))

	client, err = assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		n, err := io.WriteString(w, "{}")
		assert.Equal(t, 2, n)
		assert.NoError(t, err)
		_, err = io.WriteString(w, "more")
		assert.ErrorIs(t, err, http.ErrContentLength)
	})))
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, client.Call(t.Context(), "GET", "/a", nil, &out))
	assert.Equal(t, "{}", out.String())
	require.NoError(t, client.Call(t.Context(), "HEAD", "/a", nil, nil))
}
