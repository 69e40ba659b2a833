package assistants_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const testKey = "sk-test-0123456789abcdef"

// assistantJSON is an assistant as the service writes one.
const assistantJSON = `{"id":"asst_1","object":"assistant","created_at":1698984975,"name":"Math Tutor",` +
	`"description":null,"model":"gpt-4o","instructions":"You are a personal math tutor.",` +
	`"tools":[{"type":"code_interpreter"}],"top_p":1.0,"temperature":1.0,"reasoning_effort":null,` +
	`"tool_resources":{"code_interpreter":{"file_ids":[]}},"metadata":{},"response_format":"auto"}`

// A transport answers requests in order from a script, repeating the last step, and keeps what it was sent. Bodies
// that it hands out must be closed by the end of the test.
type transport struct {
	mu    sync.Mutex
	steps []step
	sent  []sent
	open  int
}

type step func(*http.Request) (*http.Response, error)

type sent struct {
	*http.Request
	body string
}

func newTransport(t testing.TB, steps ...step) *transport {
	t.Helper()
	tr := &transport{steps: steps}
	t.Cleanup(func() {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		require.Zero(t, tr.open, "bodies left open")
	})
	return tr
}

func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	tr.mu.Lock()
	next := tr.steps[min(len(tr.sent), len(tr.steps)-1)]
	tr.sent = append(tr.sent, sent{r, string(body)})
	tr.mu.Unlock()
	resp, err := next(r)
	if resp != nil {
		tr.mu.Lock()
		tr.open++
		tr.mu.Unlock()
		resp.Request = r
		resp.Body = &trackedBody{ReadCloser: resp.Body, closed: sync.OnceFunc(func() {
			tr.mu.Lock()
			tr.open--
			tr.mu.Unlock()
		})}
	}
	return resp, err
}

func (tr *transport) requests() []sent {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.sent
}

func (tr *transport) last() sent { return tr.requests()[len(tr.requests())-1] }

type trackedBody struct {
	io.ReadCloser
	closed func()
}

func (b *trackedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

// answer is a step that answers with a status, a body, and headers given as "Name: value".
func answer(status int, body string, headers ...string) step {
	return func(*http.Request) (*http.Response, error) { return response(status, body, headers...), nil }
}

func response(status int, body string, headers ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return &http.Response{
		StatusCode:    status,
		Header:        h,
		Body:          io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)),
	}
}

// fail is a step without an answer.
func fail(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// newClient returns a client that sends through rt.
func newClient(t testing.TB, rt http.RoundTripper, opts ...assistants.Option) *assistants.Client {
	t.Helper()
	opts = append([]assistants.Option{
		assistants.WithAPIKey(testKey),
		assistants.WithBaseURL("https://host.example/v1"),
		assistants.WithHTTPClient(&http.Client{Transport: rt}),
	}, opts...)
	client, err := assistants.NewClient(opts...)
	require.NoError(t, err)
	return client
}
