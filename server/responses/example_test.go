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
func ExampleNew() {
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

// Names of deployments do not say what is deployed.
func ExampleWithReasoning() {
	provider, err := assistants.NewClient(assistants.WithAzureOpenAI("https://my-resource.openai.azure.com", "v1"), assistants.WithAzureAPIKey("key"))
	if err != nil {
		log.Fatal(err)
	}
	model := responses.New(provider, responses.WithReasoning(func(model string) bool { return model == "thinker" }))
	fmt.Println(model.Check("thinker", nil))
	// Output: <nil>
}

// Not every compatible server knows what it is asked to leave out.
func ExampleWithoutFields() {
	provider, err := assistants.NewClient(assistants.WithBaseURL("http://localhost:8000/v1"), assistants.WithAPIKey("none"))
	if err != nil {
		log.Fatal(err)
	}
	model := responses.New(provider, responses.WithoutFields("prompt_cache_key", "stream_options"))
	fmt.Println(model.Check("m", []assistants.Tool{{Type: "bing_grounding"}}))
	// Output: there are no tools of type 'bing_grounding' here
}
