// Steps looks at what a run did on the way to its answer: the code that the code interpreter ran, and what came of it.
//
// It runs on the embedded server, where a stand-in takes the place of a model unless OPENAI_API_KEY,
// AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names one, or on the server that OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

func main() { endpoint.Main(run) }

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Instructions: "You are a personal math tutor. Write and run code to answer math questions.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, assistant.ID, &err)

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage("What is 123456789 * 987654321?")},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)

	finished, err := client.Runs.CreateAndPoll(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistant.ID})
	if err != nil {
		return err
	}
	if err := finished.Err(); err != nil {
		return err
	}

	number := 0
	for step, err := range client.RunSteps.All(ctx, thread.ID, finished.ID, assistants.ListParams{Order: assistants.OrderAsc}) {
		if err != nil {
			return err
		}
		number++
		fmt.Fprintf(out, "step %d: %s, %s\n", number, step.Type, step.Status)
		if err := show(ctx, client, step, out); err != nil {
			return err
		}
	}
	return nil
}

// show prints what a step did.
func show(ctx context.Context, client *assistants.Client, step *assistants.RunStep, out io.Writer) error {
	if made := step.StepDetails.MessageCreation; made != nil {
		message, err := client.Messages.Retrieve(ctx, step.ThreadID, made.MessageID)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, indented(message.Text()))
	}
	for _, call := range step.StepDetails.ToolCalls {
		if call.CodeInterpreter == nil {
			continue // another tool
		}
		fmt.Fprintln(out, indented(call.CodeInterpreter.Input))
		for _, output := range call.CodeInterpreter.Outputs {
			switch output.Type {
			case assistants.CodeInterpreterLogs:
				fmt.Fprintln(out, "  printed:", strings.TrimSpace(output.Logs))
			case assistants.CodeInterpreterImage:
				fmt.Fprintln(out, "  showed: ", output.Image.FileID)
			}
		}
	}
	return nil
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}
