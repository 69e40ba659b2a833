package assistants_test

import (
	"context"
	"testing"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

// TestAnswer is Go code of README.md, which TestDocumentsCompile holds to it.

func TestAnswer(t *testing.T) {
	api := assistantstest.New(t, assistantstest.WithRules(
		server.When(server.Asked("refund"), server.CallFunction("find_order", `{"id":"4711"}`)),
		server.When(server.Submitted("find_order"), server.Say("Your money is on its way.")),
	))
	answer, err := Answer(t.Context(), api.Client, "Where is my refund?")
	if err != nil || answer != "Your money is on its way." {
		t.Errorf("got %q, %v", answer, err)
	}
}

// Answer is the program under test: it has a model answer a question, which may look at an order first.
func Answer(ctx context.Context, client *assistants.Client, question string) (string, error) {
	find := typed.NewFunction("find_order", "Finds an order.", func(_ context.Context, in struct {
		ID string `json:"id"`
	}) (string, error) {
		return "Order " + in.ID + " was lost.", nil
	})
	desk, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o", Tools: []assistants.Tool{find.Tool()}})
	if err != nil {
		return "", err
	}
	run, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: desk.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)}},
	}, typed.HandleCalls(find))
	if err == nil {
		err = run.Err()
	}
	if err != nil {
		return "", err
	}
	newest, err := client.Messages.List(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID, Limit: 1})
	if err != nil || len(newest.Data) == 0 {
		return "", err
	}
	return newest.Data[0].Text(), nil
}
