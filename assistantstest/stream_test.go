package assistantstest_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/assistantstest"
)

// A stream is written as its events, one a line: the name behind "thread.", the id, and what else its data has.
func frames(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		if name == "done" || name == "error" {
			b.WriteString("event: " + name + "\ndata: " + rest + "\n\n")
			continue
		}
		id, more, _ := strings.Cut(rest, " ")
		kind, status := kindOf(name)
		data := `{"id":"` + id + `","object":"` + kind + `"`
		if status != "" && !strings.Contains(more, `"status"`) {
			data += `,"status":"` + status + `"`
		}
		if more != "" {
			data += "," + more
		}
		b.WriteString("event: thread." + name + "\ndata: " + data + "}\n\n")
	}
	return b.String()
}

// kindOf is the object that an event is about, and the status that it must have.
func kindOf(name string) (kind, status string) {
	for _, k := range []string{"run.step", "run", "message"} {
		if what, ok := strings.CutPrefix(name, k+"."); ok {
			switch {
			case what == "delta":
				return "thread." + k + ".delta", ""
			case what == "created" && k == "run":
				return "thread.run", "queued"
			case what == "created":
				return "thread." + k, "in_progress"
			}
			return "thread." + k, what
		}
	}
	return "thread", ""
}

const (
	textDelta   = `"delta":{"content":[{"index":0,"type":"text","text":{"value":"a"}}]}`
	headDelta   = `"delta":{"step_details":{"type":"tool_calls","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f"}}]}}`
	growthDelta = `"delta":{"step_details":{"type":"tool_calls","tool_calls":[{"index":0,"type":"function","function":{"arguments":"{"}}]}}`
)

var begun = []string{"run.created run_1", "run.queued run_1", "run.in_progress run_1"}

var written = append(begun[:3:3],
	"run.step.created step_1", "run.step.in_progress step_1", "message.created msg_1", "message.in_progress msg_1",
	"message.delta msg_1 "+textDelta, "message.completed msg_1", "run.step.completed step_1", "run.completed run_1", "done [DONE]")

func TestCheckStreamTakesLegalStreams(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"text":                     written,
		"with its thread":          append([]string{"created thread_1"}, written...),
		"failed in the queue":      {"run.created run_1", "run.queued run_1", "run.failed run_1", "done [DONE]"},
		"broken off by the server": append(begun[:3:3], `error {"error":{"message":"m","type":"server_error","param":null,"code":null}}`),
		"functions": append(begun[:3:3], "run.step.created step_1", "run.step.in_progress step_1",
			"run.step.delta step_1 "+headDelta, "run.step.delta step_1 "+growthDelta, "run.requires_action run_1", "done [DONE]"),
		"outputs": append([]string{"run.step.completed step_0", "run.queued run_1", "run.in_progress run_1"}, written[3:]...),
		"cancelled": append(written[:8:8], "run.cancelling run_1", "message.incomplete msg_1", "run.step.cancelled step_1",
			"run.cancelled run_1", "done [DONE]"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, assistantstest.CheckStream(strings.NewReader(frames(lines...))))
		})
	}
}

func TestCheckStreamFindsViolations(t *testing.T) {
	t.Parallel()
	insert := func(lines []string, at int, more ...string) []string {
		return append(append(lines[:at:at], more...), lines[at:]...)
	}
	for violation, lines := range map[string][]string{
		"without done and without an error":       written[:len(written)-1],
		"comes behind the end":                    insert(written, len(written), "run.completed run_1"),
		"neither ended nor does it wait":          append(begun[:3:3], "done [DONE]"),
		`its data is "[done]"`:                    append(written[:11:11], "done [done]"),
		"its data is no JSON object":              append(begun[:3:3], "error oops"),
		"its data has no error":                   append(begun[:3:3], `error {"message":"m"}`),
		`has a key "error"`:                       {`run.created run_1 "error":null`},
		"the protocol has no such event":          {"messages.created msg_1"},
		`its object is "thread.run"`:              {`created run_1 "object":"thread.run"`},
		"it has no id":                            {"run.created "},
		`it follows "created"`:                    {"run.created run_1", "run.in_progress run_1"},
		`it follows "completed"`:                  insert(written, 11, "run.failed run_1"),
		`the run's status is "queued"`:            {"run.created run_1", "run.queued run_1", `run.in_progress run_1 "status":"queued"`},
		`the step's status is "queued"`:           append(begun[:3:3], `run.step.created step_1 "status":"queued"`),
		`the message's status is "completed"`:     append(written[:5:5], `message.created msg_1 "status":"completed"`),
		"message msg_1 has not ended":             insert(written, 6, "message.created msg_2"),
		"step step_1 has not ended":               insert(written, 4, "run.step.created step_2"),
		"no step writes it":                       append(begun[:3:3], "message.created msg_1"),
		"msg_1 was there before":                  insert(written, 9, "message.created msg_1"),
		"step_1 was there before":                 insert(written, 10, "run.step.created step_1"),
		"nothing has been created":                append(begun[:3:3], "message.delta msg_1 "+textDelta),
		"it is about msg_2, and msg_1 is open":    insert(written, 7, "message.delta msg_2 "+textDelta),
		"it is about step_2, and step_1 is open":  insert(written, 4, "run.step.in_progress step_2"),
		"its delta has an id":                     insert(written, 7, `message.delta msg_1 "delta":{"id":"msg_1","content":[]}`),
		"it has no content":                       insert(written, 7, `message.delta msg_1 "delta":{}`),
		"its delta cannot be read":                insert(written, 7, `message.delta msg_1 "delta":[]`),
		"an item has no index":                    insert(written, 7, `message.delta msg_1 "delta":{"content":[{"type":"text"}]}`),
		"index 2000 is too far":                   insert(written, 7, `message.delta msg_1 "delta":{"content":[{"index":2000,"type":"text"}]}`),
		`is of type "text" and becomes "refusal"`: insert(written, 8, `message.delta msg_1 "delta":{"content":[{"index":0,"type":"refusal"}]}`),
		`its details are of type "x"`:             insert(written, 4, `run.step.delta step_1 "delta":{"step_details":{"type":"x"}}`),
		"call 0 begins without an id":             insert(written, 4, "run.step.delta step_1 "+growthDelta),
		"call 0 has its id again":                 insert(written, 4, "run.step.delta step_1 "+headDelta, "run.step.delta step_1 "+headDelta),
		"no step waits for outputs":               append(begun[:3:3], "run.requires_action run_1"),
	} {
		t.Run(violation, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, assistantstest.CheckStream(strings.NewReader(frames(lines...))), violation)
		})
	}
	require.ErrorIs(t, assistantstest.CheckStream(strings.NewReader(frames(written...)[:900])), io.ErrUnexpectedEOF)
}
