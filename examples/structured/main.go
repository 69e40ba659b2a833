// Structured has a model read a message and gets what it says as a value of a Go type.
//
// It runs on the embedded server, where a stand-in takes the place of a model unless OPENAI_API_KEY,
// AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names one, or on the server that OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/typed"
)

func main() { endpoint.Main(run) }

// A Meeting is what the message is about. The model is given the schema of this type.
type Meeting struct {
	Title     string   `json:"title"`
	Day       string   `json:"day" jsonschema:"a date as YYYY-MM-DD"`
	Minutes   int      `json:"minutes" jsonschema:"how long it takes"`
	Attendees []string `json:"attendees"`
	Room      string   `json:"room,omitempty" jsonschema:"null if it is not said"`
}

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:          endpoint.Model(),
		Instructions:   "You read messages and enter the meetings that they arrange into a calendar. Today is Monday, 2026-03-02.",
		ResponseFormat: typed.ResponseFormat[Meeting]("meeting", typed.Strict()),
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, assistant.ID, &err)

	letter := "Bilal, could we talk about the budget on Friday? 30 minutes will do. Anna"
	fmt.Fprintln(out, letter)
	finished, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: assistant.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(letter)}},
	})
	if finished != nil { // so there is a thread, even if waiting failed
		defer endpoint.Remove(ctx, client.Threads.Delete, finished.ThreadID, &err)
	}
	if err != nil {
		return err
	}
	if err := finished.Err(); err != nil {
		return err
	}

	page, err := client.Messages.List(ctx, finished.ThreadID, assistants.MessageListParams{RunID: finished.ID})
	if err != nil {
		return err
	}
	if len(page.Data) == 0 {
		return errors.New("the run wrote no message")
	}
	meeting, err := typed.Decode[Meeting](page.Data[0])
	if refusal, ok := errors.AsType[*typed.RefusalError](err); ok {
		fmt.Fprintln(out, "The model would rather not:", refusal.Refusal)
		return nil
	}
	if err != nil {
		return err // the answer broke off, or does not follow the schema
	}
	fmt.Fprintf(out, "%s: %q, %d minutes\n", meeting.Day, meeting.Title, meeting.Minutes)
	for _, name := range meeting.Attendees {
		fmt.Fprintln(out, "invited:", name)
	}
	return nil
}
