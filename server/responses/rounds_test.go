package responses_test

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const thought = `{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"}`

// input is what the provider was told in a question.
func input(t *testing.T, h *house, n int) string {
	t.Helper()
	var asked struct{ Input json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(h.fake.question(t, n)), &asked))
	return string(asked.Input)
}

func output(callID, text string) string {
	return `{"type":"function_call_output","call_id":"` + callID + `","output":"` + text + `"}`
}

// With the outputs the provider sees again all that it has said in the run, word for word and in order.
func TestOutputs(t *testing.T) {
	t.Parallel()
	first := []string{thought, message("msg_1", "Let me see."), function("fc_1", "call_a", "{}"), function("fc_2", "call_b", "{}")}
	second := []string{strings.ReplaceAll(thought, "rs_1", "rs_2"), search("fs_1", "[]"), function("fc_3", "call_a", `{"again":true}`)}
	var events []string
	for i, item := range first {
		events = append(events, added(i, item), done(i, item))
	}
	h := build(t, stream(append(events, completed(first...))...), stream(completed(second...)), stream(answerOf("Done.")...))
	s := h.ask(functionTool)
	s = h.answer(s, "one", "two")
	assert.JSONEq(t, "["+hello+","+strings.Join(first, ",")+","+output("call_a", "one")+","+output("call_b", "two")+"]", input(t, h, 1))
	s = h.answer(s, "three")
	assert.JSONEq(t, "["+hello+","+strings.Join(first, ",")+","+output("call_a", "one")+","+output("call_b", "two")+","+
		strings.Join(second, ",")+","+output("call_a", "three")+"]", input(t, h, 2))
	assert.Equal(t, []string{"message: Let me see.", "function f({}) call_a", "function f({}) call_b", "search default_2024_08_21 0:",
		`function f({"again":true}) call_a`, "message: Done.", "completed"}, told(t, h, s))
	assert.Equal(t, 45, s.Run().Usage.TotalTokens)
}

// What the response leaves out is known from the stream.
func TestOutputsOfStream(t *testing.T) {
	t.Parallel()
	call := function("fc_1", "call_a", "{}")
	h := build(t, stream(done(0, thought), done(1, call), completed()), stream(answerOf("Done.")...))
	h.answer(h.ask(functionTool), "one")
	assert.JSONEq(t, "["+hello+","+thought+","+call+","+output("call_a", "one")+"]", input(t, h, 1))
}

// Reasoning that cannot be sent back stays out, and nothing refers to it.
func TestOutputsWithoutReasoning(t *testing.T) {
	t.Parallel()
	call := function("fc_1", "call_a", "{}")
	h := build(t, stream(completed(`{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":null}`, call)), stream(answerOf("Done.")...))
	h.answer(h.ask(functionTool), "one")
	assert.JSONEq(t, "["+hello+","+strings.Replace(call, `"id":"fc_1",`, "", 1)+","+output("call_a", "one")+"]", input(t, h, 1))
}

// Without the provider's own words the history has to do.
func TestOutputsFromHistory(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(c *server.ModelCall){
		"no state":      func(c *server.ModelCall) { c.State = nil },
		"nonsense":      func(c *server.ModelCall) { c.State = []byte("{") },
		"another model": func(c *server.ModelCall) { c.Model += "o" },
		"other rounds":  func(c *server.ModelCall) { c.State = []byte(`{"model":"gpt-4o","items":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			long := strings.Repeat("x", 65)
			h := build(t, stream(completed(message("msg_1", "Let me see."), code("ci_1", "1", "null"), function("fc_1", "call_a", "{}"))),
				stream(answerOf("Done.")...))
			other := server.ModelFunc(func(ctx context.Context, c *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
				if c.Round == 1 {
					forget(c)
					c.History[len(c.History)-1].ToolCalls[0].ID = long
				}
				return h.model.Respond(ctx, c)
			})
			s := server.New(server.WithModel(other))
			defer s.Close()
			var err error
			h.Client, err = assistants.NewClient(assistants.WithHandler(s))
			require.NoError(t, err)
			assert.Equal(t, assistants.RunCompleted, h.answer(h.ask(functionTool, codeTool), "one").Run().Status)
			assert.JSONEq(t, "["+hello+`,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Let me see.","annotations":[]}]},
				{"type":"function_call","call_id":"call_2_0","name":"f","arguments":"{}"},`+output("call_2_0", "one")+"]", input(t, h, 1))
		})
	}
}

// A run may have many rounds, each of which knows all that were before.
func TestManyRounds(t *testing.T) {
	t.Parallel()
	results := `[{"file_id":"file-p","filename":"a.txt","score":0.5,"text":"` + strings.Repeat("word ", 100) + `"}]`
	h := build(t, stream(completed(search("fs_1", results), function("fc_1", "call_a", "{}"))))
	s := h.ask(functionTool)
	for range 20 {
		s = h.answer(s, "one")
	}
	assert.Equal(t, assistants.RunRequiresAction, s.Run().Status)
	assert.Equal(t, 20, strings.Count(input(t, h, 20), `"function_call_output"`))
}

// What earlier rounds have found is cited by its number there, also if it came behind calls.
func TestCitationsOfEarlierRounds(t *testing.T) {
	t.Parallel()
	found := func(id, fileID string) string {
		return search(id, `[{"file_id":"file-o","filename":"o.txt","score":0.9,"text":"O"},{"file_id":"`+fileID+`","filename":"a.txt","score":0.5,"text":"A"}]`)
	}
	cites := func(fileID string) string {
		return `{"type":"file_citation","file_id":"` + fileID + `","filename":"a.txt","index":0}`
	}
	call, again, first, second, late := function("fc_1", "call_a", "{}"), function("fc_2", "call_b", "{}"), found("fs_1", "file-p"), found("fs_2", "file-q"), found("fs_3", "file-r")
	h := build(t, stream(completed(first, second, call)), stream(completed(again, late)),
		stream(completed(message("msg_1", "", cites("file-p"), cites("file-q"), cites("file-r"), cites("file-s")))))
	s := h.answer(h.ask(functionTool), "one")
	s = h.answer(s, "two")
	lines := told(t, h, s)
	// The last answer is behind five turns.
	assert.Contains(t, lines[len(lines)-2], "message: 【4:1†a.txt】【5:1†a.txt】【8:1†a.txt】【8:4†a.txt】")
}
