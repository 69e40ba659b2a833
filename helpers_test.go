package assistants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// sse writes a stream. Each event is its name, without "thread.", and its JSON behind a space.
func sse(events ...string) string {
	var b strings.Builder
	for _, event := range events {
		name, data, _ := strings.Cut(event, " ")
		switch name {
		case "done":
			data = "[DONE]"
		case "error":
		default:
			name = "thread." + name
		}
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, data)
	}
	return b.String()
}

func aThread() string {
	return `{"id":"thread_1","object":"thread","created_at":1710330640,"metadata":{},"tool_resources":{}}`
}

// aRun is a run; more are fields that differ.
func aRun(status string, more ...string) string {
	return `{"id":"run_1","object":"thread.run","created_at":1710330640,"assistant_id":"asst_1","thread_id":"thread_1",` +
		`"status":"` + status + `","started_at":null,"expires_at":1710331240,"cancelled_at":null,"failed_at":null,` +
		`"completed_at":null,"required_action":null,"last_error":null,"model":"gpt-4o","instructions":"Be brief.","tools":[],` +
		`"tool_resources":{"code_interpreter":{"file_ids":[]}},"metadata":{},"usage":null,"tool_choice":"auto",` +
		`"truncation_strategy":{"type":"auto","last_messages":null},"response_format":"auto"` + fields(more) + `}`
}

func aMessage(id, status, content string, more ...string) string {
	return `{"id":"` + id + `","object":"thread.message","created_at":1710330641,"assistant_id":"asst_1","thread_id":"thread_1",` +
		`"run_id":"run_1","status":"` + status + `","incomplete_details":null,"incomplete_at":null,"completed_at":null,` +
		`"role":"assistant","content":[` + content + `],"attachments":[],"metadata":{}` + fields(more) + `}`
}

// aStep is a step; what it did is a message id or calls of tools.
func aStep(id, status, did string, more ...string) string {
	typ, details := "tool_calls", `"tool_calls":[`+did+`]`
	if strings.HasPrefix(did, "msg_") {
		typ, details = "message_creation", `"message_creation":{"message_id":"`+did+`"}`
	}
	return `{"id":"` + id + `","object":"thread.run.step","created_at":1710330640,"run_id":"run_1","assistant_id":"asst_1",` +
		`"thread_id":"thread_1","type":"` + typ + `","status":"` + status + `","cancelled_at":null,"completed_at":null,` +
		`"expires_at":1710331240,"failed_at":null,"last_error":null,"step_details":{"type":"` + typ + `",` + details + `},"usage":null` +
		fields(more) + `}`
}

func fields(more []string) string {
	all := ""
	for _, field := range more {
		all += "," + field
	}
	return all
}

func addText(id string, index int, text string) string {
	quoted, _ := json.Marshal(text)
	return addContent(id, fmt.Sprintf(`{"index":%d,"type":"text","text":{"value":%s}}`, index, quoted))
}

func addContent(id, content string) string {
	return `message.delta {"id":"` + id + `","object":"thread.message.delta","delta":{"content":[` + content + `]}}`
}

func addCalls(id, calls string) string {
	return `run.step.delta {"id":"` + id + `","object":"thread.run.step.delta","delta":{"step_details":{"type":"tool_calls","tool_calls":[` + calls + `]}}}`
}

func aText(value string, annotations ...string) string {
	quoted, _ := json.Marshal(value)
	return `{"type":"text","text":{"value":` + string(quoted) + `,"annotations":[` + strings.Join(annotations, ",") + `]}}`
}

// streaming is a step that answers with a stream.
func streaming(body string, headers ...string) step {
	return answer(200, body, append([]string{"content-type: text/event-stream; charset=utf-8"}, headers...)...)
}

// reading is a step that answers with a stream that r reads.
func reading(r io.Reader) step {
	return func(*http.Request) (*http.Response, error) {
		resp := response(200, "", "content-type: text/event-stream")
		resp.Body, resp.ContentLength = io.NopCloser(r), -1
		return resp, nil
	}
}

func openStream(ctx context.Context, client *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
	return client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"}, opts...)
}

// streamOf is a stream of body, closed at the end of the test.
func streamOf(t testing.TB, body string, opts ...assistants.Option) *assistants.Stream {
	t.Helper()
	return streamFrom(t, streaming(body), opts...)
}

func streamFrom(t testing.TB, s step, opts ...assistants.Option) *assistants.Stream {
	t.Helper()
	stream, err := openStream(t.Context(), newClient(t, newTransport(t, s), opts...))
	require.NoError(t, err)
	t.Cleanup(func() { stream.Close() })
	return stream
}
