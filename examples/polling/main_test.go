package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/exampletest"
	"github.com/assistants-go/assistants/server"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `47 tokens
user: How many stickers are on a Rubik's cube?
assistant: There are 54, Jane Doe: nine on each of its six faces.
`, exampletest.Output(t, run, server.NewScripted(
		server.When(server.Asked("stickers"), server.Say("There are 54, Jane Doe: nine on each of its six faces.")),
	)))
}

func TestJudge(t *testing.T) {
	for status, want := range map[assistants.RunStatus]string{
		assistants.RunCompleted:      "",
		assistants.RunRequiresAction: "the run waits for 0 functions, and this program has none",
		assistants.RunIncomplete:     "the answer is cut short: max_completion_tokens",
		assistants.RunFailed:         "the run failed: rate_limit_exceeded: Try again in a minute.",
		assistants.RunCancelled:      "there is no answer: the run is cancelled",
		assistants.RunExpired:        "there is no answer: the run is expired",
		"paused":                     `the run has a status of its server's own: "paused"`,
	} {
		err := judge(&assistants.Run{
			Status:            status,
			LastError:         &assistants.RunError{Code: "rate_limit_exceeded", Message: "Try again in a minute."},
			IncompleteDetails: &assistants.RunIncompleteDetails{Reason: "max_completion_tokens"},
		})
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	for name, printed := range exampletest.OnProviders(t, run, nil, "There are 54.") {
		assert.Contains(t, printed, "assistant: There are 54.", name)
	}
}
