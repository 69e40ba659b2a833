package replay

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A made-up thread with a run that asks for a function, streamed, and with another one, polled. No exchange goes by
// what the others left behind, so they are held against the client alone.

const (
	thread  = `{"id":"thread_1","object":"thread","created_at":1700000001,"metadata":{},"tool_resources":{}}`
	message = `{"id":"msg_1","object":"thread.message","created_at":1700000001,"assistant_id":null,"thread_id":"thread_1",` +
		`"run_id":null,"role":"user","content":[{"type":"text","text":{"value":"Hello.","annotations":[]}},` +
		`{"type":"image_url","image_url":{"url":"https://host.example/a.png","detail":"auto"}}],` +
		`"attachments":[{"file_id":"file-1","tools":[{"type":"file_search"}]}],"metadata":{}}`
	run = `{"id":"run_1","object":"thread.run","created_at":1700000001,"assistant_id":"asst_1","thread_id":"thread_1",` +
		`"status":"STATUS","started_at":null,"expires_at":1700000601,"cancelled_at":null,"failed_at":null,"completed_at":null,` +
		`"required_action":null,"last_error":null,"model":"gpt-4o","instructions":null,"tools":[{"type":"code_interpreter"}],` +
		`"tool_resources":{},"metadata":{},"temperature":1.0,"top_p":1.0,"reasoning_effort":null,"max_completion_tokens":null,` +
		`"max_prompt_tokens":null,"truncation_strategy":{"type":"auto","last_messages":null},"incomplete_details":null,` +
		`"usage":null,"response_format":"auto","tool_choice":"auto","parallel_tool_calls":true}`
	asked = `{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[` +
		`{"id":"call_1","type":"function","function":{"name":"now","arguments":"{\"zone\":1}"}}]}}`
	step = `{"id":"STEP","object":"thread.run.step","created_at":1700000002,"run_id":"run_1","assistant_id":"asst_1",` +
		`"thread_id":"thread_1","type":"TYPE","status":"in_progress","cancelled_at":null,"completed_at":null,` +
		`"expires_at":1700000601,"failed_at":null,"last_error":null,"step_details":{"type":"TYPE",DETAILS},"usage":null}`
	cost      = `"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}`
	answering = `{"id":"msg_2","object":"thread.message","created_at":1700000003,"assistant_id":"asst_1","thread_id":"thread_1",` +
		`"run_id":"run_1","status":"in_progress","incomplete_details":null,"incomplete_at":null,"completed_at":null,` +
		`"role":"assistant","content":[],"attachments":[],"metadata":{}}`
	citation = `"type":"file_citation","text":"[1]","start_index":5,"end_index":8,"file_citation":{"file_id":"file-1"`
)

var (
	runStatus = func(status string) string { return strings.Replace(run, "STATUS", status, 1) }
	waiting   = strings.Replace(runStatus("requires_action"), `"required_action":null`, `"required_action":`+asked, 1)
	ended     = strings.NewReplacer(`"in_progress"`, `"completed"`, `"completed_at":null`, `"completed_at":1700000009`, `"usage":null`, cost)

	calling = strings.NewReplacer("STEP", "step_1", "TYPE", "tool_calls", "DETAILS", `"tool_calls":[]`).Replace(step)
	called1 = `"tool_calls":[{"id":"call_1","type":"function","function":{"name":"now","arguments":"{\"zone\":1}","output":"noon"}},` +
		`{"id":"call_2","type":"code_interpreter","code_interpreter":{"input":"1+1","outputs":[{"type":"logs","logs":"2\n"},` +
		`{"type":"image","image":{"file_id":"file-2"}}]}},` +
		`{"id":"call_3","type":"file_search","file_search":{"ranking_options":{"ranker":"auto","score_threshold":0.0},` +
		`"results":[{"file_id":"file-1","file_name":"a.txt","score":0.5,"attributes":{},"content":[{"type":"text","text":"t"}]}]}}]`
	writing = strings.NewReplacer("STEP", "step_2", "TYPE", "message_creation", "DETAILS", `"message_creation":{"message_id":"msg_2"}`).Replace(step)
	written = strings.Replace(ended.Replace(answering), `"content":[]`, `"content":[{"type":"text","text":{"value":"Noon.[1]",`+
		`"annotations":[{`+citation+`}}]}},{"type":"image_file","image_file":{"file_id":"file-2"}}]`, 1)
)

func stepDelta(call string) string {
	return "event: thread.run.step.delta\ndata: " + `{"id":"step_1","object":"thread.run.step.delta","delta":{"step_details":` +
		`{"type":"tool_calls","tool_calls":[` + call + `]}}}` + "\n\n"
}

func messageDelta(part string) string {
	return "event: thread.message.delta\ndata: " + `{"id":"msg_2","object":"thread.message.delta","delta":{"content":[` +
		part + `]}}` + "\n\n"
}

func eventOf(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// asking is a stream that ends with a function to be called.
func asking() string {
	return eventOf("thread.run.created", runStatus("queued")) + eventOf("thread.run.in_progress", runStatus("in_progress")) +
		eventOf("thread.run.step.created", calling) + eventOf("thread.run.step.in_progress", calling) +
		stepDelta(`{"index":0,"id":"call_1","type":"function","function":{"name":"now","arguments":"","output":null}}`) +
		stepDelta(`{"index":0,"type":"function","function":{"arguments":"{\"zone\":"}}`) +
		stepDelta(`{"index":0,"type":"function","function":{"arguments":"1}"}}`) +
		eventOf("thread.run.requires_action", waiting) + eventOf("done", "[DONE]")
}

// writingAll is a stream of everything that a run does on its own.
func writingAll() string {
	return eventOf("thread.created", thread) + eventOf("thread.run.created", runStatus("queued")) +
		eventOf("thread.run.step.created", calling) + eventOf("thread.run.step.in_progress", calling) +
		stepDelta(`{"index":0,"id":"call_1","type":"function","function":{"name":"now","arguments":"{\"zone\":1}","output":"noon"}}`) +
		stepDelta(`{"index":1,"id":"call_2","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}`) +
		stepDelta(`{"index":1,"type":"code_interpreter","code_interpreter":{"input":"1+1"}}`) +
		stepDelta(`{"index":1,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"logs","logs":"2\n"}]}}`) +
		stepDelta(`{"index":1,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":1,"type":"image","image":{"file_id":"file-2"}}]}}`) +
		stepDelta(`{"index":2,"id":"call_3","type":"file_search","file_search":{"ranking_options":{"ranker":"auto","score_threshold":0.0},"results":[]}}`) +
		eventOf("thread.run.step.completed", strings.Replace(ended.Replace(calling), `"tool_calls":[]`, called1, 1)) +
		eventOf("thread.run.step.created", writing) +
		eventOf("thread.message.created", answering) + eventOf("thread.message.in_progress", answering) +
		messageDelta(`{"index":0,"type":"text","text":{"value":"Noon","annotations":[]}}`) +
		messageDelta(`{"index":0,"type":"text","text":{"value":"."}}`) +
		messageDelta(`{"index":0,"type":"text","text":{"value":"[1]","annotations":[{"index":0,`+citation+`,"quote":""}}]}}`) +
		messageDelta(`{"index":1,"type":"image_file","image_file":{"file_id":"file-2"}}`) +
		eventOf("thread.message.completed", written) + eventOf("thread.run.step.completed", ended.Replace(writing)) +
		eventOf("thread.run.completed", ended.Replace(runStatus("completed"))) + eventOf("done", "[DONE]")
}

func threadExchange(method, path, query, body, answer string) *recording.Exchange {
	e := exchange(method, "", query, body, http.StatusOK, answer)
	e.Path = "/v1/threads" + path
	e.ResponseHeaders["x-request-id"] = "req_1"
	if strings.HasPrefix(answer, "event: ") {
		e.ResponseHeaders["content-type"] = "text/event-stream; charset=utf-8"
	}
	return e
}

func page(item string) string {
	return `{"object":"list","data":[` + item + `],"first_id":"x","last_id":"x","has_more":false}`
}

const content = "include[]=step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content"

// conversation is one exchange of every kind.
func conversation() []*recording.Exchange {
	failing := strings.Replace(writingAll(), eventOf("thread.message.completed", written), "\x00", 1)
	failing, _, _ = strings.Cut(failing, "\x00")
	failing += eventOf("error", `{"error":{"message":"It failed.","type":"server_error","param":null,"code":null}}`)
	exchanges := []*recording.Exchange{
		0: threadExchange("POST", "", "", "", thread),
		1: threadExchange("POST", "/thread_1", "", `{"metadata":{"a":"b"}}`, thread),
		2: threadExchange("POST", "/thread_1/messages", "", `{"role":"user","content":[{"type":"text","text":"Hello."},`+
			`{"type":"image_url","image_url":{"url":"https://host.example/a.png"}}],`+
			`"attachments":[{"file_id":"file-1","tools":[{"type":"file_search"}]}]}`, message),
		3:  threadExchange("GET", "/thread_1/messages", "order=asc&run_id=run_1", "", page(message)),
		4:  threadExchange("POST", "/runs", "", `{"assistant_id":"asst_1","stream":true,"thread":{"messages":[{"role":"user","content":"Hello."}]}}`, writingAll()),
		5:  threadExchange("POST", "/thread_1/runs", content, `{"assistant_id":"asst_1","additional_messages":[],"stream":true}`, asking()),
		6:  threadExchange("POST", "/thread_1/runs", "", `{"assistant_id":"asst_1","stream":false,"tool_choice":{"type":"function","function":{"name":"now"}}}`, runStatus("queued")),
		7:  threadExchange("GET", "/thread_1/runs/run_1", "", "", waiting),
		8:  threadExchange("POST", "/thread_1/runs/run_1/submit_tool_outputs", "", `{"tool_outputs":[{"tool_call_id":"call_1","output":"noon"}]}`, runStatus("queued")),
		9:  threadExchange("GET", "/thread_1/runs/run_1/steps", content+"&limit=1", "", page(strings.Replace(ended.Replace(calling), `"tool_calls":[]`, called1, 1))),
		10: threadExchange("POST", "/thread_1/runs", "", `{"assistant_id":"asst_1","stream":true}`, failing),
		11: threadExchange("POST", "/thread_1/runs", "", `{"assistant_id":"asst_1","stream":true}`, strings.TrimSuffix(asking(), eventOf("done", "[DONE]"))),
		12: threadExchange("POST", "/thread_1", "", `{"metadata":{"a.b":true}}`, `{"error":{"message":"Invalid type.","type":"invalid_request_error","param":"metadata.a.b","code":"invalid_type"}}`),
	}
	exchanges[12].Status = http.StatusBadRequest
	for i, e := range exchanges {
		e.Seq = i
	}
	return exchanges
}

func TestNothingIsFoundInStreamsWhereNothingIsWrong(t *testing.T) {
	t.Parallel()
	counts, failures := Client(recording.File{Name: "made up", Exchanges: conversation()})
	for _, f := range failures {
		t.Errorf("%v", f)
	}
	counts.Passed = nil
	assert.Equal(t, Counts{Exchanges: 13, Requests: 13, Answers: 9, Streams: 4}, counts)
}

// streamChanges are to one exchange of the conversation each, with a part of what has to be found.
var streamChanges = []struct {
	name   string
	seq    int
	change func(*recording.Exchange)
	found  string
}{
	{"body of a thread", 0, func(e *recording.Exchange) { e.RequestBody = json.RawMessage(`{"metadata":{}}`) }, ""}, // the same
	{"key of a thread", 0, answer(`"metadata"`, `"more":1,"metadata"`), "client's answer: more: got nothing"},
	{"metadata", 1, body(`"a"`, `"a":"c","a"`), ""},
	{"key of a part", 2, body(`"url"`, `"uri"`), `unknown field "uri"`},
	{"role", 2, body(`"role":"user",`, ``), "message has no role"},
	{"attachment", 2, answer(`"file_search"`, `"file_search","more":1`), "client's answer: attachments[0].tools[0].more"},
	{"part", 2, answer(`"detail"`, `"details"`), "client's answer: content[1].image_url.details"},
	{"run of a list", 3, func(e *recording.Exchange) { e.Query = "order=asc&run_ids=run_1" }, `no field for "run_ids"`},
	{"text of a list", 3, answer(`"value":"Hello."`, `"value":null`), `client's answer: data[0].content[0].text.value: got "", want null`},
	{"not streamed", 4, body(`"stream":true`, `"stream":false`), "client's request: stream: got true, want false"},
	{"thread of a run", 4, body(`"messages"`, `"message"`), `unknown field "message"`},
	{"include", 5, func(e *recording.Exchange) { e.Query = "include=a" }, "client's request: query"},
	{"choice", 6, body(`"name":"now"`, `"nam":"now"`), "client's request"},
	{"stream of another answer", 6, body(`"stream":false`, `"stream":true`), "the answer is no stream"},
	{"required action", 7, answer(`"arguments"`, `"argument"`), "client's answer: required_action.submit_tool_outputs.tool_calls[0].function.argument:"},
	{"truncation", 7, answer(`"last_messages":null`, `"last_messages":null,"more":1`), "client's answer: truncation_strategy.more"},
	{"outputs", 8, body(`"output"`, `"outputs"`), `unknown field "outputs"`},
	{"result", 9, answer(`"score":0.5`, `"score":0.5,"more":1`), "client's answer: data[0].step_details.tool_calls[2].file_search.results[0].more"},
	{"usage", 9, answer(`"total_tokens":3`, `"all_tokens":3`), "client's answer: data[0].usage.all_tokens"},
	{"value that needs an option", 12, func(e *recording.Exchange) { e.RequestBody = json.RawMessage(`{"metadata":{"a.b":"c"}}`) }, ""},
	{"param", 12, answer(`"param":"metadata.a.b"`, `"param":7`), "client's answer"},

	{"name of an event", 4, answer("event: thread.message.created", "event: thread.message.begun"), "event 13, thread.message.begun: it holds 0 objects"},
	{"event after the end", 4, answer(eventOf("done", "[DONE]"), eventOf("done", "[DONE]")+eventOf("thread.created", thread)), "ended after 21 of"},
	{"frame of another form", 4, answer("event: thread.created", "id: 1\nevent: thread.created"), "event 1 of the recorded stream has another form"},
	{"data in two lines", 4, answer(`"object":"thread",`, "\"object\":\"thread\",\ndata: "), "has another form"},
	{"thread", 4, answer(`"object":"thread",`, `"object":"thread","more":1,`), "event 1, thread.created: more: got nothing"},
	{"run", 4, answer(`"object":"thread.run",`, `"object":"thread.run","more":1,`), "event 2, thread.run.created: more: got nothing"},
	{"step", 4, answer(`"object":"thread.run.step",`, `"object":"thread.run.step","more":1,`), "event 3, thread.run.step.created: more: got nothing"},
	{"delta of a step", 4, answer(`"id":"call_2",`, `"id":"call_2","more":1,`), "event 6, thread.run.step.delta: delta.step_details.tool_calls[0].more"},
	{"delta of a message", 4, answer(`"value":"Noon"`, `"value":"Noon","more":1`), "event 15, thread.message.delta: delta.content[0].text.more"},
	{"text", 4, answer(`"value":"Noon","a`, `"value":"Now","a`), `built from deltas: content[0].text.value: got "Now.[1]", want "Noon.[1]"`},
	{"annotation", 4, answer(`"start_index":5`, `"start_index":6`), "built from deltas: content[0].text.annotations[0].start_index: got 6, want 5"},
	{"image", 4, answer(`{"index":1,"type":"image_file","image_file":{"file_id":"file-2"}}`, ``), "built from deltas: content: got"},
	{"role of a message", 4, answer(`"role":"assistant"`, `"role":"user"`), "built from deltas: role"},
	{"output of a function", 4, answer(`"output":"noon"}}`, `"output":"nine"}}`), "built from deltas: step_details.tool_calls[0].function.output"},
	{"code", 4, answer(`"input":"1+1"`, `"input":"1+2"`), "built from deltas: step_details.tool_calls[1].code_interpreter.input"},
	{"logs", 4, answer(`"logs":"2\n"`, `"logs":"3\n"`), "built from deltas: step_details.tool_calls[1].code_interpreter.outputs[0].logs"},
	{"ranker", 4, answer(`"ranker":"auto"`, `"ranker":"other"`), "built from deltas: step_details.tool_calls[2].file_search.ranking_options.ranker"},
	{"delta of nothing", 4, answer(eventOf("thread.message.created", answering)+eventOf("thread.message.in_progress", answering), ""), "which is not being written"},
	{"message that is created twice", 4, answer("event: thread.message.in_progress", "event: thread.message.created"), "created twice"},
	{"run that has not ended", 4, answer(eventOf("thread.run.completed", ended.Replace(runStatus("completed"))),
		eventOf("thread.run.queued", runStatus("queued"))), "the stream was done and ended with the error"},
	{"arguments", 5, answer(`{\"zone\":"`, `{\"zone\":1"`), "calls of step step_1: [0].function.arguments"},
	{"name of a function", 5, answer(`"name":"now"`, `"name":"no"`), "calls of step step_1: [0].function.name"},
	{"no event at all", 5, func(e *recording.Exchange) { e.ResponseText = "" }, ""}, // recorded as broken off
	{"error of another form", 10, answer(`"message":"It failed."`, `"message":1`), "client's stream"},
	{"request id", 10, func(e *recording.Exchange) { e.ResponseHeaders["x-request-id"] = "" }, ""},
	{"end of a broken stream", 11, func(e *recording.Exchange) { e.ResponseText += eventOf("end", "[DONE]") }, "client's stream: the stream ended after 8 of 9"},
}

func TestEveryChangeOfAStreamIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range streamChanges {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := conversation()[c.seq]
			before, err := json.Marshal(e)
			require.NoError(t, err)
			c.change(e)
			after, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotEqual(t, string(before), string(after), "the change changes nothing")
			_, failures := Client(recording.File{Exchanges: []*recording.Exchange{e}})
			var all strings.Builder
			for _, f := range failures {
				all.WriteString(f.String() + "\n")
			}
			if c.found == "" {
				assert.Empty(t, all.String())
				return
			}
			assert.Contains(t, all.String(), c.found)
		})
	}
}

// An accumulator that loses something would be compared with what it lost, so no recording can show these.
func TestSummationFindsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := summation{passed: make(Passed)}
	m := &assistants.Message{ID: "msg_1", Object: "thread.message"}
	require.Empty(t, s.add(&assistants.Event{Type: assistants.EventMessageCreated, Message: m, Data: []byte(`{"id":"msg_1"}`)}))
	s.messages.set("msg_2", json.RawMessage(`{}`))
	s.run = json.RawMessage(`{"id":"run_1"}`)
	all := strings.Join(s.check(new(assistants.Stream)), "\n")
	assert.Contains(t, all, "got 1 messages and 0 steps, want 2 and 0")
	assert.Contains(t, all, "run: ")
	assert.Contains(t, all, "run of the stream: ")
	assert.Contains(t, all, "messages: ")
}

// followed is a run that is looked at until it asks for a function, and again until it is done.
func followed() []*recording.Exchange {
	const path = "/thread_1/runs/run_1"
	return []*recording.Exchange{
		threadExchange("POST", "/thread_1/runs", "", `{"assistant_id":"asst_1"}`, runStatus("queued")),
		threadExchange("GET", path, "", "", runStatus("in_progress")),
		threadExchange("GET", "/thread_1/messages", "", "", page(message)), // which is not about the run
		threadExchange("GET", path, "", "", waiting),
		threadExchange("POST", path+"/submit_tool_outputs", "", `{"tool_outputs":[{"tool_call_id":"call_1","output":"noon"}]}`, runStatus("queued")),
		threadExchange("GET", path, "", "", ended.Replace(runStatus("completed"))),
	}
}

func TestRunsAreFollowedToTheirEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change   func([]*recording.Exchange) []*recording.Exchange
		followed int
		found    string
	}{
		"as it was":           {func(all []*recording.Exchange) []*recording.Exchange { return all }, 1, ""},
		"run that never ends": {func(all []*recording.Exchange) []*recording.Exchange { return all[:5] }, 0, ""},
		"run that waits":      {func(all []*recording.Exchange) []*recording.Exchange { return all[:4] }, 1, ""},
		"other output": {func(all []*recording.Exchange) []*recording.Exchange {
			body("call_1", "call_2")(all[4])
			return all
		}, 1, "request 4: tool_outputs[0].tool_call_id"},
		"other end": {func(all []*recording.Exchange) []*recording.Exchange {
			answer(`"model"`, `"more":1,"model"`)(all[5])
			return all
		}, 1, "more: got nothing, want 1"},
		"other request": {func(all []*recording.Exchange) []*recording.Exchange {
			all[1].Query = "a=b"
			return all
		}, 1, "request 2: query"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followed, failures := Runs(recording.File{Exchanges: c.change(followed())})
			assert.Equal(t, c.followed, followed)
			if c.found == "" {
				assert.Empty(t, failures)
			} else if assert.Len(t, failures, 1) {
				assert.Contains(t, failures[0].String(), c.found)
			}
		})
	}
}
