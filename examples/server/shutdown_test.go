package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// A stream that is under way ends as a whole one when the server ends, and the provider is not asked to go on.
func TestShutdownInStream(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // which models there are
			http.NotFound(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Once"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			close(gone)
		case <-t.Context().Done(): // the test has failed
		}
	}))
	t.Cleanup(upstream.Close)
	p := start(t, map[string]string{"CHAT_BASE_URL": upstream.URL}, "-metrics-addr", "127.0.0.1:0")
	stream := converse(t, p.client(t, "no-key-is-asked-for"), "m", "Tell me a story.")
	said := ""
	for text, err := range stream.Text() {
		require.NoError(t, err)
		said += text
		assert.Contains(t, second(fetch(t, p.metrics)), "\nassistants_runs_in_progress 1\n")
		p.cancel()
	}
	assert.Equal(t, "Once", said)
	assert.Equal(t, assistants.RunFailed, stream.Run().Status)
	require.NoError(t, p.stop())
	<-gone
}

func second(_ int, body string) string { return body }

// Health says that the server ends before its port is closed.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := newService(&config{addr: "127.0.0.1:0"}, server.StandIn(), nil, newMetrics(), slog.New(slog.DiscardHandler))
	health := func() int {
		w := httptest.NewRecorder()
		s.doors[0].Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		return w.Code
	}
	assert.Equal(t, http.StatusOK, health())
	require.NoError(t, s.shutdown())
	assert.Equal(t, http.StatusServiceUnavailable, health())
}

// Load balancers have time to see that the server ends, while requests are answered.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "-drain", "300ms")
	client := p.client(t, "no-key-is-asked-for")
	p.cancel()
	require.Eventually(t, func() bool {
		status, _ := fetch(t, p.at("/healthz"))
		return status == http.StatusServiceUnavailable
	}, time.Second, time.Millisecond)
	_, err := client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)
	require.NoError(t, p.stop())
}

// TestMain has the test binary be the server itself where a test wants to send signals to it.
func TestMain(m *testing.M) {
	if os.Getenv("SERVER_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The first signal ends the server well; another ends it at once, although a request is still being sent.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, impatient := range []bool{false, true} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-addr", "127.0.0.1:0")
		cmd.Env = []string{"SERVER_TEST_MAIN=1"}
		logs, stderr := io.Pipe()
		cmd.Stderr = stderr
		require.NoError(t, cmd.Start())
		p := new(process)
		p.listening(t, logs)
		if impatient {
			slow, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.base, "http://"), "/v1"))
			require.NoError(t, err)
			defer slow.Close()
			fmt.Fprint(slow, "POST /v1/threads HTTP/1.1\r\nHost: a\r\nOpenAI-Beta: assistants=v2\r\nContent-Length: 9\r\n\r\n{")
			fetch(t, p.at("/healthz")) // so the connection before it has been accepted
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		if impatient { // sooner than the request is given up
			require.Eventually(t, func() bool {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				select {
				case <-ended:
					return true
				default:
					return false
				}
			}, lastAnswers/2, lastAnswers/1000)
		}
		<-ended
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		assert.Equal(t, impatient, status.Signaled(), "%v", cmd.ProcessState)
		assert.True(t, impatient || cmd.ProcessState.Success(), "%v", cmd.ProcessState)
	}
}
