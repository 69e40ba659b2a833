// Polling runs an assistant without a stream: it waits until the run has ended, says how, and lists the thread.
//
// It runs on the embedded server, where a stand-in takes the place of a model unless OPENAI_API_KEY,
// AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names one, or on the server that OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

func main() { endpoint.Main(run) }

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // for all of it, the waiting included
	defer cancel()

	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Instructions: "You explain puzzles. Please address the user as Jane Doe.",
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, assistant.ID, &err)

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)

	if _, err := client.Messages.Create(ctx, thread.ID, assistants.UserMessage("How many stickers are on a Rubik's cube?")); err != nil {
		return err
	}
	finished, err := client.Runs.CreateAndPoll(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistant.ID},
		assistants.WithCancelOnAbandon()) // an answer that comes too late is not worth its price
	if err != nil {
		return err // it could not be created, or not be waited for
	}
	if err := judge(finished); err != nil {
		return err
	}
	if finished.Usage != nil { // not every server counts
		fmt.Fprintf(out, "%d tokens\n", finished.Usage.TotalTokens)
	}

	oldestFirst := assistants.MessageListParams{Order: assistants.OrderAsc}
	for message, err := range client.Messages.All(ctx, thread.ID, oldestFirst) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", message.Role, message.Text())
	}
	return nil
}

// judge says what a program can make of a run that it has waited for.
func judge(run *assistants.Run) error {
	switch run.Status {
	case assistants.RunCompleted:
		return nil
	case assistants.RunRequiresAction:
		return fmt.Errorf("the run waits for %d functions, and this program has none", len(run.FunctionCalls()))
	case assistants.RunIncomplete:
		if run.IncompleteDetails == nil {
			return errors.New("the answer is cut short")
		}
		return fmt.Errorf("the answer is cut short: %s", run.IncompleteDetails.Reason) // more tokens may help
	case assistants.RunFailed:
		if run.LastError == nil {
			return errors.New("the run failed")
		}
		return fmt.Errorf("the run failed: %s: %s", run.LastError.Code, run.LastError.Message) // rate limits pass
	case assistants.RunCancelled, assistants.RunExpired:
		return fmt.Errorf("there is no answer: the run is %s", run.Status)
	}
	return fmt.Errorf("the run has a status of its server's own: %q", run.Status)
}
