// Quickstart is the conversation of the API's overview: a maths tutor, a thread, a question, and an answer that is shown
// as it is written. Then it deletes what it made.
//
// With nothing set in the environment it does so on the embedded server, in this process, where a stand-in takes the place
// of a model. OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT with AZURE_OPENAI_API_KEY, or CHAT_BASE_URL has the embedded server ask
// a real one, and OPENAI_BASE_URL with OPENAI_API_KEY names another server of this API: see package endpoint.
// ASSISTANTS_MODEL names another model than gpt-4o, on Azure a deployment.
package main

import (
	"context"
	"fmt"
	"io"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

func main() { endpoint.Main(run) }

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor. When asked a question, write and run Python code to answer the question.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
		Metadata:     assistants.Metadata{"example": "quickstart"},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, tutor.ID, &err)
	fmt.Fprintf(out, "Assistant %s: %s on %s\n", tutor.ID, tutor.Name, tutor.Model)

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)
	fmt.Fprintf(out, "Thread    %s, created %v\n", thread.ID, thread.CreatedAt)

	question := assistants.UserMessage("I need to solve the equation `3x + 11 = 14`. Can you help me?")
	message, err := client.Messages.Create(ctx, thread.ID, question)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Message   %s: %s\n\n", message.ID, message.Text())

	stream, err := client.Runs.Stream(ctx, thread.ID, assistants.RunCreateParams{AssistantID: tutor.ID})
	if err != nil {
		return err
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			return err
		}
		fmt.Fprint(out, text)
	}
	finished := stream.Run()
	fmt.Fprintf(out, "\n\nRun       %s is %s\n", finished.ID, finished.Status)
	return finished.Err()
}
