package assistants_test

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// add adds events, written as for sse, that must fit.
func add(t testing.TB, a *assistants.Accumulator, events ...string) {
	t.Helper()
	for _, event := range parsedEvents(t, events...) {
		require.NoError(t, a.Add(event))
	}
}

// parsedEvents are the events of a stream.
func parsedEvents(t testing.TB, events ...string) (parsed []*assistants.Event) {
	t.Helper()
	for _, event := range events {
		name, data, _ := strings.Cut(event, " ")
		e := &assistants.Event{Type: assistants.EventType("thread." + name), Data: json.RawMessage(data)}
		switch {
		case name == "done":
			continue
		case name == "message.delta":
			e.MessageDelta = decoded[assistants.MessageDelta](t, data)
		case name == "run.step.delta":
			e.RunStepDelta = decoded[assistants.RunStepDelta](t, data)
		case strings.HasPrefix(name, "message."):
			e.Message = decoded[assistants.Message](t, data)
		case strings.HasPrefix(name, "run.step."):
			e.RunStep = decoded[assistants.RunStep](t, data)
		case strings.HasPrefix(name, "run."):
			e.Run = decoded[assistants.Run](t, data)
		case name == "created":
			e.Thread = decoded[assistants.Thread](t, data)
		}
		parsed = append(parsed, e)
	}
	return parsed
}

var (
	messageBegun = "message.created " + aMessage("msg_1", "in_progress", "")
	stepBegun    = "run.step.created " + aStep("step_t", "in_progress", "")
)

// What deltas add up to is what the service says at the end, but for the empty quote of a citation.
func TestAccumulatorDeltas(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"text": textEvents, "code": codeEvents, "search": searchEvents, "function": functionEvents, "refusal": refusalEvents, "incomplete": incompleteEvents,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a assistants.Accumulator
			compared := 0
			for _, event := range parsedEvents(t, events...) {
				switch event.Type {
				case assistants.EventMessageCompleted, assistants.EventMessageIncomplete:
					messages := a.Messages()
					require.Len(t, messages, 1)
					assert.Equal(t, event.Message.Content, messages[0].Content)
					compared++
				case assistants.EventRunStepCompleted:
					steps := a.Steps()
					if strings.Contains(string(event.Data), `"file_search"`) {
						steps[len(steps)-1].StepDetails.ToolCalls[0].FileSearch.Results = event.RunStep.StepDetails.ToolCalls[0].FileSearch.Results // which no delta brings
					}
					assert.Equal(t, event.RunStep.StepDetails, steps[len(steps)-1].StepDetails)
					compared++
				case assistants.EventRunRequiresAction:
					assert.Equal(t, event.Run.FunctionCalls(), a.Steps()[0].StepDetails.ToolCalls)
					compared++
				}
				require.NoError(t, a.Add(event))
			}
			assert.Positive(t, compared)
			assert.Nil(t, a.Thread())
			assert.NotNil(t, a.Run())
		})
	}
}

func TestAccumulatorZero(t *testing.T) {
	t.Parallel()
	var a assistants.Accumulator
	assert.Nil(t, a.Run())
	assert.Nil(t, a.Thread())
	assert.Empty(t, a.Messages())
	assert.Empty(t, a.Steps())
	require.Error(t, a.Add(nil))
	require.NoError(t, a.Add(new(assistants.Event)))
	require.NoError(t, a.Add(&assistants.Event{Type: "thread.news", Data: json.RawMessage(`{}`)}))
	add(t, &a, "created "+aThread(), "run.created "+aRun("queued"))
	assert.Equal(t, "thread_1", a.Thread().ID)
	assert.Equal(t, "run_1", a.Run().ID)
	assert.Empty(t, a.Messages())
}

// Deltas by index, by type, and over what was there.
func TestAccumulatorAdditions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events []string
		want   string // content of the message, or calls of the step
	}{
		"parts out of order": {[]string{messageBegun, addText("msg_1", 2, "c"), addText("msg_1", 0, "a"), addText("msg_1", 2, "d")},
			`[` + aText("a") + `,{},` + aText("cd") + `]`},
		"several parts in a delta": {[]string{messageBegun, addContent("msg_1", `{"index":0,"type":"text","text":{"value":"a"}},{"index":1,"type":"text","text":{"value":"b"}},{"index":0,"type":"text","text":{"value":"c"}}`)},
			`[` + aText("ac") + `,` + aText("b") + `]`},
		"nulls": {[]string{messageBegun, addContent("msg_1", `{"index":0,"type":"text","text":{"value":null,"annotations":null}}`),
			addContent("msg_1", `{"index":0,"type":null,"text":null,"refusal":null,"image_file":null}`), addText("msg_1", 0, "a"),
			`message.delta {"id":"msg_1","delta":null}`, `message.delta {"id":"msg_1","delta":{"content":null,"role":null}}`, `message.delta {"id":"msg_1"}`},
			`[` + aText("a") + `]`},
		"an image": {[]string{messageBegun, addContent("msg_1", `{"index":0,"type":"image_url","image_url":{"url":"u","detail":"low"}}`)}, `[{"type":"image_url","image_url":{"url":"u","detail":"low"}}]`},
		"no types": {[]string{messageBegun, addContent("msg_1", `{"index":0,"text":{"value":"a"}}`), addText("msg_1", 0, "b")}, `[` + aText("ab") + `]`},
		"an annotation again": {[]string{messageBegun, addContent("msg_1", `{"index":0,"type":"text","text":{"value":"a","annotations":[{"index":1,"type":"file_path","text":"x"}]}}`),
			addContent("msg_1", `{"index":0,"type":"text","text":{"annotations":[{"index":1,"type":"file_path","text":"y","start_index":3}]}}`)},
			`[` + aText("a", `{}`, `{"type":"file_path","text":"y","start_index":3}`) + `]`},
		"upon what was there": {[]string{"message.created " + aMessage("msg_1", "in_progress", aText("ab", `{"type":"file_path","text":"x"}`)+`,{"type":"refusal","refusal":"I "}`),
			addText("msg_1", 0, "c"), addContent("msg_1", `{"index":1,"type":"refusal","refusal":"no"}`), addContent("msg_1", `{"index":0,"text":{"annotations":[{"index":1,"text":"z"}]}}`)},
			`[` + aText("abc", `{"type":"file_path","text":"x"}`, `{"text":"z"}`) + `,{"type":"refusal","refusal":"I no"}]`},
		"in progress again": {[]string{messageBegun, addText("msg_1", 0, "a"), "message.in_progress " + aMessage("msg_1", "in_progress", ""), addText("msg_1", 0, "b")},
			`[` + aText("ab") + `]`},
		"in progress, another": {[]string{messageBegun, addText("msg_1", 0, "a"), addText("msg_1", 1, "a"), "message.in_progress " + aMessage("msg_1", "in_progress", aText("x")), addText("msg_1", 0, "b")},
			`[` + aText("xb") + `]`},
		"not created":  {[]string{"message.in_progress " + aMessage("msg_1", "in_progress", ""), addText("msg_1", 0, "a")}, `[` + aText("a") + `]`},
		"a type alone": {[]string{messageBegun, addContent("msg_1", `{"index":0,"type":"text"}`)}, `[{"type":"text"}]`},

		"calls out of order": {[]string{stepBegun, addCalls("step_t", `{"index":1,"id":"b","type":"function","function":{"name":"f","arguments":"1"}}`), addCalls("step_t", `{"index":0,"id":"a","type":"function","function":{"name":"g","arguments":"2"}}`),
			addCalls("step_t", `{"index":1,"type":"function","function":{"arguments":"3"}}`)},
			`[{"id":"a","type":"function","function":{"name":"g","arguments":"2"}},{"id":"b","type":"function","function":{"name":"f","arguments":"13"}}]`},
		"names again": {[]string{stepBegun, addCalls("step_t", `{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"1"}}`),
			addCalls("step_t", `{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"2","output":"o"}}`)},
			`[{"id":"a","type":"function","function":{"name":"f","arguments":"12","output":"o"}}]`},
		"upon calls": {[]string{"run.step.created " + aStep("step_t", "in_progress", callA+","+code), addCalls("step_t", `{"index":0,"function":{"arguments":" "}},{"index":1,"code_interpreter":{"input":"#","outputs":[{"index":0,"logs":"!"},{"index":2,"type":"logs","logs":"?"}]}}`)},
			`[{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"} "}},{"id":"call_c","type":"code_interpreter","code_interpreter":{"input":"print(6*7)#","outputs":[{"type":"logs","logs":"42\n!"},{"type":"image","image":{"file_id":"file-p"}},{"type":"logs","logs":"?"}]}}]`},
		"MCP": {[]string{stepBegun, addCalls("step_t", `{"index":0,"id":"a","type":"mcp","name":"n","server_label":"s","arguments":"1"}`), addCalls("step_t", `{"index":0,"type":"mcp","arguments":"2","output":"o"}`)},
			`[{"id":"a","type":"mcp","name":"n","server_label":"s","arguments":"12","output":"o"}]`},
		"nulls in calls": {[]string{stepBegun, addCalls("step_t", `{"index":0,"id":null,"type":null,"function":null,"code_interpreter":null,"file_search":null}`), `run.step.delta {"id":"step_t","delta":null}`,
			`run.step.delta {"id":"step_t","delta":{"step_details":null}}`, `run.step.delta {"id":"step_t","delta":{"step_details":{"type":null,"tool_calls":null,"message_creation":null}}}`,
			addCalls("step_t", `{"index":0,"id":"c","type":"code_interpreter","code_interpreter":{"input":null,"outputs":null}}`)},
			`[{"id":"c","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a assistants.Accumulator
			add(t, &a, test.events...)
			if steps := a.Steps(); len(steps) > 0 {
				assert.Equal(t, *decoded[[]assistants.ToolCall](t, test.want), steps[0].StepDetails.ToolCalls)
				return
			}
			assert.Equal(t, *decoded[[]assistants.ContentPart](t, test.want), a.Messages()[0].Content)
		})
	}
}

// What cannot be is an error, and changes little: never a panic, never much memory.
func TestAccumulatorRefuses(t *testing.T) {
	t.Parallel()
	message := func(index any) string {
		return addContent("msg_1", fmt.Sprintf(`{"index":%v,"type":"text","text":{"value":"x"}}`, index))
	}
	annotation := func(index any) string {
		return addContent("msg_1", fmt.Sprintf(`{"index":0,"type":"text","text":{"value":"x","annotations":[{"index":%v}]}}`, index))
	}
	call := func(index any) string {
		return addCalls("step_t", fmt.Sprintf(`{"index":%v,"type":"function","function":{"arguments":"x"}}`, index))
	}
	output := func(index any) string {
		return addCalls("step_t", fmt.Sprintf(`{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":%v,"type":"logs","logs":"x"}]}}`, index))
	}
	cases := map[string][]string{
		"a delta before its message": {message(0)},
		"a delta before its step":    {call(0)},
		"a delta of another message": {messageBegun, addText("msg_2", 0, "x")},
		"a delta after its end":      {messageBegun, "message.completed " + aMessage("msg_1", "completed", ""), message(0)},
		"a delta after breaking off": {messageBegun, "message.incomplete " + aMessage("msg_1", "incomplete", ""), message(0)},
		"a message twice":            {messageBegun, messageBegun},
		"a step twice":               {stepBegun, stepBegun},
		"text for a refusal":         {messageBegun, addContent("msg_1", `{"index":0,"type":"refusal","refusal":"x"}`), message(0)},
		"a search for a function":    {stepBegun, call(0), addCalls("step_t", `{"index":0,"type":"file_search","file_search":{}}`)},
		"an image for logs":          {stepBegun, output(0), addCalls("step_t", `{"index":0,"code_interpreter":{"outputs":[{"index":0,"type":"image","image":{"file_id":"f"}}]}}`)},
	}
	for _, end := range []string{"completed", "failed", "cancelled", "expired"} {
		cases["a delta after "+end] = []string{stepBegun, "run.step." + end + " " + aStep("step_t", end, ""), call(0)}
	}
	for _, index := range []any{-1, math.MinInt, 1025, 1 << 31, math.MaxInt - 1, math.MaxInt} {
		cases[fmt.Sprint("part ", index)] = []string{messageBegun, message(index)}
		cases[fmt.Sprint("annotation ", index)] = []string{messageBegun, annotation(index)}
		cases[fmt.Sprint("call ", index)] = []string{stepBegun, call(index)}
		cases[fmt.Sprint("output ", index)] = []string{stepBegun, output(index)}
	}
	for _, index := range []any{-1, 1026, math.MaxInt} { // behind one
		cases[fmt.Sprint("second part ", index)] = []string{messageBegun, message(0), message(index)}
		cases[fmt.Sprint("second annotation ", index)] = []string{messageBegun, annotation(0), annotation(index)}
		cases[fmt.Sprint("second call ", index)] = []string{stepBegun, call(0), call(index)}
		cases[fmt.Sprint("second output ", index)] = []string{stepBegun, output(0), output(index)}
	}
	for name, events := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a assistants.Accumulator
			add(t, &a, events[:len(events)-1]...)
			var err error
			require.NotPanics(t, func() { err = a.Add(parsedEvents(t, events[len(events)-1])[0]) })
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), "assistants: "), err)
			a.Messages()
			a.Steps()

			_, err = streamOf(t, sse(append(append(beginning[:3:3], events...), "run.completed "+aRun("completed"), "done")...)).Wait()
			require.Error(t, err)
			apiError(t, err)
		})
	}
	for name, events := range map[string][]string{ // the farthest that is allowed
		"part": {messageBegun, message(1024), message(2049)}, "annotation": {messageBegun, annotation(1024), annotation(2049)},
		"call": {stepBegun, call(1024), call(2049)}, "output": {stepBegun, output(1024), output(2049)},
	} {
		t.Run("no "+name, func(t *testing.T) {
			t.Parallel()
			var a assistants.Accumulator
			add(t, &a, events...)
		})
	}
}

// Deltas that make much of little meet the bound before they fill the memory, wherever they hide it.
func TestAccumulatorBound(t *testing.T) {
	t.Parallel()
	far := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, (i+1)*1024) }
	}
	long := strings.Repeat("x", 4096)
	for name, event := range map[string]func(int) string{
		"parts":       far(addContent("msg_1", `{"index":%d,"type":"text"}`)),
		"annotations": far(addContent("msg_1", `{"index":0,"type":"text","text":{"annotations":[{"index":%d}]}}`)),
		"calls":       far(addCalls("step_t", `{"index":%d,"type":"function"}`)),
		"outputs":     far(addCalls("step_t", `{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":%d}]}}`)),
		"many messages": func(i int) string {
			return "message.created " + aMessage(fmt.Sprint("m", i), "in_progress", "", `"metadata":{"x":"`+long+`"}`)
		},
		"many steps": func(i int) string {
			return "run.step.created " + aStep(fmt.Sprint("s", i), "in_progress", "", `"x":"`+long+`"`)
		},
		"text":          func(int) string { return addText("msg_1", 0, long) },
		"refusal":       func(int) string { return addContent("msg_1", `{"index":0,"type":"text","refusal":"`+long+`"}`) },
		"arguments":     func(int) string { return addCalls("step_t", `{"index":0,"function":{"arguments":"`+long+`"}}`) },
		"MCP arguments": func(int) string { return addCalls("step_t", `{"index":0,"arguments":"`+long+`"}`) },
		"input":         func(int) string { return addCalls("step_t", `{"index":0,"code_interpreter":{"input":"`+long+`"}}`) },
		"logs": func(int) string {
			return addCalls("step_t", `{"index":0,"code_interpreter":{"outputs":[{"index":0,"logs":"`+long+`"}]}}`)
		},
		"ids of calls": func(i int) string { return addCalls("step_t", fmt.Sprintf(`{"index":%d,"id":"%s"}`, i, long)) },
		"names of calls": func(i int) string {
			return addCalls("step_t", fmt.Sprintf(`{"index":%d,"function":{"name":"%s"}}`, i, long))
		},
		"what was found": func(i int) string {
			return addCalls("step_t", fmt.Sprintf(`{"index":%d,"file_search":{"results":[{"file_id":"%s"}]}}`, i, long))
		},
		"images": func(i int) string {
			return addContent("msg_1", fmt.Sprintf(`{"index":%d,"image_url":{"url":"%s"}}`, i, long))
		},
		"long annotations": func(i int) string {
			return addContent("msg_1", fmt.Sprintf(`{"index":0,"text":{"annotations":[{"index":%d,"text":"%s"}]}}`, i, long))
		},
		"images of code": func(i int) string {
			return addCalls("step_t", fmt.Sprintf(`{"index":0,"code_interpreter":{"outputs":[{"index":%d,"image":{"file_id":"%s"}}]}}`, i, long))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const limit = 1 << 18
			events := append(beginning[:3:3], "message.created "+aMessage("msg_1", "in_progress", ""), "run.step.created "+aStep("step_t", "in_progress", ""))
			for i := range 200 {
				events = append(events, event(i))
			}
			_, err := streamOf(t, sse(append(events, "run.completed "+aRun("completed"), "done")...), assistants.WithMaxResponseBytes(limit)).Wait()
			require.ErrorContains(t, err, "262144 bytes")
		})
	}
}

// The bound comes before the memory.
func TestAccumulatorMemory(t *testing.T) {
	var a assistants.Accumulator
	add(t, &a, messageBegun)
	var err error
	n := 0
	allocated := bytesAllocated(func() {
		for ; err == nil && n < 1<<16; n++ {
			err = a.Add(&assistants.Event{Type: assistants.EventMessageDelta, MessageDelta: &assistants.MessageDelta{ID: "msg_1", Delta: assistants.MessageDeltaDetails{
				Content: []assistants.ContentPartDelta{{Index: (n + 1) * 1024, Type: assistants.ContentText, Text: new(assistants.TextDelta)}}}}})
		}
	})
	require.ErrorContains(t, err, "index 8192 in a list of")
	assert.LessOrEqual(t, n, 1024)
	assert.Less(t, allocated, uint64(1<<24))
}

// bytesAllocated is what f allocates, for tests that are not parallel.
func bytesAllocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Ten times the deltas cost about ten times as much.
func TestAccumulatorLinear(t *testing.T) {
	for name, event := range map[string]*assistants.Event{
		"text":      parsedEvents(t, addText("msg_1", 0, "twelve bytes"))[0],
		"refusal":   parsedEvents(t, addContent("msg_1", `{"index":0,"refusal":"twelve bytes"}`))[0],
		"arguments": parsedEvents(t, addCalls("step_t", `{"index":0,"function":{"arguments":"twelve bytes"}}`))[0],
		"MCP":       parsedEvents(t, addCalls("step_t", `{"index":0,"arguments":"twelve bytes","output":"twelve bytes"}`))[0],
		"input":     parsedEvents(t, addCalls("step_t", `{"index":0,"code_interpreter":{"input":"twelve bytes"}}`))[0],
		"logs":      parsedEvents(t, addCalls("step_t", `{"index":0,"code_interpreter":{"outputs":[{"index":1,"logs":"twelve bytes"}]}}`))[0],
	} {
		cost := func(n int) uint64 {
			var a assistants.Accumulator
			add(t, &a, messageBegun, stepBegun)
			return bytesAllocated(func() {
				for range n {
					if err := a.Add(event); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
		few, many := cost(2000), cost(20000)
		assert.Less(t, float64(many), 15*float64(few)+1<<16, name)
	}
	growing := func(n int) uint64 { // lists
		var a assistants.Accumulator
		add(t, &a, messageBegun, stepBegun)
		return bytesAllocated(func() {
			for i := range n {
				require.NoError(t, a.Add(&assistants.Event{RunStepDelta: &assistants.RunStepDelta{ID: "step_t", Delta: assistants.RunStepDeltaDetails{
					StepDetails: assistants.StepDetailsDelta{ToolCalls: []assistants.ToolCallDelta{{Index: i, Function: &assistants.FunctionCall{Arguments: "x"}}}}}}}))
			}
		})
	}
	assert.Less(t, float64(growing(8000)), 15*float64(growing(800))+1<<16)
}

// The text of a delta costs what it is long, however many parts it has.
func TestMessageDeltaText(t *testing.T) {
	cost := func(n int) uint64 {
		var delta assistants.MessageDelta
		for range n {
			delta.Delta.Content = append(delta.Delta.Content, assistants.ContentPartDelta{Text: &assistants.TextDelta{Value: "twelve bytes"}}, assistants.ContentPartDelta{})
		}
		return bytesAllocated(func() { require.Len(t, delta.Text(), 12*n) })
	}
	assert.Less(t, float64(cost(10000)), 15*float64(cost(1000))+1<<16)
}

// What was given out stays as it was, whatever is added or taken back later.
func TestAccumulatorSnapshots(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"text": textEvents, "code": codeEvents, "search": searchEvents, "function": functionEvents, "refusal": refusalEvents,
		"on what was there": {"message.created " + aMessage("msg_1", "in_progress", aText("ab", `{"type":"file_path","text":"x"}`)),
			addContent("msg_1", `{"index":0,"text":{"value":"c","annotations":[{"index":0,"text":"y"}]}}`), addText("msg_1", 1, "d"),
			"run.step.created " + aStep("step_t", "in_progress", callA+","+code),
			addCalls("step_t", `{"index":0,"id":"other","function":{"name":"g","arguments":"!"}},{"index":1,"code_interpreter":{"outputs":[{"index":0,"logs":"!"},{"index":1,"image":{"file_id":"g"}},{"index":2,"logs":"?"}]}}`),
			"message.in_progress " + aMessage("msg_1", "in_progress", aText("z")), addText("msg_1", 0, "e"),
			"run.step.in_progress " + aStep("step_t", "in_progress", callB)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type snapshot struct {
				thing any
				json  string
			}
			var given []snapshot
			var a assistants.Accumulator
			for _, event := range parsedEvents(t, events...) {
				require.NoError(t, a.Add(event))
				for _, thing := range []any{a.Run(), a.Messages(), a.Steps()} {
					encoded, err := json.Marshal(thing)
					require.NoError(t, err)
					given = append(given, snapshot{thing, string(encoded)})
				}
				for _, s := range given {
					encoded, err := json.Marshal(s.thing)
					require.NoError(t, err)
					require.Equal(t, s.json, string(encoded))
				}
			}
		})
	}
}

// Who changes a snapshot or the lists of an event that was added does not change what is added up.
func TestAccumulatorIsItsOwn(t *testing.T) {
	t.Parallel()
	var a assistants.Accumulator
	events := parsedEvents(t, "message.created "+aMessage("msg_1", "in_progress", aText("ab")), addText("msg_1", 0, "c"),
		addContent("msg_1", `{"index":0,"text":{"annotations":[{"index":0,"text":"x"}]}}`),
		"run.step.created "+aStep("step_t", "in_progress", callA), addCalls("step_t", `{"index":0,"function":{"arguments":"!"}}`),
		addCalls("step_t", `{"index":1,"type":"code_interpreter","code_interpreter":{"input":"i","outputs":[{"index":0,"type":"logs","logs":"l"}]}}`))
	for _, event := range events {
		require.NoError(t, a.Add(event))
		switch {
		case event.Message != nil:
			event.Message.Content[0] = assistants.ContentPart{}
			event.Message.ID = ""
		case event.RunStep != nil:
			event.RunStep.StepDetails.ToolCalls[0] = assistants.ToolCall{}
		case event.MessageDelta != nil:
			event.MessageDelta.Delta.Content[0].Text.Value = "?"
			clear(event.MessageDelta.Delta.Content[0].Text.Annotations)
			clear(event.MessageDelta.Delta.Content)
		default:
			calls := event.RunStepDelta.Delta.StepDetails.ToolCalls
			if calls[0].Function != nil {
				*calls[0].Function = assistants.FunctionCall{}
			} else {
				clear(calls[0].CodeInterpreter.Outputs)
			}
			clear(calls)
		}
		for _, message := range a.Messages() {
			clear(message.Content[0].Text.Annotations)
			clear(message.Content)
		}
		for _, step := range a.Steps() {
			clear(step.StepDetails.ToolCalls)
		}
	}
	assert.Equal(t, *decoded[[]assistants.ContentPart](t, `[`+aText("abc", `{"text":"x"}`)+`]`), a.Messages()[0].Content)
	calls := a.Steps()[0].StepDetails.ToolCalls
	assert.Equal(t, &assistants.FunctionCall{Name: "weather", Arguments: `{"city":"Rome"}!`}, calls[0].Function)
	assert.Equal(t, &assistants.CodeInterpreterCall{Input: "i", Outputs: []assistants.CodeInterpreterOutput{{Type: "logs", Logs: "l"}}}, calls[1].CodeInterpreter)
}
