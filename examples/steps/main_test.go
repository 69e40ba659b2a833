package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `step 1: tool_calls, completed
    total = 0
    for n in range(1, 101):
        total += n * n
    print(total)
  printed: 338350
step 2: message_creation, completed
    The squares of 1 to 100 add up to 338350.
`, exampletest.Output(t, run, script...))
}
