package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `3 of 3 pages can be searched.

How many days of paid leave do I have?

This is what the files say.

“Every employee has 28 days of paid leave a year.” [1]

I am a stand-in, not a model; server.WithModel plugs in a real one.
[1] leave.md

When are my expenses refunded?

This is what the files say.

“Expenses are refunded within ten days.” [1]

I am a stand-in, not a model; server.WithModel plugs in a real one.
[1] travel.md
`, exampletest.Output(t, run, nil))
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	for name, printed := range exampletest.OnProviders(t, run, nil, "28 days, as it says.") {
		assert.Equal(t, 2, strings.Count(printed, "\n28 days, as it says.\n"), name)
		assert.Contains(t, printed, "3 of 3 pages", name)
	}
}
