package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `step 1: tool_calls, completed
    print(123456789 * 987654321)
  printed: 121932631112635269
step 2: message_creation, completed
    The result is 121932631112635269. I am a stand-in, not a model; server.WithModel plugs in a real one.
`, exampletest.Output(t, run, nil))
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	for name, printed := range exampletest.OnProviders(t, run, nil, "Rather a lot.") {
		assert.Equal(t, "step 1: message_creation, completed\n    Rather a lot.\n", printed, name)
	}
}
