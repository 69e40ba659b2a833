package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `
user > I need to solve the equation `+"`3x + 11 = 14`"+`. Can you help me?

assistant > code_interpreter
from sympy import Eq, solve, symbols
x = symbols('x')
print(solve(Eq(3*x + 11, 14), x))

output > [1]

assistant > Gladly, Jane Doe! Subtract 11 from both sides, which leaves 3x = 3, and divide by 3: x = 1.

user > And with 26 in place of 14?

assistant > The steps are the same, Jane Doe: 3x = 15, and so x = 5.
`, exampletest.Output(t, run, script...))
}
