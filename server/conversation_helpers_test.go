package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/internal/logtest"
	"github.com/assistants-go/assistants/server"
)

// convo is a server with a model, an assistant, and a thread in which a user has said something. Its clock is the time
// package's, which a synctest bubble can move.
type convo struct {
	*api
	log       *logtest.Log
	freshID   func(prefix string) string
	assistant string
	thread    string
}

func newConvo(t testing.TB, model server.Model, opts ...server.Option) *convo {
	t.Helper()
	log, ids := new(logtest.Log), counter()
	c := &convo{log: log, freshID: ids, api: newAPI(t, append([]server.Option{
		server.WithClock(time.Now), server.WithIDSource(ids), server.WithModel(model),
		server.WithLogger(slog.New(slog.NewTextHandler(log, nil))),
	}, opts...)...)}
	c.assistant = c.create(`{"model":"m"}`)
	c.thread = c.newThread()
	return c
}

// newThread makes another thread in which a user has said something.
func (c *convo) newThread() string {
	c.t.Helper()
	return field[string](c.t, c.ok("POST", "/v1/threads", `{"messages":[{"role":"user","content":"Hello"}]}`), "id")
}

// ok sends a request that must succeed and returns the answer's body.
func (c *convo) ok(method, target, body string) string {
	c.t.Helper()
	got := c.do(method, target, body)
	require.Equal(c.t, 200, got.status, got.body)
	return got.body
}

func (c *convo) runsOf(thread string) string { return "/v1/threads/" + thread + "/runs" }

// begin starts a run without a stream and returns its id.
func (c *convo) begin(thread string) string {
	c.t.Helper()
	return field[string](c.t, c.ok("POST", c.runsOf(thread), `{"assistant_id":"`+c.assistant+`"}`), "id")
}

// run returns a run of a thread as it is now.
func (c *convo) run(thread, id string) runSeen {
	c.t.Helper()
	return decoded[runSeen](c.t, c.ok("GET", c.runsOf(thread)+"/"+id, ""))
}

func (c *convo) steps(thread, run string) []stepSeen {
	c.t.Helper()
	return field[[]stepSeen](c.t, c.ok("GET", c.runsOf(thread)+"/"+run+"/steps?order=asc&limit=100", ""), "data")
}

func (c *convo) messages(thread string) []messageSeen {
	c.t.Helper()
	return field[[]messageSeen](c.t, c.ok("GET", "/v1/threads/"+thread+"/messages?order=asc&limit=100", ""), "data")
}

// say has the user say something, and returns the status of the answer.
func (c *convo) say(thread string) int {
	return c.do("POST", "/v1/threads/"+thread+"/messages", `{"role":"user","content":"And?"}`).status
}

func (c *convo) cancel(thread, run string) answer {
	return c.do("POST", c.runsOf(thread)+"/"+run+"/cancel", "")
}

// outputs is the body of a submission: the same output for each call.
func outputs(output string, calls ...string) string {
	items := make([]string, len(calls))
	for i, id := range calls {
		items[i] = `{"tool_call_id":` + quoted(id) + `,"output":` + quoted(output) + `}`
	}
	return `{"tool_outputs":[` + strings.Join(items, ",") + `]}`
}

func (c *convo) submit(thread, run, body string) answer {
	return c.do("POST", c.runsOf(thread)+"/"+run+"/submit_tool_outputs", body)
}

// streaming adds to a body that it asks for a stream.
func streaming(body string) string { return strings.TrimSuffix(body, "}") + `,"stream":true}` }

// open begins a run and its stream.
func (c *convo) open(thread string) *reading {
	return c.request(c.runsOf(thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
}

func (c *convo) openSubmit(thread, run, body string) *reading {
	return c.request(c.runsOf(thread)+"/"+run+"/submit_tool_outputs", streaming(body))
}

// request posts something whose answer is read while it comes.
func (c *convo) request(target, body string) *reading {
	return c.requestTo(&reading{t: c.t}, target, body)
}

func (c *convo) requestTo(r *reading, target, body string) *reading {
	c.serve(r, r, target, body)
	return r
}

// serve posts something for a writer that passes on to a reading what it gets.
func (c *convo) serve(w http.ResponseWriter, r *reading, target, body string) {
	ctx, leave := context.WithCancel(context.Background())
	r.leave, r.ended, r.header = leave, make(chan struct{}), http.Header{}
	sent := httptest.NewRequestWithContext(ctx, "POST", target, strings.NewReader(body))
	sent.Header.Set("OpenAI-Beta", "assistants=v2")
	go func() {
		defer close(r.ended)
		c.handler.ServeHTTP(w, sent)
	}()
}

// reading is an answer on its way to its reader.
type reading struct {
	t     testing.TB
	leave context.CancelFunc // as a reader who goes away
	ended chan struct{}      // closed when the answer is whole
	gate  chan struct{}      // nothing is taken before it is closed; nil: it is open

	mu     sync.Mutex
	header http.Header
	status int
	taken  bytes.Buffer
}

func (r *reading) Header() http.Header { return r.header }
func (r *reading) Flush()              {}

func (r *reading) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *reading) Write(p []byte) (int, error) {
	if r.gate != nil {
		<-r.gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken.Write(p)
}

// sensor is a reading that does something once, when an event comes.
type sensor struct {
	reading
	event string
	do    func()
}

func (s *sensor) Write(p []byte) (int, error) {
	if do := s.do; do != nil && bytes.HasPrefix(p, []byte("event: "+s.event+"\n")) {
		s.do = nil
		do()
	}
	return s.reading.Write(p)
}

// soFar returns the events that have come.
func (r *reading) soFar() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return framesOf(r.taken.String())
}

// all waits for the end of a stream, which must be a legal one, and returns its events.
func (r *reading) all() []frame {
	r.t.Helper()
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Equal(r.t, 200, r.status, r.taken.String())
	require.Equal(r.t, "text/event-stream; charset=utf-8", r.header.Get("Content-Type"))
	require.NoError(r.t, assistantstest.CheckStream(bytes.NewReader(r.taken.Bytes())), "%s", &r.taken)
	return framesOf(r.taken.String())
}

// answered waits for the end of an answer, which may be an error, or a stream that must be legal.
func (r *reading) answered() (status int, events []frame) {
	r.t.Helper()
	<-r.ended
	r.mu.Lock()
	status = r.status
	r.mu.Unlock()
	if status != 200 {
		return status, nil
	}
	return status, r.all()
}

// frame is an event as it is sent.
type frame struct{ name, data string }

func framesOf(stream string) []frame {
	var frames []frame
	for text := range strings.SplitSeq(stream, "\n\n") {
		name, data, whole := strings.Cut(text, "\ndata: ")
		if whole {
			frames = append(frames, frame{strings.TrimPrefix(name, "event: "), data})
		}
	}
	return frames
}

// runID returns the id of the run that a stream is about.
func runID(t testing.TB, events []frame) string {
	t.Helper()
	for _, e := range events {
		if strings.HasPrefix(e.name, "thread.run.") && !strings.HasPrefix(e.name, "thread.run.step.") {
			return field[string](t, e.data, "id")
		}
	}
	require.Fail(t, "no event of a run")
	return ""
}

// told returns a stream as one line for each event: its name, such as "run.queued" or "step.created", and what decides.
func told(t testing.TB, events []frame) []string {
	t.Helper()
	lines := make([]string, len(events))
	for i, e := range events {
		name := strings.TrimPrefix(strings.TrimPrefix(e.name, "thread."), "run.step.")
		if strings.HasPrefix(e.name, "thread.run.step.") {
			name = "step." + name
		}
		lines[i] = words(name, gist(t, e))
	}
	return lines
}

// gist is what an event says besides its name.
func gist(t testing.TB, e frame) string {
	switch {
	case e.name == "done" || e.name == "error" || e.name == "thread.created":
		return ""
	case e.name == "thread.message.delta":
		return string(decoded[deltaSeen](t, e.data).Delta.Content)
	case e.name == "thread.run.step.delta":
		return string(decoded[deltaSeen](t, e.data).Delta.StepDetails.ToolCalls)
	case strings.HasPrefix(e.name, "thread.message."):
		m := decoded[messageSeen](t, e.data)
		return words(m.IncompleteDetails.String(), string(m.Content))
	case strings.HasPrefix(e.name, "thread.run.step."):
		s := decoded[stepSeen](t, e.data)
		details := ""
		if s.Type == "tool_calls" {
			details = string(s.StepDetails.ToolCalls)
		}
		return words(s.Type, s.Usage.String(), s.LastError.String(), details)
	default:
		r := decoded[runSeen](t, e.data)
		return words(r.Usage.String(), r.LastError.String(), r.IncompleteDetails.String())
	}
}

func words(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }

// The objects as tests look at them. A moment that has not come is null, and 0 here.

type runSeen struct {
	ID                string
	Status            string
	CreatedAt         int64 `json:"created_at"`
	StartedAt         int64 `json:"started_at"`
	ExpiresAt         int64 `json:"expires_at"`
	CancelledAt       int64 `json:"cancelled_at"`
	FailedAt          int64 `json:"failed_at"`
	CompletedAt       int64 `json:"completed_at"`
	Usage             *usageSeen
	LastError         *errorSeen  `json:"last_error"`
	IncompleteDetails *reasonSeen `json:"incomplete_details"`
	RequiredAction    *struct {
		SubmitToolOutputs struct {
			ToolCalls []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		} `json:"submit_tool_outputs"`
	} `json:"required_action"`
}

// waitsFor returns the ids of the calls that a run waits for.
func (r runSeen) waitsFor() []string {
	var ids []string
	if r.RequiredAction != nil {
		for _, call := range r.RequiredAction.SubmitToolOutputs.ToolCalls {
			ids = append(ids, call.ID)
		}
	}
	return ids
}

type stepSeen struct {
	ID          string
	Type        string
	Status      string
	CreatedAt   int64 `json:"created_at"`
	ExpiresAt   int64 `json:"expires_at"`
	ExpiredAt   int64 `json:"expired_at"`
	CancelledAt int64 `json:"cancelled_at"`
	FailedAt    int64 `json:"failed_at"`
	CompletedAt int64 `json:"completed_at"`
	Usage       *usageSeen
	LastError   *errorSeen `json:"last_error"`
	StepDetails struct {
		ToolCalls       json.RawMessage `json:"tool_calls"`
		MessageCreation *struct {
			MessageID string `json:"message_id"`
		} `json:"message_creation"`
	} `json:"step_details"`
}

type messageSeen struct {
	ID                string
	Role              string
	RunID             string `json:"run_id"`
	Status            string
	CreatedAt         int64       `json:"created_at"`
	CompletedAt       int64       `json:"completed_at"`
	IncompleteAt      int64       `json:"incomplete_at"`
	IncompleteDetails *reasonSeen `json:"incomplete_details"`
	Content           json.RawMessage
}

// text returns the text parts of a message.
func (m messageSeen) text(t testing.TB) string {
	var b strings.Builder
	for _, part := range decoded[[]struct{ Text struct{ Value string } }](t, string(m.Content)) {
		b.WriteString(part.Text.Value)
	}
	return b.String()
}

type deltaSeen struct {
	ID    string
	Delta struct {
		Content     json.RawMessage
		StepDetails struct {
			ToolCalls json.RawMessage `json:"tool_calls"`
		} `json:"step_details"`
	}
}

type usageSeen struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func (u *usageSeen) String() string {
	if u == nil {
		return ""
	}
	return strconv.Itoa(u.PromptTokens) + "+" + strconv.Itoa(u.CompletionTokens)
}

type errorSeen struct{ Code, Message string }

func (e *errorSeen) String() string {
	if e == nil {
		return ""
	}
	return e.Code + ": " + e.Message
}

type reasonSeen struct{ Reason string }

func (r *reasonSeen) String() string {
	if r == nil {
		return ""
	}
	return r.Reason
}

func decoded[T any](t testing.TB, body string) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal([]byte(body), &value), body)
	return value
}

// yielding is a model that yields these events in each round, and the last of them in all later ones. An error among
// them ends the round.
func yielding(rounds ...[]any) server.Model {
	return server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for _, said := range rounds[min(call.Round, len(rounds)-1)] {
				var more bool
				switch said := said.(type) {
				case nil:
					more = yield(nil, nil)
				case error:
					more = yield(nil, said)
				case server.ModelEvent:
					more = yield(said, nil)
				default:
					panic(fmt.Sprintf("%T is no event", said))
				}
				if !more {
					return
				}
			}
		}
	})
}

// saying is one round of [yielding].
func saying(events ...any) []any { return events }

// asking is a model that calls a function in the first round and says something in the second.
func asking() server.Model {
	return yielding(
		saying(server.FunctionCall{ID: "call_a", Name: "f", Arguments: "{}"}, server.Usage{PromptTokens: 10, CompletionTokens: 2}),
		saying(server.Text("Done."), server.Usage{PromptTokens: 20, CompletionTokens: 3}))
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }
