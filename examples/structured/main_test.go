package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/internal/standin"
	"github.com/assistants-go/assistants/server"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `Bilal, could we talk about the budget on Friday? Half an hour will do. Anna
2026-03-06: "Budget", 30 minutes
invited: Anna
invited: Bilal
`, exampletest.Output(t, run, script...))
}

// What does not follow the schema is an error, and no meeting.
func TestNoMeeting(t *testing.T) {
	said := standin.Turn{Text: `{"title": "Budget", "day": "2026-03-06", "attendees": []}`}
	client, err := assistants.NewClient(assistants.WithHandler(standin.New(server.New(), said)))
	require.NoError(t, err)
	require.ErrorContains(t, run(t.Context(), client, new(strings.Builder)), "minutes is missing")
}
