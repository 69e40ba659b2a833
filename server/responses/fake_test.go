package responses_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/internal/logtest"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

// providerKey is the key that the provider is asked with, which nobody else may see.
const providerKey = "sk-key-of-the-provider"

// A fake is a provider. It answers the questions one after the other, the last answer again and again; files of containers all
// have the same content.
type fake struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	asked   []json.RawMessage // bodies of POST /responses
	paths   []string          // of other requests
	gone    bool              // no file of a container is there
	rest    http.Handler      // of those that are not about containers; nil: there are none
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if r.URL.Path != "/v1/responses" {
		f.paths = append(f.paths, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if f.rest != nil && !strings.HasPrefix(r.URL.Path, "/v1/containers") {
			f.rest.ServeHTTP(w, r)
			return
		}
		if f.gone {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"Gone."}}`)
			return
		}
		_, _ = io.WriteString(w, "a file of a container")
		return
	}
	body, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, body)
	answer := f.answers[min(len(f.asked), len(f.answers))-1]
	f.mu.Unlock()
	answer(w, r)
}

// question returns a question that was asked.
func (f *fake) question(t *testing.T, n int) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Greater(t, len(f.asked), n)
	return string(f.asked[n])
}

// status is an answer that is no stream.
func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// stream is an answer that is a stream of these events, to its end or not.
func stream(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, frames(events))
	}
}

func frames(events []string) string {
	var b strings.Builder
	for i, e := range events {
		var head struct{ Type string }
		_ = json.Unmarshal([]byte(e), &head)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", head.Type, strings.Replace(e, `{"type"`, fmt.Sprintf(`{"sequence_number":%d,"type"`, i), 1))
	}
	return b.String()
}

// Events of a stream.
func created() string {
	return `{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}`
}

func added(index int, item string) string {
	return fmt.Sprintf(`{"type":"response.output_item.added","output_index":%d,"item":%s}`, index, item)
}

func done(index int, item string) string {
	return fmt.Sprintf(`{"type":"response.output_item.done","output_index":%d,"item":%s}`, index, item)
}

func text(index int, delta string) string { return delta2("output_text", index, delta) }

func delta2(kind string, index int, delta string) string {
	return fmt.Sprintf(`{"type":"response.%s.delta","output_index":%d,"content_index":0,"delta":%q}`, kind, index, delta)
}

func annotated(index, number int, annotation string) string {
	return fmt.Sprintf(`{"type":"response.output_text.annotation.added","output_index":%d,"content_index":0,"annotation_index":%d,`+
		`"annotation":%s}`, index, number, annotation)
}

const someUsage = `{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,` +
	`"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15}`

func completed(output ...string) string {
	return `{"type":"response.completed","response":` + whole(output...) + `}`
}

func whole(output ...string) string {
	return `{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"output":[` +
		strings.Join(output, ",") + `],"usage":` + someUsage + `}`
}

func incomplete(reason string, output ...string) string {
	return `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"` + reason +
		`"},"output":[` + strings.Join(output, ",") + `],"usage":` + someUsage + `}}`
}

// Items of an output.
func message(id, text string, annotations ...string) string {
	return fmt.Sprintf(`{"id":%q,"type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":%q,`+
		`"logprobs":[],"annotations":[%s]}]}`, id, text, strings.Join(annotations, ","))
}

func opened(id string) string {
	return fmt.Sprintf(`{"id":%q,"type":"message","status":"in_progress","role":"assistant","content":[]}`, id)
}

func function(id, callID, arguments string) string {
	return fmt.Sprintf(`{"id":%q,"type":"function_call","status":"completed","name":"f","call_id":%q,"arguments":%q}`, id, callID, arguments)
}

func code(id, input, outputs string) string {
	return fmt.Sprintf(`{"id":%q,"type":"code_interpreter_call","status":"completed","code":%q,"container_id":"cntr_1","outputs":%s}`,
		id, input, outputs)
}

func search(id, results string) string {
	return fmt.Sprintf(`{"id":%q,"type":"file_search_call","status":"completed","queries":["q"],"results":%s}`, id, results)
}

// answerOf is a whole stream with one message.
func answerOf(words ...string) []string {
	events := []string{created(), added(0, opened("msg_1"))}
	for _, w := range words {
		events = append(events, text(0, w))
	}
	m := message("msg_1", strings.Join(words, ""))
	return append(events, done(0, m), completed(m))
}

// A house is a server with a model, a client of it, and the provider behind.
type house struct {
	*assistants.Client
	t      *testing.T
	fake   *fake
	server *server.Server
	model  *responses.Model
	log    *logtest.Log
}

func build(t *testing.T, answers ...http.HandlerFunc) *house { return buildWith(t, nil, answers...) }

func buildWith(t *testing.T, opts []responses.Option, answers ...http.HandlerFunc) *house {
	t.Helper()
	h := &house{t: t, fake: &fake{answers: answers}, log: new(logtest.Log)}
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	provider, err := assistants.NewClient(assistants.WithHandler(h.fake), assistants.WithAPIKey(providerKey),
		assistants.WithMaxRetries(0), assistants.WithStreamIdleTimeout(0), assistants.WithLogger(logger))
	require.NoError(t, err)
	h.model = responses.New(provider, opts...)
	h.server = server.New(server.WithModel(h.model), server.WithLogger(logger))
	t.Cleanup(func() {
		require.NoError(t, h.server.Close())
		assert.NotContains(t, h.log.String(), providerKey)
	})
	h.Client, err = assistants.NewClient(assistants.WithHandler(h.server))
	require.NoError(t, err)
	return h
}

// begin makes an assistant and a thread, and a run of them that is streamed.
func (h *house) begin(a assistants.AssistantCreateParams, run assistants.RunCreateParams, messages ...assistants.MessageCreateParams) *assistants.Stream {
	h.t.Helper()
	ctx := h.t.Context()
	if a.Model == "" {
		a.Model = "gpt-4o"
	}
	made, err := h.Assistants.Create(ctx, a)
	require.NoError(h.t, err)
	if messages == nil {
		messages = []assistants.MessageCreateParams{{Role: assistants.RoleUser, Content: "Hello?"}}
	}
	thread, err := h.Threads.Create(ctx, assistants.ThreadCreateParams{Messages: messages})
	require.NoError(h.t, err)
	run.AssistantID = made.ID
	s, err := h.Runs.Stream(ctx, thread.ID, run)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = s.Close() })
	return s
}

// ask has the assistant answer a message.
func (h *house) ask(tools ...assistants.Tool) *assistants.Stream {
	h.t.Helper()
	s := h.begin(assistants.AssistantCreateParams{Tools: tools}, assistants.RunCreateParams{})
	_, err := s.Wait()
	require.NoError(h.t, err)
	return s
}

// answer submits outputs, one to each call.
func (h *house) answer(s *assistants.Stream, outputs ...string) *assistants.Stream {
	h.t.Helper()
	run := s.Run()
	require.Equal(h.t, assistants.RunRequiresAction, run.Status)
	var params assistants.RunSubmitToolOutputsParams
	for i, c := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
		params.ToolOutputs = append(params.ToolOutputs, assistants.ToolOutput{ToolCallID: c.ID, Output: outputs[i]})
	}
	next, err := h.Runs.SubmitToolOutputsStream(h.t.Context(), run.ThreadID, run.ID, params)
	require.NoError(h.t, err)
	_, err = next.Wait()
	require.NoError(h.t, err)
	return next
}

var (
	codeTool     = assistants.Tool{Type: assistants.ToolCodeInterpreter}
	functionTool = assistants.Tool{Function: &assistants.FunctionDefinition{Name: "f"}}
)

// told is what a run has done, a line for each step and one for its end.
func told(t *testing.T, h *house, s *assistants.Stream) []string {
	t.Helper()
	run := s.Run()
	require.NotNil(t, run)
	var lines []string
	params := assistants.ListParams{Order: assistants.OrderAsc}
	for step, err := range h.RunSteps.All(context.WithoutCancel(t.Context()), run.ThreadID, run.ID, params, assistants.WithInclude(assistants.IncludeFileSearchContent)) {
		require.NoError(t, err)
		if made := step.StepDetails.MessageCreation; made != nil {
			m, err := h.Messages.Retrieve(t.Context(), run.ThreadID, made.MessageID)
			require.NoError(t, err)
			lines = append(lines, "message"+toldMessage(m))
		}
		for _, c := range step.StepDetails.ToolCalls {
			lines = append(lines, toldCall(c))
		}
	}
	end := string(run.Status)
	if run.LastError != nil {
		end += " " + string(run.LastError.Code) + ": " + run.LastError.Message
	}
	if run.IncompleteDetails != nil {
		end += " " + run.IncompleteDetails.Reason
	}
	return append(lines, end)
}

func toldMessage(m *assistants.Message) string {
	line := ""
	for _, c := range m.Content {
		switch {
		case c.Text != nil:
			line += ": " + c.Text.Value
			for _, a := range c.Text.Annotations {
				line += fmt.Sprintf(" [%s %s %d-%d]", a.Type, a.Text, a.StartIndex, a.EndIndex)
			}
		case c.ImageFile != nil:
			line += ": <image>"
		default:
			line += ": refusal " + c.Refusal
		}
	}
	return line
}

func toldCall(c assistants.ToolCall) string {
	switch {
	case c.Function != nil:
		return fmt.Sprintf("function %s(%s) %s", c.Function.Name, c.Function.Arguments, c.ID)
	case c.CodeInterpreter != nil:
		line := "code: " + c.CodeInterpreter.Input
		for _, o := range c.CodeInterpreter.Outputs {
			if line += " > " + o.Logs; o.Image != nil {
				line += "<image>"
			}
		}
		return line
	}
	line := fmt.Sprintf("search %s %v:", c.FileSearch.RankingOptions.Ranker, c.FileSearch.RankingOptions.ScoreThreshold)
	for _, r := range c.FileSearch.Results {
		line += fmt.Sprintf(" %s %s %v", r.FileID, r.FileName, r.Score)
		for _, p := range r.Content {
			line += " " + p.Text
		}
	}
	return line
}
