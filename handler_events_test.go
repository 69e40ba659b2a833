package assistants_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A diary is what the functions of a handler were told, a line a call.
type diary struct{ lines []string }

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) handler() assistants.Handler {
	return assistants.Handler{
		OnMessageCreated: func(m *assistants.Message) { d.note("message created %s %s", m.ID, m.Status) },
		OnMessageDelta: func(delta *assistants.MessageDelta, m *assistants.Message) {
			d.note("message delta %s %q of %s", delta.ID, delta.Text(), briefly(m.Content))
		},
		OnMessageDone: func(m *assistants.Message) { d.note("message done %s %s %s", m.ID, m.Status, briefly(m.Content)) },
		OnTextCreated: func(text *assistants.Text) { d.note("text created %q", text.Value) },
		OnText:        func(delta, snapshot string) { d.note("text %q of %q", delta, snapshot) },
		OnTextDone:    func(text *assistants.Text) { d.note("text done %q %d", text.Value, len(text.Annotations)) },
		OnImageFile:   func(image *assistants.ImageFile) { d.note("image %s", image.FileID) },
		OnToolCall:    func(call *assistants.ToolCall) { d.note("call %s %s", call.ID, call.Type) },
		OnToolCallDelta: func(delta *assistants.ToolCallDelta, call *assistants.ToolCall) {
			d.note("call delta %d of %s", delta.Index, briefly(call))
		},
		OnToolCallDone:   func(call *assistants.ToolCall) { d.note("call done %s", briefly(call)) },
		OnRunStepCreated: func(step *assistants.RunStep) { d.note("step created %s %s", step.ID, step.Type) },
		OnRunStepDelta: func(delta *assistants.RunStepDelta, step *assistants.RunStep) {
			d.note("step delta %s of %d", delta.ID, len(step.StepDetails.ToolCalls))
		},
		OnRunStepDone: func(step *assistants.RunStep) { d.note("step done %s %s", step.ID, step.Status) },
		OnEnd:         func() { d.note("end") },
		OnError:       func(err error) { d.note("error") },
	}
}

// briefly is the JSON of v, without what makes it long.
func briefly(v any) string {
	encoded, _ := json.Marshal(v)
	return strings.NewReplacer(`"type":`, "", `"text":`, "", `"value":`, "", `"annotations":`, "", `"function":`, "", `"code_interpreter":`, "",
		`"arguments":`, "", `"name":`, "", `"id":`, "", `"input":`, "", `"outputs":`, "", `"logs":`, "", `"image":`, "", `"file_id":`, "", `\"`, "'", `"`, "").Replace(string(encoded))
}

// told is what a handler is told of a stream.
func told(t *testing.T, body string) ([]string, error) {
	t.Helper()
	var d diary
	var err error
	require.NotPanics(t, func() { _, err = streamOf(t, body).Handle(d.handler()) })
	return d.lines, err
}

// Which functions are called, with what, and in which order.
func TestHandlerCalls(t *testing.T) {
	t.Parallel()
	answered := `step created step_m message_creation
message created msg_1 in_progress
message delta msg_1 "Hel" of [{text,{Hel,[]}}]
text created "Hel"
text "Hel" of "Hel"
message delta msg_1 "lo €\n" of [{text,{Hello €\n,[]}}]
text "lo €\n" of "Hello €\n"
text done "Hello €\n" 0
message done msg_1 completed [{text,{Hello €\n,[]}}]
step done step_m completed
end`
	for name, test := range map[string]struct{ body, want string }{
		"text":   {streams()["text"], answered},
		"thread": {streams()["thread"], answered},
		"function": {streams()["function"], `step created step_t tool_calls
step delta step_t of 1
call call_a function
call delta 0 of {call_a,function,{weather,}}
step delta step_t of 1
call delta 0 of {call_a,function,{weather,{'city':}}
step delta step_t of 1
call delta 0 of {call_a,function,{weather,{'city':'Rome'}}}
step delta step_t of 2
call done {call_a,function,{weather,{'city':'Rome'}}}
call call_b function
call delta 1 of {call_b,function,{time,}}
step delta step_t of 2
call delta 1 of {call_b,function,{time,{}}}
call done {call_b,function,{time,{}}}
end`},
		"submission": {streams()["submission"], "step done step_t completed\n" + answered},
		"code": {streams()["code"], `step created step_t tool_calls
step delta step_t of 1
call call_c code_interpreter
call delta 0 of {call_c,code_interpreter,{,[]}}
step delta step_t of 1
call delta 0 of {call_c,code_interpreter,{print,[]}}
step delta step_t of 1
call delta 0 of {call_c,code_interpreter,{print(6*7),[]}}
step delta step_t of 1
call delta 0 of {call_c,code_interpreter,{print(6*7),[{logs,4}]}}
step delta step_t of 1
call delta 0 of {call_c,code_interpreter,{print(6*7),[{logs,42\n},{image,{file-p}}]}}
call done {call_c,code_interpreter,{print(6*7),[{logs,42\n},{image,{file-p}}]}}
step done step_t completed
step created step_m message_creation
message created msg_1 in_progress
message delta msg_1 "" of [{image_file,image_file:{file-p}}]
image file-p
message delta msg_1 "It is 42." of [{image_file,image_file:{file-p}},{text,{It is 42.,[]}}]
text created "It is 42."
text "It is 42." of "It is 42."
text done "It is 42." 0
message done msg_1 completed [{image_file,image_file:{file-p}},{text,{It is 42.,[]}}]
step done step_m completed
end`},
		"incomplete": {streams()["incomplete"], `step created step_m message_creation
message created msg_1 in_progress
message delta msg_1 "Hel" of [{text,{Hel,[]}}]
text created "Hel"
text "Hel" of "Hel"
text done "Hel" 0
message done msg_1 incomplete [{text,{Hel,[]}}]
step done step_m completed
end`},
		"failed": {streams()["failed"], `step created step_m message_creation
message created msg_1 in_progress
message delta msg_1 "Hel" of [{text,{Hel,[]}}]
text created "Hel"
text "Hel" of "Hel"
text done "Hel" 0
message done msg_1 incomplete [{text,{Hel,[]}}]
step done step_m failed
end`},
		"refusal": {streams()["refusal"], `message created msg_1 in_progress
message delta msg_1 "" of [{refusal,refusal:I c}]
message delta msg_1 "" of [{refusal,refusal:I cannot.}]
message done msg_1 completed [{refusal,refusal:I cannot.}]
end`},
		"two texts, no deltas for the third": {sse("run.created "+aRun("queued"), messageBegun, addText("msg_1", 0, "a"), addText("msg_1", 1, "b"),
			"message.completed "+aMessage("msg_1", "completed", aText("a")+","+aText("b")+","+aText("c")), "run.completed "+aRun("completed"), "done"),
			`message created msg_1 in_progress
message delta msg_1 "a" of [{text,{a,[]}}]
text created "a"
text "a" of "a"
message delta msg_1 "b" of [{text,{a,[]}},{text,{b,[]}}]
text done "a" 0
text created "b"
text "b" of "b"
text done "b" 0
text created "c"
text done "c" 0
message done msg_1 completed [{text,{a,[]}},{text,{b,[]}},{text,{c,[]}}]
end`},
		"no deltas": {sse(stepBegun, "run.step.completed "+aStep("step_t", "completed", callA+","+code), messageBegun,
			"message.completed "+aMessage("msg_1", "completed", `{"type":"image_file","image_file":{"file_id":"file-p"}}`), "run.completed "+aRun("completed"), "done"),
			`step created step_t tool_calls
call call_a function
call done {call_a,function,{weather,{'city':'Rome'}}}
call call_c code_interpreter
call done {call_c,code_interpreter,{print(6*7),[{logs,42\n},{image,{file-p}}]}}
step done step_t completed
message created msg_1 in_progress
image file-p
message done msg_1 completed [{image_file,image_file:{file-p}}]
end`},
		"taken back": {sse(messageBegun, addText("msg_1", 0, "a"), addText("msg_1", 2, "c"), "message.in_progress "+aMessage("msg_1", "in_progress", aText("z")),
			addContent("msg_1", `{"index":0,"type":"text","text":{"value":"b"}}`), "message.completed "+aMessage("msg_1", "completed", aText("zb")), "run.completed "+aRun("completed"), "done"),
			`message created msg_1 in_progress
message delta msg_1 "a" of [{text,{a,[]}}]
text created "a"
text "a" of "a"
message delta msg_1 "c" of [{text,{a,[]}},{},{text,{c,[]}}]
text done "a" 0
text created "c"
text "c" of "c"
message delta msg_1 "b" of [{text,{zb,[]}}]
text done "" 0
text "b" of "zb"
message done msg_1 completed [{text,{zb,[]}}]
end`},
		"emptied at the end": {sse(messageBegun, addText("msg_1", 0, "a"), "message.completed "+aMessage("msg_1", "completed", ""), "run.completed "+aRun("completed"), "done"),
			`message created msg_1 in_progress
message delta msg_1 "a" of [{text,{a,[]}}]
text created "a"
text "a" of "a"
message done msg_1 completed []
end`},
		"calls taken back": {sse(stepBegun, addCalls("step_t", `{"index":0,"id":"a","type":"function"},{"index":1,"id":"b","type":"function"}`),
			"run.step.in_progress "+aStep("step_t", "in_progress", callA), "run.requires_action "+aRun("requires_action"), "done"),
			`step created step_t tool_calls
step delta step_t of 2
call a function
call delta 0 of {a,function}
call done {a,function}
call b function
call delta 1 of {b,function}
end`},
		"cut": {sse(messageBegun, addText("msg_1", 0, "a")), `message created msg_1 in_progress
message delta msg_1 "a" of [{text,{a,[]}}]
text created "a"
text "a" of "a"
error`},
		"an error": {sse(messageBegun, "error {}"), "message created msg_1 in_progress\nerror"},
		"nothing":  {"", "error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := told(t, test.body)
			assert.Equal(t, test.want, strings.Join(lines, "\n"))
			assert.Equal(t, strings.HasSuffix(test.want, "end"), err == nil, "%v", err)
		})
	}
}

// OnEvent sees all events, each before the others see what is in it, and nil functions are left out.
func TestHandlerOnEvent(t *testing.T) {
	t.Parallel()
	for name, body := range streams() {
		var d diary
		h := d.handler()
		h.OnEvent = func(event *assistants.Event) { d.note("event %s", event.Type) }
		_, err := streamOf(t, body).Handle(h)
		require.NoError(t, err, name)
		events := strings.Count(body, "event: thread.")
		seen := 0
		for i, line := range d.lines {
			if strings.HasPrefix(line, "event ") {
				seen++
			}
			for what, of := range map[string]string{"step delta": "event thread.run.step.delta", "message created": "event thread.message.created", "message delta": "event thread.message.delta"} {
				if strings.HasPrefix(line, what) {
					assert.Equal(t, of, d.lines[i-1])
				}
			}
		}
		assert.Equal(t, events, seen, name)

		seen, ended := 0, 0
		_, err = streamOf(t, body).Handle(assistants.Handler{OnEvent: func(*assistants.Event) { seen++ }, OnEnd: func() { ended++ }})
		require.NoError(t, err)
		assert.Equal(t, events, seen)
		assert.Equal(t, 1, ended)
		_, err = streamOf(t, body).Handle(assistants.Handler{OnText: func(string, string) {}})
		require.NoError(t, err)
	}
}

// A handler that begins in the middle is told of what follows.
func TestHandlerInTheMiddle(t *testing.T) {
	t.Parallel()
	s := streamOf(t, sse(textEvents...))
	for text, err := range s.Text() {
		require.NoError(t, err)
		require.Equal(t, "Hel", text)
		break
	}
	var d diary
	run, err := s.Handle(d.handler())
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)
	assert.Equal(t, `message delta msg_1 "lo €\n" of [{text,{Hello €\n,[]}}]
text created "Hello €\n"
text "lo €\n" of "Hello €\n"
text done "Hello €\n" 0
message done msg_1 completed [{text,{Hello €\n,[]}}]
step done step_m completed
end`, strings.Join(d.lines, "\n"))
	var again diary
	_, err = s.Handle(again.handler())
	require.NoError(t, err)
	assert.Equal(t, []string{"end"}, again.lines)
}

// What a handler is given stays as it is.
func TestHandlerSnapshots(t *testing.T) {
	t.Parallel()
	for name, body := range streams() {
		type given struct {
			thing any
			json  string
		}
		var all []given
		keep := func(things ...any) {
			for _, thing := range things {
				encoded, err := json.Marshal(thing)
				require.NoError(t, err)
				all = append(all, given{thing, string(encoded)})
			}
		}
		_, err := streamOf(t, body).Handle(assistants.Handler{
			OnEvent:          func(e *assistants.Event) { keep(e) },
			OnMessageCreated: func(m *assistants.Message) { keep(m) },
			OnMessageDelta:   func(d *assistants.MessageDelta, m *assistants.Message) { keep(d, m) },
			OnMessageDone:    func(m *assistants.Message) { keep(m) },
			OnTextCreated:    func(text *assistants.Text) { keep(text) },
			OnTextDone:       func(text *assistants.Text) { keep(text) },
			OnImageFile:      func(i *assistants.ImageFile) { keep(i) },
			OnToolCall:       func(c *assistants.ToolCall) { keep(c) },
			OnToolCallDelta:  func(d *assistants.ToolCallDelta, c *assistants.ToolCall) { keep(d, c) },
			OnToolCallDone:   func(c *assistants.ToolCall) { keep(c) },
			OnRunStepCreated: func(s *assistants.RunStep) { keep(s) },
			OnRunStepDelta:   func(d *assistants.RunStepDelta, s *assistants.RunStep) { keep(d, s) },
			OnRunStepDone:    func(s *assistants.RunStep) { keep(s) },
		})
		require.NoError(t, err, name)
		require.NotEmpty(t, all)
		for _, g := range all {
			encoded, err := json.Marshal(g.thing)
			require.NoError(t, err)
			assert.Equal(t, g.json, string(encoded))
		}
	}
}

// A function of a handler may close the stream, look at it, or read it itself: others read on while it is told of an
// event, and what that event told of may be gone.
func TestHandlerReenters(t *testing.T) {
	t.Parallel()
	s := streamOf(t, sse(textEvents...))
	var failed error
	_, err := s.Handle(assistants.Handler{
		OnText:  func(string, string) { assert.NoError(t, s.Close()) },
		OnError: func(err error) { failed = err },
	})
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.Equal(t, err, failed)

	for name, test := range map[string]struct {
		events []string
		reads  assistants.EventType
	}{
		"a shorter step": {[]string{stepBegun, addCalls("step_t", `{"index":1,"id":"b","type":"function"}`),
			"run.step.completed " + aStep("step_t", "completed", "")}, assistants.EventRunStepDelta},
		"a shorter message": {[]string{messageBegun, addText("msg_1", 1, "a"),
			"message.completed " + aMessage("msg_1", "completed", "")}, assistants.EventMessageDelta},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := streamOf(t, sse(append(test.events, "run.completed "+aRun("completed"), "done")...))
			h := new(diary).handler()
			h.OnEvent = func(event *assistants.Event) {
				if event.Type == test.reads {
					for range s.Events() {
						break
					}
				}
			}
			panicked := true
			func() {
				defer func() { recover() }()
				_, err := s.Handle(h)
				assert.NoError(t, err)
				panicked = false
			}()
			assert.False(t, panicked)
		})
	}
}

// Handling ten times the calls costs about ten times as much, with functions for them or without.
func TestHandlerLinear(t *testing.T) {
	for name, h := range map[string]assistants.Handler{
		"nothing": {},
		"calls":   {OnToolCall: func(*assistants.ToolCall) {}, OnToolCallDelta: func(*assistants.ToolCallDelta, *assistants.ToolCall) {}, OnToolCallDone: func(*assistants.ToolCall) {}},
		"text":    {OnText: func(string, string) {}, OnMessageDelta: func(*assistants.MessageDelta, *assistants.Message) {}},
	} {
		cost := func(n int) uint64 {
			events := []string{"run.created " + aRun("queued"), stepBegun, messageBegun}
			for i := range n {
				events = append(events, addCalls("step_t", fmt.Sprintf(`{"index":%d,"type":"function","function":{"name":"f"}}`, i)), addText("msg_1", 0, "twelve bytes"))
			}
			s := streamOf(t, sse(append(events, "run.requires_action "+aRun("requires_action"), "done")...))
			return bytesAllocated(func() {
				_, err := s.Handle(h)
				require.NoError(t, err)
			})
		}
		assert.Less(t, float64(cost(1000)), 15*float64(cost(100)), name)
	}
}

// Hostile deltas never reach a handler as a panic.
func TestHandlerHostile(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"negative call":    {stepBegun, addCalls("step_t", `{"index":-1}`)},
		"negative part":    {messageBegun, addContent("msg_1", `{"index":-1,"text":{}}`)},
		"no message":       {addText("msg_1", 0, "a")},
		"no step":          {addCalls("step_t", `{"index":0}`)},
		"a part that ends": {messageBegun, addContent("msg_1", `{"index":0,"text":{"value":"a"}},{"index":0,"type":"text"},{"index":0,"type":"refusal"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := told(t, sse(append(events, "run.completed "+aRun("completed"), "done")...))
			require.Error(t, err)
			assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, "error", lines[len(lines)-1])
		})
	}
	for name, events := range map[string][]string{
		"null deltas":     {messageBegun, addContent("msg_1", `null`), `message.delta {"id":"msg_1","delta":null}`, stepBegun, addCalls("step_t", `null`), `run.step.delta {"id":"step_t"}`},
		"null in the end": {messageBegun, addText("msg_1", 0, "a"), "message.completed " + aMessage("msg_1", "completed", `null,{"type":"text","text":null}`), "run.step.completed " + aStep("step_t", "completed", "null")},
		"no details":      {"run.step.created " + aStep("step_t", "in_progress", "", `"step_details":null`), "run.step.completed " + aStep("step_t", "completed", "", `"step_details":null`)},
		"an empty text":   {messageBegun, addContent("msg_1", `{"index":0,"type":"text","text":{"value":""}}`), addContent("msg_1", `{"index":0,"type":"text","text":{}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := told(t, sse(append(events, "run.completed "+aRun("completed"), "done")...))
			require.NoError(t, err)
			assert.Equal(t, "end", lines[len(lines)-1])
		})
	}
}
