package assistants_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

func create(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) error {
	_, err := c.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "m"}, opts...)
	return err
}

func retrieve(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) error {
	_, err := c.Assistants.Retrieve(ctx, "asst_1", opts...)
	return err
}

var (
	notDialled = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	unresolved = &net.DNSError{Err: "no such host", Name: "host.example"}
	reset      = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// Which outcomes are sent again, and after how long.
func TestRetries(t *testing.T) {
	t.Parallel()
	ok := answer(200, assistantJSON)
	for name, test := range map[string]struct {
		call     func(context.Context, *assistants.Client, ...assistants.RequestOption) error
		steps    []step
		opts     []assistants.RequestOption
		attempts int
		from, to time.Duration
	}{
		"408":                       {create, []step{answer(408, ""), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"409":                       {create, []step{answer(409, ""), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"429":                       {create, []step{answer(429, ""), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"500 twice":                 {create, []step{answer(500, ""), answer(502, "<html>"), ok}, nil, 3, 1125 * time.Millisecond, 1500 * time.Millisecond},
		"503 until the end":         {create, []step{answer(503, "")}, nil, 3, 1125 * time.Millisecond, 1500 * time.Millisecond},
		"pauses end at 8 s":         {create, []step{answer(503, "")}, []assistants.RequestOption{assistants.WithMaxRetries(7)}, 8, 23625 * time.Millisecond, 31500 * time.Millisecond},
		"400":                       {create, []step{answer(400, ""), ok}, nil, 1, 0, 0},
		"404":                       {retrieve, []step{answer(404, ""), ok}, nil, 1, 0, 0},
		"no retries":                {create, []step{answer(500, ""), ok}, []assistants.RequestOption{assistants.WithMaxRetries(0)}, 1, 0, 0},
		"the server says no":        {create, []step{answer(500, "", "x-should-retry: false"), ok}, nil, 1, 0, 0},
		"the server says yes":       {create, []step{answer(400, "", "x-should-retry: true"), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"retry-after-ms":            {create, []step{answer(429, "", "retry-after-ms: 1500.5", "retry-after: 9"), ok}, nil, 2, 1500500 * time.Microsecond, 1500500 * time.Microsecond},
		"retry-after in seconds":    {create, []step{answer(429, "", "retry-after: 3"), ok}, nil, 2, 3 * time.Second, 3 * time.Second},
		"retry-after as a date":     {create, []step{answer(429, "", "retry-after: Sat, 01 Jan 2000 00:00:07 GMT"), ok}, nil, 2, 7 * time.Second, 7 * time.Second},
		"retry-after in the past":   {create, []step{answer(429, "", "retry-after: Fri, 31 Dec 1999 00:00:00 GMT"), ok}, nil, 2, 0, 0},
		"retry-after of nonsense":   {create, []step{answer(429, "", "retry-after: -soon"), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"retry-after of a minute":   {create, []step{answer(429, "", "retry-after: 60"), ok}, nil, 2, time.Minute, time.Minute},
		"retry-after of too much":   {create, []step{answer(429, "", "retry-after: 61"), ok}, nil, 1, 0, 0},
		"retry-after of for ever":   {create, []step{answer(429, "", "retry-after: 1e300"), ok}, nil, 1, 0, 0},
		"POST not connected":        {create, []step{fail(notDialled), fail(unresolved), ok}, nil, 3, 1125 * time.Millisecond, 1500 * time.Millisecond},
		"POST, the proxy down":      {create, []step{fail(&net.OpError{Op: "proxyconnect", Err: notDialled}), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"POST, the proxy resets":    {create, []step{fail(&net.OpError{Op: "proxyconnect", Err: reset}), ok}, nil, 1, 0, 0},
		"an error's body is lost":   {create, []step{cutError(""), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"POST reset":                {create, []step{fail(reset), ok}, nil, 1, 0, 0},
		"POST ended":                {create, []step{fail(io.ErrUnexpectedEOF), ok}, nil, 1, 0, 0},
		"POST reset with a key":     {create, []step{fail(reset), ok}, []assistants.RequestOption{assistants.WithIdempotencyKey("k")}, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"POST cut":                  {create, []step{cut(assistantJSON[:20]), ok}, nil, 1, 0, 0},
		"POST cut with a key":       {create, []step{cut(assistantJSON[:20]), ok}, []assistants.RequestOption{assistants.WithIdempotencyKey("k")}, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"POST unanswered":           {create, []step{silence, ok}, []assistants.RequestOption{assistants.WithTimeout(time.Second)}, 1, time.Second, time.Second},
		"GET reset":                 {retrieve, []step{fail(reset), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"GET cut":                   {retrieve, []step{cut(assistantJSON[:20]), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"GET unanswered":            {retrieve, []step{silence, ok}, []assistants.RequestOption{assistants.WithTimeout(time.Second)}, 2, 1375 * time.Millisecond, 1500 * time.Millisecond},
		"GET unanswered, headers":   {retrieve, []step{silentBody, ok}, []assistants.RequestOption{assistants.WithTimeout(time.Second)}, 2, 1375 * time.Millisecond, 1500 * time.Millisecond},
		"a minute by default":       {create, []step{silence, ok}, nil, 1, time.Minute, time.Minute},
		"an error's body is cut":    {create, []step{cutError("oh"), ok}, nil, 2, 375 * time.Millisecond, 500 * time.Millisecond},
		"a success that is no JSON": {retrieve, []step{answer(200, "<html>"), ok}, nil, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newTransport(t, test.steps...)
				var resp assistants.Response
				start := time.Now()
				err := test.call(t.Context(), newClient(t, tr), append(test.opts, assistants.WithResponse(&resp))...)
				took := time.Since(start)
				assert.Equal(t, test.attempts, len(tr.requests()))
				assert.Equal(t, test.attempts, resp.Attempts)
				assert.Equal(t, test.attempts < len(test.steps) || len(test.steps) == 1, err != nil)
				assert.True(t, test.from <= took && took <= test.to, "took %v, not %v to %v", took, test.from, test.to)
				for _, r := range tr.requests() {
					assert.Equal(t, tr.requests()[0].body, r.body)
				}
			})
		})
	}
}

// cut is a step whose answer ends in the middle.
func cut(body string) step {
	return func(*http.Request) (*http.Response, error) {
		resp := response(200, "")
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), errReader{io.ErrUnexpectedEOF}))
		resp.ContentLength = int64(len(body)) + 10
		return resp, nil
	}
}

func cutError(body string) step {
	return func(*http.Request) (*http.Response, error) {
		resp := response(500, "")
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), errReader{io.ErrUnexpectedEOF}))
		return resp, nil
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// silence is a step that never answers.
func silence(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// silentBody answers with a header and nothing behind it.
func silentBody(r *http.Request) (*http.Response, error) {
	resp := response(200, "")
	resp.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
		<-r.Context().Done()
		return 0, r.Context().Err()
	}))
	resp.ContentLength = -1
	return resp, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A wait that the context would not outlive ends at once, with both reasons.
func TestWaitBeyondContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		tr := newTransport(t, answer(429, `{"error":{"message":"slow down"}}`, "retry-after: 10"))
		err := create(ctx, newClient(t, tr))
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, assistants.ErrRateLimited)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var api *assistants.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 10*time.Second, api.RetryAfter)
		assert.Contains(t, err.Error(), "slow down")

		err = retrieve(ctx, newClient(t, newTransport(t, fail(reset), silence), assistants.WithTimeout(0)))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

// A context that ends stops the call wherever it is.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"before the answer": {silence},
		"in the answer":     {silentBody},
		"in the pause":      {answer(429, "", "retry-after: 30")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				tr := newTransport(t, steps...)
				err := retrieve(ctx, newClient(t, tr))
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, 3*time.Second, time.Since(start))
				assert.Len(t, tr.requests(), 1)
			})
		})
	}
}

func TestTimeoutError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := create(t.Context(), newClient(t, newTransport(t, silence)), assistants.WithTimeout(2*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "POST /assistants: timeout: waited 2s for the answer")
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
	})
}

// Bytes that keep coming may take their time; silence may not.
func TestStreamIdleTimeout(t *testing.T) {
	t.Parallel()
	drip := func(pause time.Duration) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 5 {
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
					return
				}
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		download := func(pause time.Duration) (string, error) {
			client, err := assistants.NewClient(assistants.WithHandler(drip(pause)))
			require.NoError(t, err)
			var out strings.Builder
			err = client.Call(t.Context(), "GET", "/files/f/content", nil, &out, assistants.WithStreamIdleTimeout(2*time.Second))
			return out.String(), err
		}
		out, err := download(time.Second) // 5 s in all
		require.NoError(t, err)
		assert.Equal(t, "xxxxx", out)
		_, err = download(50 * time.Second)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// On a real connection: reset after the request arrived, and no connection at all.
func TestRealConnections(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}))
	defer srv.Close()
	client, err := assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithBaseURL(srv.URL), assistants.WithMaxRetries(1))
	require.NoError(t, err)
	require.ErrorIs(t, create(t.Context(), client), syscall.ECONNRESET)
	assert.EqualValues(t, 1, arrived.Load())
	require.Error(t, create(t.Context(), client, assistants.WithIdempotencyKey("k")))
	assert.GreaterOrEqual(t, arrived.Load(), int32(3)) // net/http repeats what has a key on its own, too

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener.Close()
	client, err = assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithBaseURL("http://"+listener.Addr().String()), assistants.WithMaxRetries(1))
	require.NoError(t, err)
	var resp assistants.Response
	require.ErrorIs(t, create(t.Context(), client, assistants.WithResponse(&resp)), syscall.ECONNREFUSED)
	assert.Equal(t, 2, resp.Attempts)
	assert.Zero(t, resp.StatusCode)
}

// A client of the default settings keeps its connections through a burst.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, assistantJSON)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	client, err := assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithBaseURL(srv.URL))
	require.NoError(t, err)
	burst := func() {
		errs := make(chan error)
		for range 20 {
			go func() { errs <- retrieve(t.Context(), client) }()
		}
		for range 20 {
			require.NoError(t, <-errs)
		}
	}
	for range 5 {
		burst()
	}
	assert.LessOrEqual(t, opened.Load(), int32(40))
}

// Where the server has closed a connection that lay idle, a POST goes through another, and arrives once.
func TestIdleConnectionClosed(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		io.WriteString(w, assistantJSON)
	}))
	defer srv.Close()
	closed := make(chan struct{}, 100)
	pool := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return closeTeller{conn, closed}, err
	}}
	defer pool.CloseIdleConnections()
	client, err := assistants.NewClient(assistants.WithAPIKey("k"), assistants.WithBaseURL(srv.URL),
		assistants.WithHTTPClient(&http.Client{Transport: pool}))
	require.NoError(t, err)
	const rounds = 20
	succeeded := 0
	for range rounds {
		require.NoError(t, retrieve(t.Context(), client))
		srv.CloseClientConnections()
		<-closed
		before := posts.Load()
		if create(t.Context(), client) == nil { // else net/http was still taking note
			succeeded++
			assert.Equal(t, before+1, posts.Load())
		}
		assert.LessOrEqual(t, posts.Load(), before+1)
	}
	assert.Greater(t, succeeded, rounds/2)
}

// A closeTeller tells when the other side has closed.
type closeTeller struct {
	net.Conn
	closed chan<- struct{}
}

func (c closeTeller) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.closed <- struct{}{}
	}
	return n, err
}

// Jitter keeps callers that failed together from returning together.
func TestPausesDiffer(t *testing.T) {
	t.Parallel()
	pauses := map[time.Duration]bool{}
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			require.NoError(t, create(t.Context(), newClient(t, newTransport(t, answer(503, ""), answer(200, assistantJSON)))))
			pauses[time.Since(start)] = true
		})
	}
	assert.Greater(t, len(pauses), 1)
}

// When a call is over, so is everything that it began: bodies are closed, contexts have ended.
func TestNothingIsLeftOpen(t *testing.T) {
	t.Parallel()
	download := func(w io.Writer) func(context.Context, *assistants.Client, ...assistants.RequestOption) error {
		return func(ctx context.Context, c *assistants.Client, opts ...assistants.RequestOption) error {
			return c.Call(ctx, "GET", "/a", nil, w, opts...)
		}
	}
	for name, test := range map[string]struct {
		call func(context.Context, *assistants.Client, ...assistants.RequestOption) error
		step step
	}{
		"an answer":             {retrieve, answer(200, assistantJSON)},
		"no answer":             {retrieve, fail(reset)},
		"an error":              {retrieve, answer(500, "")},
		"what is too large":     {retrieve, answer(200, strings.Repeat(" ", 2000))},
		"what breaks off":       {retrieve, cut("{")},
		"a stream":              {download(io.Discard), answer(200, "bytes")},
		"a stream's error":      {download(io.Discard), answer(500, "")},
		"a stream cut":          {download(io.Discard), cut("bytes")},
		"a stream nobody wants": {download(failingWriter{io.ErrShortWrite}), answer(200, "bytes")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := newTransport(t, test.step)
				ctx := context.Background() // that of the test ends by itself
				_ = test.call(ctx, newClient(t, tr, assistants.WithMaxRetries(1), assistants.WithMaxResponseBytes(1000)))
				require.NotEmpty(t, tr.requests())
				for _, r := range tr.requests() {
					assert.Error(t, r.Context().Err())
				}
				require.Zero(t, tr.open)
			})
		})
	}
}

// Only the server's silence counts, not the time that the caller takes for what it has.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := writerFunc(func(p []byte) (int, error) {
			<-time.After(time.Minute)
			return len(p), nil
		})
		client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				io.WriteString(w, "x")
			}
		})))
		require.NoError(t, err)
		err = client.Call(context.Background(), "GET", "/a", nil, slow, assistants.WithStreamIdleTimeout(time.Second))
		require.NoError(t, err)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
