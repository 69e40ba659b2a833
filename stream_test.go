package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const usage = `"usage":{"prompt_tokens":20,"completion_tokens":11,"total_tokens":31}`

var beginning = []string{"run.created " + aRun("queued"), "run.queued " + aRun("queued"), "run.in_progress " + aRun("in_progress")}

// answering is how a run writes a message in two pieces and ends, what comes before included.
func answering(before ...string) []string {
	return append(before[:len(before):len(before)],
		"run.step.created "+aStep("step_m", "in_progress", "msg_1"),
		"run.step.in_progress "+aStep("step_m", "in_progress", "msg_1"),
		"message.created "+aMessage("msg_1", "in_progress", ""),
		"message.in_progress "+aMessage("msg_1", "in_progress", ""),
		addContent("msg_1", `{"index":0,"type":"text","text":{"value":"Hel","annotations":[]}}`),
		addText("msg_1", 0, "lo €\n"),
		"message.completed "+aMessage("msg_1", "completed", aText("Hello €\n"), `"completed_at":1710330644`),
		"run.step.completed "+aStep("step_m", "completed", "msg_1", usage),
		"run.completed "+aRun("completed", usage),
		"done",
	)
}

const (
	callA   = `{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}","output":null}}`
	callB   = `{"id":"call_b","type":"function","function":{"name":"time","arguments":"{}","output":null}}`
	outputA = `{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}","output":"sunny"}}`
	outputB = `{"id":"call_b","type":"function","function":{"name":"time","arguments":"{}","output":"noon"}}`
	code    = `{"id":"call_c","type":"code_interpreter","code_interpreter":{"input":"print(6*7)","outputs":[{"type":"logs","logs":"42\n"},{"type":"image","image":{"file_id":"file-p"}}]}}`
	found   = `{"id":"call_f","type":"file_search","file_search":{"ranking_options":{"ranker":"auto","score_threshold":0.0},"results":[{"file_id":"file-n","file_name":"notes.txt","score":0.75,"attributes":{}}]}}`
	mark    = "【4:0†notes.txt】"
)

var (
	textEvents     = answering(beginning...)
	functionEvents = append(beginning[:3:3],
		"run.step.created "+aStep("step_t", "in_progress", ""),
		"run.step.in_progress "+aStep("step_t", "in_progress", ""),
		addCalls("step_t", `{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":"","output":null}}`),
		addCalls("step_t", `{"index":0,"type":"function","function":{"arguments":"{\"city\":"}}`),
		addCalls("step_t", `{"index":0,"type":"function","function":{"arguments":"\"Rome\"}"}}`),
		addCalls("step_t", `{"index":1,"id":"call_b","type":"function","function":{"name":"time","arguments":"","output":null}}`),
		addCalls("step_t", `{"index":1,"type":"function","function":{"arguments":"{}"}}`),
		"run.requires_action "+aRun("requires_action", `"required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[`+callA+","+callB+`]}}`),
		"done",
	)
	submissionEvents = answering(
		"run.step.completed "+aStep("step_t", "completed", outputA+","+outputB, usage),
		"run.queued "+aRun("queued"), "run.in_progress "+aRun("in_progress"))
	codeEvents = append(beginning[:3:3],
		"run.step.created "+aStep("step_t", "in_progress", ""),
		"run.step.in_progress "+aStep("step_t", "in_progress", ""),
		addCalls("step_t", `{"index":0,"id":"call_c","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}`),
		addCalls("step_t", `{"index":0,"type":"code_interpreter","code_interpreter":{"input":"print"}}`),
		addCalls("step_t", `{"index":0,"type":"code_interpreter","code_interpreter":{"input":"(6*7)"}}`),
		addCalls("step_t", `{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"logs","logs":"4"}]}}`),
		addCalls("step_t", `{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"logs","logs":"2\n"},{"index":1,"type":"image","image":{"file_id":"file-p"}}]}}`),
		"run.step.completed "+aStep("step_t", "completed", code, usage),
		"run.step.created "+aStep("step_m", "in_progress", "msg_1"),
		"message.created "+aMessage("msg_1", "in_progress", ""),
		addContent("msg_1", `{"index":0,"type":"image_file","image_file":{"file_id":"file-p"}}`),
		addText("msg_1", 1, "It is 42."),
		"message.completed "+aMessage("msg_1", "completed", `{"type":"image_file","image_file":{"file_id":"file-p"}},`+aText("It is 42.")),
		"run.step.completed "+aStep("step_m", "completed", "msg_1", usage),
		"run.completed "+aRun("completed", usage),
		"done",
	)
	searchEvents = append(beginning[:3:3],
		"run.step.created "+aStep("step_t", "in_progress", ""),
		addCalls("step_t", `{"index":0,"id":"call_f","type":"file_search","file_search":{"ranking_options":{"ranker":"auto","score_threshold":0.0},"results":[]}}`),
		"run.step.completed "+aStep("step_t", "completed", found, usage),
		"run.step.created "+aStep("step_m", "in_progress", "msg_1"),
		"message.created "+aMessage("msg_1", "in_progress", ""),
		addText("msg_1", 0, "See "),
		addContent("msg_1", `{"index":0,"type":"text","text":{"value":"`+mark+`","annotations":[{"index":0,"type":"file_citation","text":"`+mark+`","start_index":4,"end_index":19,"file_citation":{"file_id":"file-n","quote":""}}]}}`),
		"message.completed "+aMessage("msg_1", "completed", aText("See "+mark, `{"type":"file_citation","text":"`+mark+`","start_index":4,"end_index":19,"file_citation":{"file_id":"file-n"}}`)),
		"run.step.completed "+aStep("step_m", "completed", "msg_1", usage),
		"run.completed "+aRun("completed", usage),
		"done",
	)
	incompleteEvents = append(beginning[:3:3],
		"run.step.created "+aStep("step_m", "in_progress", "msg_1"),
		"message.created "+aMessage("msg_1", "in_progress", ""),
		addText("msg_1", 0, "Hel"),
		"message.incomplete "+aMessage("msg_1", "incomplete", aText("Hel"), `"incomplete_details":{"reason":"max_tokens"},"incomplete_at":1710330644`),
		"run.step.completed "+aStep("step_m", "completed", "msg_1", usage),
		"run.incomplete "+aRun("incomplete", usage, `"incomplete_details":{"reason":"max_completion_tokens"}`),
		"done",
	)
	failedEvents = append(beginning[:3:3],
		"run.step.created "+aStep("step_m", "in_progress", "msg_1"),
		"message.created "+aMessage("msg_1", "in_progress", ""),
		addText("msg_1", 0, "Hel"),
		"message.incomplete "+aMessage("msg_1", "incomplete", aText("Hel"), `"incomplete_details":{"reason":"run_failed"}`),
		"run.step.failed "+aStep("step_m", "failed", "msg_1", `"failed_at":1710330644,"last_error":{"code":"server_error","message":"m"}`),
		"run.failed "+aRun("failed", `"last_error":{"code":"server_error","message":"m"}`),
		"done",
	)
	refusalEvents = append(beginning[:3:3],
		"message.created "+aMessage("msg_1", "in_progress", ""),
		addContent("msg_1", `{"index":0,"type":"refusal","refusal":"I c"}`),
		addContent("msg_1", `{"index":0,"type":"refusal","refusal":"annot."}`),
		"message.completed "+aMessage("msg_1", "completed", `{"type":"refusal","refusal":"I cannot."}`),
		"run.completed "+aRun("completed", usage),
		"done",
	)
)

// streams are all kinds of streams, by name.
func streams() map[string]string {
	return map[string]string{
		"text":       sse(textEvents...),
		"function":   sse(functionEvents...),
		"submission": sse(submissionEvents...),
		"code":       sse(codeEvents...),
		"search":     sse(searchEvents...),
		"thread":     "event: thread.created\ndata: " + aThread() + "\n\n" + sse(textEvents...),
		"incomplete": sse(incompleteEvents...),
		"failed":     sse(failedEvents...),
		"refusal":    sse(refusalEvents...),
	}
}

// eventsOf reads a stream to its end.
func eventsOf(s *assistants.Stream) (events []*assistants.Event, err error) {
	for event, failed := range s.Events() {
		if failed != nil {
			return events, failed
		}
		events = append(events, event)
	}
	return events, nil
}

// namesOf are the names of events, without "thread.".
func namesOf(events []*assistants.Event) string {
	var names []string
	for _, event := range events {
		names = append(names, strings.TrimPrefix(string(event.Type), "thread."))
	}
	return strings.Join(names, " ")
}

func textOf(s *assistants.Stream) (text string, err error) {
	for piece, failed := range s.Text() {
		if failed != nil {
			return text, failed
		}
		text += piece
	}
	return text, nil
}

func decoded[T any](t testing.TB, object string) *T {
	t.Helper()
	v := new(T)
	require.NoError(t, json.Unmarshal([]byte(object), v))
	return v
}

const (
	runBegins    = "run.created run.queued run.in_progress "
	messageBegin = "run.step.created run.step.in_progress message.created message.in_progress message.delta message.delta "
	messageEnds  = "message.completed run.step.completed run.completed"
)

// What every kind of stream brings: events with their objects, text, and what they add up to.
func TestStreams(t *testing.T) {
	t.Parallel()
	answered := aMessage("msg_1", "completed", aText("Hello €\n"), `"completed_at":1710330644`)
	messageStep := aStep("step_m", "completed", "msg_1", usage)
	for name, test := range map[string]struct {
		events, text, run string
		messages, steps   []string
	}{
		"text": {runBegins + messageBegin + messageEnds, "Hello €\n", aRun("completed", usage), []string{answered}, []string{messageStep}},
		"function": {runBegins + "run.step.created run.step.in_progress" + strings.Repeat(" run.step.delta", 5) + " run.requires_action", "",
			aRun("requires_action", `"required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[`+callA+","+callB+`]}}`),
			nil, []string{aStep("step_t", "in_progress", callA+","+callB)}},
		"submission": {"run.step.completed run.queued run.in_progress " + messageBegin + messageEnds, "Hello €\n", aRun("completed", usage),
			[]string{answered}, []string{aStep("step_t", "completed", outputA+","+outputB, usage), messageStep}},
		"code": {runBegins + "run.step.created run.step.in_progress" + strings.Repeat(" run.step.delta", 5) +
			" run.step.completed run.step.created message.created message.delta message.delta " + messageEnds, "It is 42.", aRun("completed", usage),
			[]string{aMessage("msg_1", "completed", `{"type":"image_file","image_file":{"file_id":"file-p"}},`+aText("It is 42."))},
			[]string{aStep("step_t", "completed", code, usage), messageStep}},
		"search": {runBegins + "run.step.created run.step.delta run.step.completed run.step.created message.created message.delta message.delta " + messageEnds,
			"See " + mark, aRun("completed", usage),
			[]string{aMessage("msg_1", "completed", aText("See "+mark, `{"type":"file_citation","text":"`+mark+`","start_index":4,"end_index":19,"file_citation":{"file_id":"file-n"}}`))},
			[]string{aStep("step_t", "completed", found, usage), messageStep}},
		"thread": {"created " + runBegins + messageBegin + messageEnds, "Hello €\n", aRun("completed", usage), []string{answered}, []string{messageStep}},
		"incomplete": {runBegins + "run.step.created message.created message.delta message.incomplete run.step.completed run.incomplete", "Hel",
			aRun("incomplete", usage, `"incomplete_details":{"reason":"max_completion_tokens"}`),
			[]string{aMessage("msg_1", "incomplete", aText("Hel"), `"incomplete_details":{"reason":"max_tokens"},"incomplete_at":1710330644`)}, []string{messageStep}},
		"failed": {runBegins + "run.step.created message.created message.delta message.incomplete run.step.failed run.failed", "Hel",
			aRun("failed", `"last_error":{"code":"server_error","message":"m"}`),
			[]string{aMessage("msg_1", "incomplete", aText("Hel"), `"incomplete_details":{"reason":"run_failed"}`)},
			[]string{aStep("step_m", "failed", "msg_1", `"failed_at":1710330644,"last_error":{"code":"server_error","message":"m"}`)}},
		"refusal": {runBegins + "message.created message.delta message.delta message.completed run.completed", "", aRun("completed", usage),
			[]string{aMessage("msg_1", "completed", `{"type":"refusal","refusal":"I cannot."}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := streams()[name]
			check := func(s *assistants.Stream) {
				assert.Equal(t, decoded[assistants.Run](t, test.run), s.Run())
				require.Len(t, s.Messages(), len(test.messages))
				for i, message := range test.messages {
					assert.Equal(t, decoded[assistants.Message](t, message), s.Messages()[i])
				}
				require.Len(t, s.Steps(), len(test.steps))
				for i, step := range test.steps {
					assert.Equal(t, decoded[assistants.RunStep](t, step), s.Steps()[i])
				}
				more, err := eventsOf(s)
				require.NoError(t, err)
				assert.Empty(t, more)
				require.NoError(t, s.Close())
			}
			s := streamOf(t, body)
			assert.Nil(t, s.Run())
			assert.Empty(t, s.Messages())
			assert.Empty(t, s.Steps())
			events, err := eventsOf(s)
			require.NoError(t, err)
			assert.Equal(t, test.events, namesOf(events))
			for _, event := range events {
				requireOneObject(t, event)
				assert.Contains(t, body, "data: "+string(event.Data)+"\n")
			}
			check(s)

			s = streamOf(t, body)
			text, err := textOf(s)
			require.NoError(t, err)
			assert.Equal(t, test.text, text)
			check(s)

			s = streamOf(t, body)
			run, err := s.Wait()
			require.NoError(t, err)
			assert.Equal(t, decoded[assistants.Run](t, test.run), run)
			check(s)

			s = streamOf(t, body)
			run, err = s.Handle(assistants.Handler{})
			require.NoError(t, err)
			assert.Equal(t, decoded[assistants.Run](t, test.run), run)
			check(s)
		})
	}
}

// requireOneObject holds that an event has the object of its type and no other, decoded from its data.
func requireOneObject(t *testing.T, event *assistants.Event) {
	t.Helper()
	var want any
	is := strings.TrimPrefix(string(event.Type), "thread.")
	got := map[bool]any{true: nil}
	switch {
	case is == "created":
		want, got[true] = decoded[assistants.Thread](t, string(event.Data)), event.Thread
	case is == "run.step.delta":
		want, got[true] = decoded[assistants.RunStepDelta](t, string(event.Data)), event.RunStepDelta
	case strings.HasPrefix(is, "run.step."):
		want, got[true] = decoded[assistants.RunStep](t, string(event.Data)), event.RunStep
	case strings.HasPrefix(is, "run."):
		want, got[true] = decoded[assistants.Run](t, string(event.Data)), event.Run
	case is == "message.delta":
		want, got[true] = decoded[assistants.MessageDelta](t, string(event.Data)), event.MessageDelta
	default:
		want, got[true] = decoded[assistants.Message](t, string(event.Data)), event.Message
	}
	assert.Equal(t, want, got[true])
	set := 0
	for _, is := range []bool{event.Thread != nil, event.Run != nil, event.RunStep != nil, event.RunStepDelta != nil, event.Message != nil, event.MessageDelta != nil} {
		if is {
			set++
		}
	}
	assert.Equal(t, 1, set)
}

// What is sent to open a stream.
func TestStreamRequests(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, test := range map[string]struct {
		open func(*assistants.Client, ...assistants.RequestOption) (*assistants.Stream, error)
		path string
		body string
	}{
		"run": {func(c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
			return c.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1", Model: "m"}, opts...)
		}, "/v1/threads/thread_1/runs", `{"assistant_id":"asst_1","model":"m","stream":true}`},
		"outputs": {func(c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
			return c.Runs.SubmitToolOutputsStream(ctx, "thread_1", "run_1",
				assistants.RunSubmitToolOutputsParams{ToolOutputs: []assistants.ToolOutput{{ToolCallID: "call_a", Output: "x"}}}, opts...)
		}, "/v1/threads/thread_1/runs/run_1/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_a","output":"x"}],"stream":true}`},
		"thread": {func(c *assistants.Client, opts ...assistants.RequestOption) (*assistants.Stream, error) {
			return c.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_1"}, opts...)
		}, "/v1/threads/runs", `{"assistant_id":"asst_1","stream":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, streaming(sse(textEvents...), "x-request-id: req_7"))
			var resp assistants.Response
			s, err := test.open(newClient(t, tr), assistants.WithResponse(&resp), assistants.WithBodyField("extra", 1), assistants.WithIdempotencyKey("k"))
			require.NoError(t, err)
			defer s.Close()
			assert.Equal(t, assistants.Response{StatusCode: 200, Header: resp.Header, RequestID: "req_7", Attempts: 1}, resp)
			assert.Equal(t, "req_7", resp.Header.Get("X-Request-Id"))
			assert.Equal(t, "POST", tr.last().Method)
			assert.Equal(t, test.path, tr.last().URL.Path)
			assert.Empty(t, tr.last().URL.RawQuery)
			assert.JSONEq(t, strings.TrimSuffix(test.body, "}")+`,"extra":1}`, tr.last().body)
			assert.Equal(t, "text/event-stream", tr.last().Header.Get("Accept"))
			assert.Equal(t, "application/json", tr.last().Header.Get("Content-Type"))
			assert.Equal(t, "assistants=v2", tr.last().Header.Get("OpenAI-Beta"))
			assert.Equal(t, "k", tr.last().Header.Get("Idempotency-Key"))
			_, err = s.Wait()
			require.NoError(t, err)
			assert.Len(t, tr.requests(), 1)

			s, err = test.open(newClient(t, tr), assistants.WithInclude(assistants.IncludeFileSearchContent))
			if name != "run" {
				require.ErrorContains(t, err, "WithInclude")
				return
			}
			require.NoError(t, err)
			s.Close()
			assert.Equal(t, []string{string(assistants.IncludeFileSearchContent)}, tr.last().URL.Query()["include[]"])
		})
	}
	var none context.Context
	for _, open := range []func(*assistants.Client) error{
		func(c *assistants.Client) error { _, err := openStream(none, c); return err },
		func(c *assistants.Client) error {
			_, err := openStream(ctx, c, assistants.WithPollInterval(1))
			return err
		},
		func(c *assistants.Client) error {
			_, err := c.Runs.Stream(ctx, "", assistants.RunCreateParams{})
			return err
		},
		func(c *assistants.Client) error { _, err := openStream(ctx, c, nil); return err },
	} {
		tr := newTransport(t, streaming(""))
		require.Error(t, open(newClient(t, tr)))
		assert.Empty(t, tr.requests())
	}
	_, err := new(assistants.RunsService).Stream(ctx, "thread_1", assistants.RunCreateParams{})
	require.Error(t, err)
}

// What this package does not know passes through, and what it knows is still there.
func TestUnknownInStreams(t *testing.T) {
	t.Parallel()
	body := sse("run.created "+aRun("queued", `"new":{"a":1}`, `"tool_choice":{"type":"never","function":7}`, `"tools":[{"type":"teleport","function":7}]`)) +
		"event: thread.run.paused\ndata: {\"id\": 1}\n\n" +
		"event: ping\ndata: not JSON\n\n" +
		"data: {\"error\":null}\n\n" +
		"event: thread.object\ndata: {\"error\":{\"message\":\"mine\"}}\n\n" +
		sse("message.created "+aMessage("msg_1", "musing", "", `"error":"x"`),
			addContent("msg_1", `{"index":0,"type":"hologram","text":"flat","hologram":{"depth":3}}`),
			addContent("msg_1", `{"index":1,"type":"text","text":{"value":"a","annotations":[{"index":0,"type":"footnote","file_citation":8,"text":"b"}]}}`),
			"run.step.created "+aStep("step_t", "in_progress", `{"id":"call_x","type":"dance","function":[1]}`, `"step_details":{"type":"thinking","tool_calls":"none"}`),
			addCalls("step_t", `{"index":0,"id":"call_x","type":"dance","code_interpreter":"x"}`),
			"run.completed "+aRun("completed", `"error":{"message":"a key of this name"}`),
			"done")
	s := streamOf(t, body)
	events, err := eventsOf(s)
	require.NoError(t, err)
	assert.Equal(t, "run.created run.paused ping  object message.created message.delta message.delta run.step.created run.step.delta run.completed", namesOf(events))
	for _, event := range events[1:5] {
		assert.Equal(t, assistants.Event{Type: event.Type, Data: event.Data}, *event)
	}
	assert.Equal(t, `{"id": 1}`, string(events[1].Data))
	assert.Equal(t, "not JSON", string(events[2].Data))
	assert.Equal(t, `{"error":null}`, string(events[3].Data))
	sent, err := json.Marshal(events[0].Run.Tools[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"teleport","function":7}`, string(sent))
	sent, err = json.Marshal(events[0].Run.ToolChoice)
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"never","function":7}`, string(sent))
	require.Len(t, s.Messages(), 1)
	message := s.Messages()[0]
	assert.Equal(t, assistants.MessageStatus("musing"), message.Status)
	assert.Equal(t, assistants.ContentType("hologram"), message.Content[0].Type)
	assert.Equal(t, "a", message.Text())
	assert.Equal(t, []assistants.Annotation{{Type: "footnote", Text: "b"}}, message.Annotations())
	assert.Equal(t, assistants.ToolType("dance"), s.Steps()[0].StepDetails.ToolCalls[0].Type)
}

// One client, many goroutines, each with streams of its own; over connections.
func TestStreamsConcurrently(t *testing.T) {
	t.Parallel()
	bodies := streams()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range strings.SplitAfterSeq(bodies[strings.Split(r.URL.Path, "/")[3]], "\n\n") {
			io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
	}))
	defer srv.Close()
	client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL+"/v1"), assistants.WithAPIKey(testKey))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	var wait sync.WaitGroup
	for range 8 {
		for name, body := range bodies {
			wait.Go(func() {
				for range 5 {
					s, err := client.Runs.Stream(t.Context(), name, assistants.RunCreateParams{AssistantID: "asst_1"})
					if !assert.NoError(t, err) {
						return
					}
					var watching sync.WaitGroup
					watching.Go(func() { s.Run(); s.Messages(); s.Steps() })
					events, err := eventsOf(s)
					assert.NoError(t, err)
					assert.Len(t, events, strings.Count(body, "\n\n")-1)
					watching.Wait()
					assert.NoError(t, s.Close())
				}
			})
		}
	}
	wait.Wait()
}

// A stream that was read to its end leaves its connection to the next.
func TestStreamConnections(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, sse(textEvents...))
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	for range 20 {
		s, err := openStream(t.Context(), client)
		require.NoError(t, err)
		_, err = s.Wait()
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	assert.EqualValues(t, 1, connections.Load())
}

// Loops share one position.
func TestStreamLoops(t *testing.T) {
	t.Parallel()
	s := streamOf(t, sse(textEvents...))
	var names []*assistants.Event
	for event, err := range s.Events() {
		require.NoError(t, err)
		names = append(names, event)
		if event.Type == assistants.EventRunQueued {
			break
		}
	}
	assert.Equal(t, assistants.RunQueued, s.Run().Status)
	for event, err := range s.Events() { // goes on, and one within another
		require.NoError(t, err)
		names = append(names, event)
		for event, err := range s.Events() {
			require.NoError(t, err)
			names = append(names, event)
			if event.Type == assistants.EventMessageInProgress {
				break
			}
		}
		break
	}
	assert.Equal(t, runBegins+"run.step.created run.step.in_progress message.created message.in_progress", namesOf(names))
	for text, err := range s.Text() {
		require.NoError(t, err)
		assert.Equal(t, "Hel", text)
		break
	}
	assert.Equal(t, "Hel", s.Messages()[0].Text())
	text, err := textOf(s)
	require.NoError(t, err)
	assert.Equal(t, "lo €\n", text)
	run, err := s.Wait()
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)

	s = streamOf(t, sse(textEvents[:6]...))
	_, first := s.Wait()
	require.ErrorIs(t, first, io.ErrUnexpectedEOF)
	for range 2 {
		events, err := eventsOf(s)
		assert.Empty(t, events)
		assert.Same(t, apiError(t, first), apiError(t, err))
		_, err = textOf(s)
		assert.Same(t, apiError(t, first), apiError(t, err))
		require.NoError(t, s.Close())
	}
}

func apiError(t *testing.T, err error) *assistants.APIError {
	t.Helper()
	var e *assistants.APIError
	require.True(t, errors.As(err, &e), "%v", err)
	return e
}

// Two loops at once see every event once.
func TestStreamShared(t *testing.T) {
	t.Parallel()
	const pieces = 500
	events := append(beginning[:3:3], "message.created "+aMessage("msg_1", "in_progress", ""))
	for i := range pieces {
		events = append(events, addText("msg_1", 0, fmt.Sprintf("<%d>", i)))
	}
	s := streamOf(t, sse(append(events, "run.completed "+aRun("completed"), "done")...))
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 4 {
		wait.Go(func() {
			for text, err := range s.Text() {
				if !assert.NoError(t, err) {
					return
				}
				s.Messages()
				mu.Lock()
				seen[text]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	assert.Len(t, seen, pieces)
	for text, times := range seen {
		assert.Equal(t, 1, times, text)
	}
	run, err := s.Wait()
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)
}
