package responses_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

// The Assistants API in this process, with a model behind it that is elsewhere.
func Example() {
	provider, err := assistants.NewClient(assistants.WithHandler(elsewhere)) // or assistants.WithAPIKey("sk-…")
	if err != nil {
		log.Fatal(err)
	}
	api := server.New(server.WithModel(responses.New(provider)))
	defer api.Close()
	client, err := assistants.NewClient(assistants.WithHandler(api))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
	if err != nil {
		log.Fatal(err)
	}
	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage("Is anybody there?")},
	})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := client.Runs.Stream(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistant.ID})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(text)
	}
	// Output: Somebody is.
}

// elsewhere stands for a provider.
var elsewhere http.HandlerFunc = stream(answerOf("Somebody ", "is.")...)
