package main

import (
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
