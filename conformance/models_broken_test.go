package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

// TestModelsOfBrokenStreams cuts the composed streams behind each event, leaves each event out, repeats it, and has
// it come late. Whatever a provider sends, the run ends, its streams keep the rules, and an answer that is cut off
// does not pass for one.
func TestModelsOfBrokenStreams(t *testing.T) {
	t.Parallel()
	for api, cases := range map[string][]composedCase{responsesAPI: responsesCases(t), chatAPI: chatCases(t)} {
		for _, c := range cases {
			if !c.answers[0].Streamed() {
				continue
			}
			t.Run(api+" "+c.name, func(t *testing.T) {
				t.Parallel()
				events := strings.SplitAfter(c.answers[0].Body, "\n\n")
				for i := range events[:len(events)-1] {
					b := broken{api: api, of: &c}
					b.run(t, fmt.Sprintf("cut behind %d", i), slices.Concat(events[:i+1]))
					b.run(t, fmt.Sprintf("without %d", i), slices.Concat(events[:i], events[i+1:]))
					b.run(t, fmt.Sprintf("%d twice", i), slices.Concat(events[:i+1], events[i:]))
					if i+2 < len(events) {
						b.run(t, fmt.Sprintf("%d late", i), slices.Concat(events[:i], events[i+1:i+2], events[i:i+1], events[i+2:]))
					}
				}
			})
		}
	}
}

// broken are ways in which the first answer of a case is not what it was.
type broken struct {
	api string
	of  *composedCase
}

func (b broken) run(t *testing.T, how string, events []string) {
	t.Helper()
	answers := []upstream.Answer{{Body: strings.Join(events, "")}}
	for range 4 {
		answers = append(answers, endOf(t, b.api))
	}
	h := newModelHost(t, b.api, upstream.New(answers...))
	thread := h.made("/threads", `{"messages":[`+hello+`]}`)
	got := h.stream(h.composedAssistant(b.of), thread, b.of.options)
	assert.Empty(t, rulesBroken(got.streams), "%s: %s\n%s", how, strings.Join(events, ""), strings.Join(got.streams, ""))
	ended := []assistants.RunStatus{assistants.RunCompleted, assistants.RunIncomplete, assistants.RunFailed}
	require.Contains(t, ended, got.run.Status, how)
	if b.unfinished(events) {
		assert.Equal(t, assistants.RunFailed, got.run.Status, "%s: %s", how, strings.Join(events, ""))
	}
}

// unfinished reports whether nothing among the events says that the answer is whole, or why it is not.
func (b broken) unfinished(events []string) bool {
	all := strings.Join(events, "")
	if b.api == chatAPI {
		return !strings.Contains(all, `"finish_reason":"`) && !strings.Contains(all, "[DONE]") && !strings.Contains(all, `"usage":{`)
	}
	for _, end := range []string{"completed", "incomplete", "failed"} {
		if strings.Contains(all, "event: response."+end+"\n") {
			return false
		}
	}
	return true
}
