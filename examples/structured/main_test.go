package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/server"
)

func TestRun(t *testing.T) {
	meeting := `{"title": "Budget", "day": "2026-03-06", "minutes": 30, "attendees": ["Anna", "Bilal"], "room": null}`
	assert.Equal(t, `Bilal, could we talk about the budget on Friday? 30 minutes will do. Anna
2026-03-06: "Budget", 30 minutes
invited: Anna
invited: Bilal
`, exampletest.Output(t, run, server.NewScripted(server.Otherwise(server.Say(meeting)))))
}

// What the stand-in makes up follows the schema.
func TestMadeUp(t *testing.T) {
	printed, err := exampletest.Run(t, run, nil)
	require.NoError(t, err)
	assert.Contains(t, printed, `"made up by a stand-in for a model", 30 minutes`)
}

// What does not follow the schema is an error, and no meeting.
func TestNoMeeting(t *testing.T) {
	_, err := exampletest.Run(t, run, server.NewScripted(
		server.Otherwise(server.Say(`{"title": "Budget", "day": "2026-03-06", "attendees": []}`))))
	require.ErrorContains(t, err, "minutes is missing")
}

// That the model would rather not is something to show.
func TestRefusal(t *testing.T) {
	printed, err := exampletest.Run(t, run, server.NewScripted(server.Otherwise(server.Yield(server.Refusal("I don't read letters.")))))
	require.NoError(t, err)
	assert.Contains(t, printed, "The model would rather not: I don't read letters.")
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	for name, printed := range exampletest.OnProviders(t, run, nil, `{"title": "Budget", "day": "2026-03-06", "minutes": 30, "attendees": ["Anna"], "room": null}`) {
		assert.Contains(t, printed, `2026-03-06: "Budget", 30 minutes`, name)
	}
}
