package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Regexp(t, `^
you   > Hello!
eliza > Please go on.

you   > I am tired of my work.
eliza > Why are you tired of your work\?

you   > I need a holiday.
eliza > Why do you need a holiday\?

you   > What time is it\?
eliza > It is \d\d:\d\d. Do you have to go\?
$`, exampletest.Output(t, run, eliza{}))
}
