package responses_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Arguments go out as they are written, of one call after the other.
func TestArgumentsAreStreamed(t *testing.T) {
	t.Parallel()
	h := build(t, stream(
		added(0, function("fc_1", "call_a", "")), delta2("function_call_arguments", 0, `{"x":`),
		added(1, function("fc_2", "call_b", "")), delta2("function_call_arguments", 1, `[`), delta2("function_call_arguments", 0, `1}`),
		delta2("function_call_arguments", 1, `]`), done(0, function("fc_1", "call_a", `{"x":1}`)), done(1, function("fc_2", "call_b", "[]")),
		completed(function("fc_1", "call_a", `{"x":1}`), function("fc_2", "call_b", "[]")),
	))
	s := h.begin(assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool}}, assistants.RunCreateParams{})
	var deltas []string
	for e, err := range s.Events() {
		require.NoError(t, err)
		if e.RunStepDelta == nil {
			continue
		}
		for _, c := range e.RunStepDelta.Delta.StepDetails.ToolCalls {
			deltas = append(deltas, c.ID+c.Function.Name+c.Function.Arguments)
		}
	}
	assert.Equal(t, []string{"call_af", `{"x":`, `1}`, "call_bf", `[`, `]`}, deltas)
}

// A call is told as soon as it is known who is called, whatever comes later.
func TestCallIsToldAtOnce(t *testing.T) {
	t.Parallel()
	told, goOn := make(chan struct{}), []string{delta2("function_call_arguments", 0, "{}"), completed(function("fc_1", "call_a", "{}"))}
	h := build(t, func(w http.ResponseWriter, r *http.Request) {
		stream(added(0, function("fc_1", "call_a", "")))(w, r)
		w.(http.Flusher).Flush()
		select {
		case <-told:
		case <-r.Context().Done():
		}
		stream(goOn...)(w, r)
	})
	s := h.begin(assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool}}, assistants.RunCreateParams{})
	tell := sync.OnceFunc(func() { close(told) })
	for e, err := range s.Events() {
		require.NoError(t, err)
		if e.RunStepDelta != nil {
			tell()
		}
	}
	assert.Equal(t, assistants.RunRequiresAction, s.Run().Status)
}

// What comes behind calls of functions is told when the run goes on: the calls are answered first. The provider sees all of it
// where it said it.
func TestBehindFunctionCalls(t *testing.T) {
	t.Parallel()
	call, said, ran := function("fc_1", "call_a", "{}"), message("msg_1", "First."), code("ci_1", "1", `[{"type":"logs","logs":"1"}]`)
	for name, events := range map[string][]string{
		"streamed": {added(0, call), done(0, call), text(1, "First."), done(1, said), added(2, code("ci_1", "", "null")),
			delta2("code_interpreter_call_code", 2, "1"), done(2, ran), completed(call, said, ran)},
		"at last": {completed(call, said, ran)},
		"in part": {added(0, call), done(0, call), text(1, "First."), done(2, ran), completed(call, said, ran)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(events...), stream(answerOf("Second.")...))
			s := h.ask(codeTool, functionTool)
			if name != "at last" {
				assert.Equal(t, []string{"function f({}) call_a", "requires_action"}, told(t, h, s))
				s = h.answer(s, "one")
				assert.Equal(t, []string{"function f({}) call_a", "message: First.", "code: 1 > 1", "message: Second.", "completed"}, told(t, h, s))
			} else {
				s = h.answer(s, "one")
				assert.Equal(t, "message: Second.", told(t, h, s)[3])
			}
			assert.JSONEq(t, "["+hello+","+call+","+said+","+ran+","+output("call_a", "one")+"]", input(t, h, 1))
			assert.NotContains(t, h.fake.question(t, 1), "late")
		})
	}
}

// A call that is told late, for want of an id, does not swallow what has waited for it.
func TestBehindCallWithoutID(t *testing.T) {
	t.Parallel()
	call, said := function("fc_1", "call_a", "{}"), message("msg_1", "First.")
	h := build(t, stream(added(0, function("fc_1", "", "")), added(1, opened("msg_1")), text(1, "First."), done(1, said), done(0, call),
		completed(call, said)), stream(answerOf("Second.")...))
	s := h.ask(functionTool)
	assert.Equal(t, []string{"function f({}) call_a", "requires_action"}, told(t, h, s))
	assert.Equal(t, []string{"function f({}) call_a", "message: First.", "message: Second.", "completed"}, told(t, h, h.answer(s, "one")))
}

// What comes behind calls and never ends cannot be told: the run fails.
func TestBehindFunctionCallsWithoutEnd(t *testing.T) {
	t.Parallel()
	call := function("fc_1", "call_a", "{}")
	h := build(t, stream(added(0, call), done(0, call), text(1, "First."), completed(call)))
	assert.Equal(t, []string{"function f({}) call_a", "failed server_error: The model's answer broke off."}, told(t, h, h.ask(functionTool)))
}

// A call whose id comes late, or is of no use, is told when it is whole.
func TestCallWithoutID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 65)
	for name, id := range map[string]string{"none": "", "too long": long, "another one's": "call_a"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := function("fc_1", "call_a", "{}"), function("fc_2", id, `{"n":2}`)
			h := build(t, stream(added(0, first), done(0, first), added(1, function("fc_2", id, "")),
				delta2("function_call_arguments", 1, `{"n":`), delta2("function_call_arguments", 1, `2}`), done(1, second), completed(first, second)),
				stream(answerOf("Done.")...))
			s := h.ask(functionTool)
			calls := s.Run().RequiredAction.SubmitToolOutputs.ToolCalls
			require.Len(t, calls, 2)
			assert.Equal(t, `{"n":2}`, calls[1].Function.Arguments)
			assert.Regexp(t, `^call_\w{24}$`, calls[1].ID)
			h.answer(s, "one", "two")
			assert.JSONEq(t, "["+hello+","+first+","+strings.Replace(second, `"call_id":"`+id+`"`, `"call_id":"`+calls[1].ID+`"`, 1)+","+
				output("call_a", "one")+","+output(calls[1].ID, "two")+"]", input(t, h, 1))
		})
	}
}

// What is late is told also if the run may not go on.
func TestBehindFunctionCallsWithoutBudget(t *testing.T) {
	t.Parallel()
	call, said := function("fc_1", "call_a", "{}"), message("msg_1", "First.")
	h := build(t, stream(done(0, call), done(1, said), strings.Replace(completed(call, said), `"output_tokens":5`, `"output_tokens":250`, 1)))
	s := h.begin(assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool}}, assistants.RunCreateParams{MaxCompletionTokens: 260})
	_, err := s.Wait()
	require.NoError(t, err)
	assert.Equal(t, []string{"function f({}) call_a", "message: First.", "incomplete max_completion_tokens"}, told(t, h, h.answer(s, "one")))
	assert.Len(t, h.fake.asked, 1)
}

// A file that is behind calls is fetched once, when it can be told.
func TestMadeFileBehindFunctionCalls(t *testing.T) {
	t.Parallel()
	const path = "sandbox:/mnt/data/a.csv"
	made := `{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"a.csv","start_index":0,"end_index":23}`
	shown := code("ci_1", "1", `[{"type":"image","url":"data:image/png;base64,`+png+`"}]`)
	call, said := function("fc_1", "call_a", "{}"), message("msg_1", path, made)
	h := build(t, stream(done(0, call), added(1, opened("msg_1")), text(1, path), annotated(1, 0, made), done(1, said), done(2, shown),
		completed(call, said, shown)), stream(answerOf("Done.")...))
	s := h.ask(functionTool, codeTool)
	assert.Empty(t, h.fake.paths)
	s = h.answer(s, "one")
	assert.Equal(t, []string{"GET /v1/containers/cntr_1/files/cfile_1/content"}, h.fake.paths)
	assert.Equal(t, []string{"function f({}) call_a", "message: " + path + " [file_path " + path + " 0-23]", "code: 1 > <image>",
		"message: Done.", "completed"}, told(t, h, s))
	files := 0
	for _, err := range h.Files.All(t.Context(), assistants.FileListParams{}) {
		require.NoError(t, err)
		files++
	}
	assert.Equal(t, 2, files)
	assert.Contains(t, h.fake.question(t, 1), oldContainer, "code behind calls has run in a container too")
}
