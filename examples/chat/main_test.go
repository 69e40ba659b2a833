package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `
user > I need to solve the equation `+"`3x + 11 = 14`"+`. Can you help me?

assistant > code_interpreter
from fractions import Fraction

# 3x + 11 = 14 is 3*x = 3
x = Fraction("3") / Fraction("3")
print("x =", x)

output > x = 1

assistant > The solution of 3x + 11 = 14 is x = 1. I am a stand-in, not a model; server.WithModel plugs in a real one.

user > And what is 17 to the power of 5?

assistant > code_interpreter
print(17**5)

output > 1419857

assistant > The result is 1419857. I am a stand-in, not a model; server.WithModel plugs in a real one.
`, exampletest.Output(t, run, nil))
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	for name, printed := range exampletest.OnProviders(t, run, nil, "I did that in my head.") {
		assert.Equal(t, 2, strings.Count(printed, "\nassistant > I did that in my head.\n"), name)
	}
}
