package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

// A frame is an event as it is sent.
type frame struct {
	name string
	data []byte
}

// framesOf takes a stream apart. What is not "event: …", "data: …" and an empty line is a violation.
func framesOf(stream string) (frames []frame, violations []string) {
	rest, whole := strings.CutSuffix(stream, "\n\n")
	if !whole {
		violations = append(violations, "the last event has no end")
	}
	for _, block := range strings.Split(rest, "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(block, "event: "), "\ndata: ")
		if !ok || !strings.HasPrefix(block, "event: ") || strings.Contains(data, "\n") {
			violations = append(violations, fmt.Sprintf("not a name and one line of data: %.80q", block))
			continue
		}
		frames = append(frames, frame{name, []byte(data)})
	}
	return frames, violations
}

// violations are what is wrong with the streams of one run: see [rulesBroken], and what deltas add up to
// ([replay.Client]).
func violations(streams []string) []string {
	found := rulesBroken(streams)
	for _, stream := range streams {
		found = append(found, unlikeObjects(stream)...)
	}
	return found
}

// rulesBroken are what is wrong with the form of streams of one run, with the order of events and what clients rely on
// ([assistantstest.CheckStream]), and with the usage of the run, which is that of its steps.
func rulesBroken(streams []string) []string {
	var found []string
	var used assistants.Usage
	for i, stream := range streams {
		frames, wrong := framesOf(stream)
		found = append(found, wrong...)
		if err := assistantstest.CheckStream(strings.NewReader(stream)); err != nil {
			found = append(found, err.Error())
		}
		for _, f := range frames {
			found = append(found, bookedWrong(f, &used)...)
			var compact bytes.Buffer
			if f.name != "done" && (json.Compact(&compact, f.data) != nil || compact.String() != string(f.data)) {
				found = append(found, "data with white space: "+f.name)
			}
			if i > 0 && (f.name == "thread.run.created" || f.name == "thread.created") {
				found = append(found, "an answer to outputs begins anew: "+f.name)
			}
		}
	}
	return found
}

// unlikeObjects are differences between what deltas add up to and the objects that follow them.
func unlikeObjects(stream string) []string {
	_, failures := replay.Client(recording.File{Name: "stream", Exchanges: []*recording.Exchange{{
		Beta: "v2", Method: "POST", Path: "/v1/threads/thread_1/runs", RequestBodyNotRecorded: true, Status: 200,
		RequestHeaders:  map[string]string{"OpenAI-Beta": "assistants=v2"},
		ResponseHeaders: map[string]string{"Content-Type": "text/event-stream; charset=utf-8"}, ResponseText: stream,
	}}})
	var found []string
	for _, f := range failures {
		found = append(found, slices.DeleteFunc(f.Lines, ofTheEnd.MatchString)...)
	}
	return found
}

// ofTheEnd is what differs in any object that does not end well: no delta tells it. A function that was never
// answered has an output that is null, which the typed client leaves out.
var ofTheEnd = regexp.MustCompile(`built from deltas: (status|incomplete_details|failed_at|last_error): got (null|nothing|"in_progress"), ` +
	`|function.output: got nothing, want null`)

// bookedWrong adds up the usage of steps, and compares it with that of the run.
func bookedWrong(f frame, sum *assistants.Usage) []string {
	var body struct {
		Object string
		Status string
		Usage  *assistants.Usage
	}
	if json.Unmarshal(f.data, &body) != nil || body.Usage == nil {
		return nil
	}
	switch body.Object {
	case "thread.run.step":
		addUsage(sum, body.Usage)
	case "thread.run":
		if totals(body.Usage) != totals(sum) && *sum != (assistants.Usage{}) { // an answer without a word has no steps
			return []string{fmt.Sprintf("the run used %v, its steps %v", totals(body.Usage), totals(sum))}
		}
	}
	return nil
}

// totals are the numbers of a usage: prompt, completion, total, cached, reasoning.
func totals(u *assistants.Usage) [5]int {
	if u == nil {
		return [5]int{}
	}
	all := [5]int{u.PromptTokens, u.CompletionTokens, u.TotalTokens}
	if u.PromptTokenDetails != nil {
		all[3] = u.PromptTokenDetails.CachedTokens
	}
	if u.CompletionTokensDetails != nil {
		all[4] = u.CompletionTokensDetails.ReasoningTokens
	}
	return all
}

func addUsage(sum, more *assistants.Usage) {
	all, n := totals(sum), totals(more)
	*sum = assistants.Usage{
		PromptTokens: all[0] + n[0], CompletionTokens: all[1] + n[1], TotalTokens: all[2] + n[2],
		PromptTokenDetails:      &assistants.PromptTokenDetails{CachedTokens: all[3] + n[3]},
		CompletionTokensDetails: &assistants.CompletionTokensDetails{ReasoningTokens: all[4] + n[4]},
	}
}

// lastRun is the run as the last event about it has it.
func lastRun(t *testing.T, stream string) *assistants.Run {
	t.Helper()
	frames, _ := framesOf(stream)
	for _, f := range slices.Backward(frames) {
		run := new(assistants.Run)
		if strings.HasPrefix(f.name, "thread.run.") && !strings.HasPrefix(f.name, "thread.run.step.") {
			require.NoError(t, json.Unmarshal(f.data, run))
			return run
		}
	}
	require.Fail(t, "a stream without a run", stream)
	return nil
}

// fewEvents is how many events are surely sent as they come. Of more, some deltas may be sent as one: the server
// waits for nobody.
const fewEvents = 200

// shape is what a stream looks like, without a word of it: the names of events, with how often they follow each
// other, and the types, lengths, indices and offsets of what is in the objects that end something.
func shape(t *testing.T, stream string) string {
	t.Helper()
	frames, _ := framesOf(stream)
	var lines []string
	last, times := "", 0
	flush := func() {
		switch {
		case len(frames) > fewEvents && strings.Contains(last, ".delta"):
			lines[len(lines)-1] += " xmany"
		case times > 1:
			lines[len(lines)-1] += fmt.Sprintf(" x%d", times)
		}
	}
	for _, f := range frames {
		line := strings.TrimPrefix(f.name, "thread.") + details(t, f)
		if line == last {
			times++
			continue
		}
		flush()
		lines, last, times = append(lines, line), line, 1
	}
	flush()
	return strings.Join(lines, "\n") + "\n"
}

// details are what the shape of a stream has of one event, behind its name.
func details(t *testing.T, f frame) string {
	t.Helper()
	var b strings.Builder
	switch f.name {
	case "thread.message.delta":
		var event assistants.MessageDelta
		require.NoError(t, json.Unmarshal(f.data, &event))
		for _, part := range event.Delta.Content {
			fmt.Fprintf(&b, " [%d %s%s]", part.Index, part.Type, marked(part.Text))
		}
	case "thread.run.step.delta":
		var event assistants.RunStepDelta
		require.NoError(t, json.Unmarshal(f.data, &event))
		for _, call := range event.Delta.StepDetails.ToolCalls {
			fmt.Fprintf(&b, " [%d %s]", call.Index, call.Type)
		}
	case "thread.message.completed", "thread.message.incomplete":
		message := new(assistants.Message)
		require.NoError(t, json.Unmarshal(f.data, message))
		for _, part := range message.Content {
			fmt.Fprintf(&b, " [%s", part.Type)
			if part.Text != nil {
				fmt.Fprintf(&b, " %d", len([]rune(part.Text.Value)))
				for _, a := range part.Text.Annotations {
					fmt.Fprintf(&b, " %s %d-%d", a.Type, a.StartIndex, a.EndIndex)
				}
			}
			b.WriteString("]")
		}
	case "thread.run.step.completed", "thread.run.step.failed", "thread.run.requires_action":
		b.WriteString(callsOf(t, f))
	case "thread.run.completed", "thread.run.incomplete", "thread.run.failed":
		run := new(assistants.Run)
		require.NoError(t, json.Unmarshal(f.data, run))
		fmt.Fprintf(&b, " %v", totals(run.Usage))
	}
	return b.String()
}

// marked are the annotations of a delta.
func marked(text *assistants.TextDelta) string {
	var b strings.Builder
	if text != nil {
		for _, a := range text.Annotations {
			fmt.Fprintf(&b, " %s %d-%d", a.Type, a.StartIndex, a.EndIndex)
		}
	}
	return b.String()
}

// callsOf are what a step or a run that waits has of calls: their types, the names of functions, and how long
// arguments, code and outputs are.
func callsOf(t *testing.T, f frame) string {
	t.Helper()
	var body struct {
		StepDetails    assistants.StepDetails     `json:"step_details"`
		RequiredAction *assistants.RequiredAction `json:"required_action"`
		Usage          *assistants.Usage          `json:"usage"`
	}
	require.NoError(t, json.Unmarshal(f.data, &body))
	var b strings.Builder
	if body.RequiredAction != nil {
		for _, c := range body.RequiredAction.SubmitToolOutputs.ToolCalls {
			fmt.Fprintf(&b, " [function %s %d]", c.Function.Name, len(c.Function.Arguments))
		}
	}
	for _, c := range body.StepDetails.ToolCalls {
		switch {
		case c.Function != nil:
			fmt.Fprintf(&b, " [function %s %d %d]", c.Function.Name, len(c.Function.Arguments), len(c.Function.Output))
		case c.CodeInterpreter != nil:
			fmt.Fprintf(&b, " [code %d, %d outputs]", len(c.CodeInterpreter.Input), len(c.CodeInterpreter.Outputs))
		case c.FileSearch != nil:
			fmt.Fprintf(&b, " [search %d results]", len(c.FileSearch.Results))
		}
	}
	return b.String() + fmt.Sprintf(" %v", totals(body.Usage))
}

// TestViolations shows that each rule about streams can fail; those of [assistantstest.CheckStream] have tests of
// their own.
func TestViolations(t *testing.T) {
	t.Parallel()
	h := newModelHost(t, chatAPI, upstream.New(
		composedChat(t, `{"content":"See.","tool_calls":[`+chatCall("call_1", "now", "{}")+`]}`, "tool_calls"), endOf(t, chatAPI),
	))
	assistant := h.made("/assistants", `{"model":"gpt-4o","tools":[`+twoFunctions+`]}`)
	good := h.stream(assistant, h.made("/threads", `{"messages":[{"role":"user","content":"Hello."}]}`), "").streams
	require.Empty(t, violations(good))
	for want, change := range map[string][2]string{
		"the last event has no end":      {"data: [DONE]\n\n", "data: [DONE]\n"},
		"not a name and one line":        {"event: thread.run.queued\n", ": a comment\nevent: thread.run.queued\n"},
		"it follows \"in_progress\"":     {"event: thread.run.completed", "event: thread.run.in_progress"},
		"built from deltas: content":     {`"value":"The end."`, `"value":"The eve."`},
		"the run used [40 20 60 10 6]":   {`"prompt_tokens":20,`, `"prompt_tokens":21,`},
		"data with white space":          {`{"id":"run_1",`, `{"id": "run_1",`},
		"begins anew: thread.run.create": {"event: thread.run.queued", "event: thread.run.created"},
	} {
		changed := slices.Clone(good)
		changed[1] = strings.Replace(changed[1], change[0], change[1], 1)
		require.NotEqual(t, good[1], changed[1], want)
		assert.Contains(t, strings.Join(violations(changed), "\n"), want)
	}
}
