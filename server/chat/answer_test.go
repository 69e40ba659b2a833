package chat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants"
)

// A model answers in one line of code.
func TestAnswer(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{Instructions: "Be brief."}, nil,
		streams(delta(`"role":"assistant","content":""`), word("Hel"), word("lo!"), finish("stop"), spent("12", "3"), done))
	s := k.hello()
	assert.Equal(t, assistants.RunCompleted, s.run.Status, s.run.LastError)
	assert.Equal(t, "Hello!", s.text())
	assert.Equal(t, 12, s.run.Usage.PromptTokens)
	assert.Equal(t, 3, s.steps[0].Usage.CompletionTokens)
	assert.JSONEq(t, `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello?"}],
		"stream":true,"stream_options":{"include_usage":true}}`, k.upstream.requests()[0])
}
