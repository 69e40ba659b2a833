// Chat asks a maths tutor questions in one thread and shows the answers as they are written, with the code that the
// tutor runs on the way.
//
//	go run ./examples/chat
//	go run ./examples/chat "What is 17 to the power of 5?" "Is it prime?"
//
// It runs on the embedded server, where a stand-in, which knows how to do sums and how to solve equations, takes the place
// of a model unless OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names one, or on the server that
// OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

// questions are asked one after the other, in the same thread.
var questions = []string{
	"I need to solve the equation `3x + 11 = 14`. Can you help me?",
	"And what is 17 to the power of 5?",
}

func main() {
	if len(os.Args) > 1 {
		questions = os.Args[1:]
	}
	endpoint.Main(run)
}

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor. Write and run code to answer math questions.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, tutor.ID, &err)

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)

	for _, question := range questions {
		fmt.Fprintf(out, "\nuser > %s\n", question)
		if err := ask(ctx, client, tutor.ID, thread.ID, question, out); err != nil {
			return err
		}
	}
	return nil
}

// ask adds a question to a thread, runs the assistant on it and shows what it does while it does so.
func ask(ctx context.Context, client *assistants.Client, assistantID, threadID, question string, out io.Writer) error {
	if _, err := client.Messages.Create(ctx, threadID, assistants.UserMessage(question)); err != nil {
		return err
	}
	stream, err := client.Runs.Stream(ctx, threadID, assistants.RunCreateParams{
		AssistantID:            assistantID,
		AdditionalInstructions: "Please address the user as Jane Doe. The user has a premium account.",
	}, assistants.WithCancelOnAbandon()) // nobody would read the rest of the answer, and it costs
	if err != nil {
		return err
	}
	defer stream.Close()

	finished, err := stream.Handle(assistants.Handler{
		OnTextCreated: func(*assistants.Text) { fmt.Fprint(out, "\nassistant > ") },
		OnText:        func(delta, _ string) { fmt.Fprint(out, delta) },
		OnTextDone:    func(*assistants.Text) { fmt.Fprintln(out) },
		OnToolCall:    func(call *assistants.ToolCall) { fmt.Fprintf(out, "\nassistant > %s\n", call.Type) },
		OnToolCallDelta: func(delta *assistants.ToolCallDelta, _ *assistants.ToolCall) {
			if delta.CodeInterpreter == nil {
				return
			}
			fmt.Fprint(out, delta.CodeInterpreter.Input)
			for _, output := range delta.CodeInterpreter.Outputs {
				if output.Type == assistants.CodeInterpreterLogs {
					fmt.Fprintf(out, "\noutput > %s", output.Logs)
				}
			}
		},
	})
	if err != nil {
		return err
	}
	return finished.Err()
}
