package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

func ExampleRunsService_Stream() {
	ctx, client := context.Background(), newConversation(says("Good morning, Jane Doe!"))
	say(client, "Good morning!")

	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err) // such as ErrNotFound, ErrRateLimited
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err) // the stream broke off
		}
		fmt.Print(text)
	}
	fmt.Println("\nThe run is", stream.Run().Status)
	// Output:
	// Good morning, Jane Doe!
	// The run is completed
}

func ExampleThreadsService_CreateAndRunStream() {
	ctx, client := context.Background(), newConversation(says("Good morning!"))

	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: "asst_1",
		Thread: assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{assistants.UserMessage("Good morning!")},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	run, err := stream.Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.ThreadID, run.Status, stream.Messages()[0].Text())
	// Output: thread_2 completed Good morning!
}

func ExampleStream_Events() {
	ctx, client := context.Background(), newConversation(says("Good morning!"))
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()

	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case event.Run != nil:
			fmt.Println(event.Type)
		case event.Type == assistants.EventMessageDelta:
			fmt.Printf("%q\n", event.MessageDelta.Text())
		case event.Type == assistants.EventMessageCompleted:
			fmt.Println(event.Message.ID, "is whole")
		}
	}
	// Output:
	// thread.run.created
	// thread.run.queued
	// thread.run.in_progress
	// "Good"
	// " morning!"
	// msg_1 is whole
	// thread.run.completed
}

// What one loop has read no other sees: a second one goes on from where the first left off.
func ExampleStream_Text() {
	ctx, client := context.Background(), newConversation(says("Once upon a time"))
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()

	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("It begins with %q.\n", text)
		break
	}
	if _, err := stream.Wait(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(stream.Messages()[0].Text())
	// Output:
	// It begins with "Once".
	// Once upon a time
}

// The event handler of the guides, which shows the code that the assistant runs as well.
func ExampleStream_Handle() {
	ctx, client := context.Background(), newConversation(server.When(server.Asked("equation"),
		server.RunCode("x = (14 - 11) / 3\nprint(x)", "1.0\n"),
		server.Say("It is solved by x = 1."),
	))
	say(client, "I need to solve the equation `3x + 11 = 14`. Can you help me?")
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()

	run, err := stream.Handle(assistants.Handler{
		OnTextCreated: func(*assistants.Text) { fmt.Print("assistant > ") },
		OnText:        func(delta, snapshot string) { fmt.Print(delta) },
		OnToolCall:    func(call *assistants.ToolCall) { fmt.Println("assistant >", call.Type) },
		OnToolCallDelta: func(delta *assistants.ToolCallDelta, snapshot *assistants.ToolCall) {
			if delta.CodeInterpreter == nil {
				return
			}
			fmt.Print(delta.CodeInterpreter.Input)
			for _, output := range delta.CodeInterpreter.Outputs {
				fmt.Print("\noutput > ", output.Logs)
			}
		},
		OnEnd: func() { fmt.Println() },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// assistant > code_interpreter
	// x = (14 - 11) / 3
	// print(x)
	// output > 1.0
	// assistant > It is solved by x = 1.
	// completed
}

// A run that failed is no error of its stream.
func ExampleStream_Wait() {
	ctx, client := context.Background(), newConversation() // whose model says nothing
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()

	run, err := stream.Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status, run.LastError.Message)
	// Output: failed No rule of the script applies to this call.
}

func ExampleStream_Close() {
	ctx, client := context.Background(), newConversation(says("Once upon a time"))
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		break // enough was read
	}
	if err := stream.Close(); err != nil {
		log.Fatal(err)
	}

	run, err := client.Runs.Poll(ctx, "thread_1", stream.Run().ID) // the run goes on
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output: completed
}

// What nobody reads any more need not be written, and paid for.
func ExampleWithCancelOnAbandon() {
	ctx, client := context.Background(), newConversation(server.Otherwise(server.Say("Once upon a time"), server.Wait(time.Hour)))
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithCancelOnAbandon())
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		break
	}
	if err := stream.Close(); err != nil {
		log.Fatal(err) // the run was not cancelled
	}

	run, err := client.Runs.Poll(ctx, "thread_1", stream.Run().ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output: cancelled
}

// Servers may have something to say that this package does not know: it arrives with its name and its data.
func ExampleEvent() {
	client := newStreamingClient(
		"event: thread.run.created\ndata: {\"id\":\"run_1\",\"object\":\"thread.run\",\"status\":\"queued\"}\n\n",
		"event: thread.run.price\ndata: {\"cents\":3}\n\n",
		"event: thread.run.completed\ndata: {\"id\":\"run_1\",\"object\":\"thread.run\",\"status\":\"completed\"}\n\n",
		"event: done\ndata: [DONE]\n\n",
	)
	stream, err := client.Runs.Stream(context.Background(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		if event.Type == "thread.run.price" {
			fmt.Println(string(event.Data))
		}
	}
	// Output: {"cents":3}
}

// newStreamingClient returns a client of a handler that writes events.
func newStreamingClient(events ...string) *assistants.Client {
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			fmt.Fprint(w, event)
		}
	})))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func ExampleStreamError() {
	client := newStreamingClient(
		"event: error\ndata: {\"error\":{\"message\":\"The model is overloaded.\",\"type\":\"server_error\",\"code\":null}}\n\n",
	)
	stream, err := client.Runs.Stream(context.Background(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()

	_, err = stream.Wait()
	var e *assistants.StreamError
	switch {
	case errors.As(err, &e):
		fmt.Println("The server reports:", e.Type, e.Message)
	case errors.Is(err, io.ErrUnexpectedEOF):
		fmt.Println("The connection was lost; the run lives on, and Poll waits for it.")
	}
	// Output: The server reports: server_error The model is overloaded.
}

// Here the events come from a channel, which could be a queue between two programs.
// A run is watched in one place and shown in another.
func ExampleDecodeEvent() {
	ctx, client := context.Background(), newConversation(says("Once upon a time"))
	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	type message struct {
		typ  assistants.EventType
		data []byte
	}
	queue := make(chan message)
	go func() {
		defer close(queue)
		defer stream.Close()
		for event, err := range stream.Events() {
			if err != nil {
				return // the accumulator shows how far it came
			}
			queue <- message{event.Type, event.Data}
		}
	}()

	var added assistants.Accumulator
	for m := range queue {
		event, err := assistants.DecodeEvent(m.typ, m.data)
		if err != nil {
			log.Fatal(err)
		}
		if err := added.Add(event); err != nil {
			log.Fatal(err)
		}
		if event.MessageDelta != nil {
			fmt.Println(added.Messages()[0].Text())
		}
	}
	fmt.Println(added.Run().Status)
	// Output:
	// Once
	// Once upon
	// Once upon a
	// Once upon a time
	// completed
}
