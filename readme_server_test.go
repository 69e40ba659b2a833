package assistants_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// parrot is Go code of README.md, which TestDocumentsCompile holds to it.
type parrot struct{}

func (parrot) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		if asked := call.LastUserMessage(); asked != nil {
			for word := range strings.SplitAfterSeq(asked.Text(), " ") {
				if !yield(server.Text(word), nil) {
					return
				}
			}
		}
	}
}

func Example_readmeModel() {
	s := server.New(server.WithModel(parrot{}))
	defer s.Close()
	client, err := assistants.NewClient(assistants.WithHandler(s))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	bird, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "parrot"})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: bird.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("Pieces of eight!")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q ", text)
	}
	// Output: "Pieces " "of " "eight!"
}
