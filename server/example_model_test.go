package server_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// newTalk returns a client of a server with an assistant that has these tools, and the assistant's id.
func newTalk(api *server.Server, tools ...assistants.Tool) (*assistants.Client, string) {
	client, err := assistants.NewClient(assistants.WithHandler(api))
	if err != nil {
		log.Fatal(err)
	}
	assistant, err := client.Assistants.Create(context.Background(), assistants.AssistantCreateParams{Model: "m", Tools: tools})
	if err != nil {
		log.Fatal(err)
	}
	return client, assistant.ID
}

// opening is a thread with a question and a run on it.
func opening(assistantID, question string) assistants.ThreadCreateAndRunParams {
	return assistants.ThreadCreateAndRunParams{AssistantID: assistantID, Thread: assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)},
	}}
}

// showTalk asks a question of an assistant with these tools, and prints all that comes of it. Functions answer "21 °C".
func showTalk(model server.Model, question string, tools ...assistants.Tool) {
	api := server.New(server.WithModel(model), server.WithIDSource(counter()))
	defer api.Close()
	client, id := newTalk(api, tools...)
	stream, err := client.Threads.CreateAndRunStream(context.Background(), opening(id, question), assistants.WithToolHandler(
		func(context.Context, assistants.ToolCall) (string, error) { return "21 °C", nil }))
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	run, err := stream.Handle(assistants.Handler{
		OnToolCallDone: func(call *assistants.ToolCall) {
			switch {
			case call.Function != nil:
				fmt.Println("calls", call.Function.Name, call.Function.Arguments)
			case call.CodeInterpreter != nil:
				fmt.Print("runs ", call.CodeInterpreter.Input, "\nprints ", call.CodeInterpreter.Outputs[0].Logs)
			case call.FileSearch != nil:
				fmt.Println("finds", call.FileSearch.Results[0].FileName)
			}
		},
		OnTextDone: func(text *assistants.Text) { fmt.Println("says", text.Value) },
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Err(); err != nil {
		fmt.Println(err)
	}
}

// weather is a function that assistants may call.
var weather = assistants.Tool{Function: &assistants.FunctionDefinition{Name: "get_weather"}}

// A model is anything that yields events. This one shouts back.
func ExampleWithModel() {
	shout := func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for word := range strings.SplitAfterSeq(call.LastUserMessage().Text(), " ") {
				if !yield(server.Text(strings.ToUpper(word)), nil) {
					return // the run was cancelled, say
				}
			}
		}
	}
	api := server.New(server.WithModel(server.ModelFunc(shout)))
	defer api.Close()

	client, id := newTalk(api)
	stream, err := client.Threads.CreateAndRunStream(context.Background(), opening(id, "Is anybody there?"))
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
	// Output: IS ANYBODY THERE?
}

// Runs for which there is no place wait in the queue.
func ExampleWithMaxConcurrentCalls() {
	began, release := make(chan struct{}, 2), make(chan struct{})
	api := server.New(server.WithMaxConcurrentCalls(1), server.WithModel(server.NewScripted(server.Otherwise(
		func(context.Context, *server.ModelCall, func(server.ModelEvent, error) bool) bool {
			began <- struct{}{}
			return true
		},
		server.Until(release),
	))))
	defer api.Close()
	ctx := context.Background()
	client, id := newTalk(api)

	first, err := client.Threads.CreateAndRun(ctx, opening(id, "One?"))
	if err != nil {
		log.Fatal(err)
	}
	<-began
	second, err := client.Threads.CreateAndRun(ctx, opening(id, "Two?"))
	if err != nil {
		log.Fatal(err)
	}
	for _, run := range []*assistants.Run{first, second} {
		now, err := client.Runs.Retrieve(ctx, run.ThreadID, run.ID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(now.Status)
	}
	close(release)
	// Output:
	// in_progress
	// queued
}

func ExampleStandIn() {
	showTalk(server.StandIn(), "What is 17 * 4?", assistants.Tool{Type: assistants.ToolCodeInterpreter})
	showTalk(server.StandIn(), "Is the weather fine?", weather)
	showTalk(server.StandIn(), "Who are you?")
	// Output:
	// runs print(17 * 4)
	//
	// prints 68
	// says The result is 68. I am a stand-in, not a model; server.WithModel plugs in a real one.
	// calls get_weather {}
	// says get_weather says: 21 °C
	// I am a stand-in, not a model; server.WithModel plugs in a real one.
	// says Thank you for your message: “Who are you?” Alas, I am a stand-in, not a model; server.WithModel plugs in a real one.
}

// A model for a test of a program that asks about the weather.
func ExampleNewScripted() {
	model := server.NewScripted(
		server.When(server.Submitted("get_weather"), server.Say("It is fine.")),
		server.When(server.Asked("weather"), server.CallFunction("get_weather", `{"city":"Oslo"}`)),
		server.Otherwise(server.Say("I only know about the weather.")),
	)
	showTalk(model, "What is the weather like?", weather)
	showTalk(model, "Who are you?", weather)
	// Output:
	// calls get_weather {"city":"Oslo"}
	// says It is fine.
	// says I only know about the weather.
}

// The first rule that applies counts, so those for special cases come first.
func ExampleWhen() {
	model := server.NewScripted(
		server.When(server.Asked("overload"), server.Fail("rate_limit_exceeded", "Try again in a minute.")).Once(),
		server.When(nil, server.Say("Here I am.")), // which is Otherwise
	)
	showTalk(model, "Do you stand an overload?")
	showTalk(model, "Do you stand an overload?")
	// Output:
	// assistants: run run_1 is failed: rate_limit_exceeded: Try again in a minute.
	// says Here I am.
}

func ExampleOtherwise() {
	showTalk(server.NewScripted(server.Otherwise(server.Say("Yes."))), "Is there anything that you don't agree with?")
	// Output: says Yes.
}

func ExampleAsked() {
	model := server.NewScripted(
		server.When(server.Asked("goodbye"), server.Say("See you!")),
		server.When(server.Asked("good"), server.Say("Good day!")),
	)
	showTalk(model, "Good morning!")
	showTalk(model, "Goodbye!")
	showTalk(model, "Hello?")
	// Output:
	// says Good day!
	// says See you!
	// assistants: run run_1 is failed: server_error: No rule of the script applies to this call.
}

func ExampleSubmitted() {
	model := server.NewScripted(
		server.When(server.Submitted("get_weather"), server.Reply(func(call *server.ModelCall) string {
			return "It has " + call.Outputs()[0].Function.Output + "."
		})),
		server.When(server.Offered(assistants.ToolFunction), server.CallFunction("get_weather", "{}")),
	)
	showTalk(model, "What is the weather like?", weather)
	// Output:
	// calls get_weather {}
	// says It has 21 °C.
}

func ExampleOffered() {
	model := server.NewScripted(
		server.When(server.Offered(assistants.ToolCodeInterpreter), server.RunCode("print(6 * 7)", "42\n"), server.Say("It is 42.")),
		server.Otherwise(server.Say("I am bad at sums.")),
	)
	showTalk(model, "What is six times seven?")
	showTalk(model, "What is six times seven?", assistants.Tool{Type: assistants.ToolCodeInterpreter})
	// Output:
	// says I am bad at sums.
	// runs print(6 * 7)
	// prints 42
	// says It is 42.
}

// An answer that the model stops in the middle.
func ExampleYield() {
	showTalk(server.NewScripted(server.Otherwise(
		server.Say("Once upon a time"),
		server.Yield(server.Usage{PromptTokens: 20, CompletionTokens: 4}, server.FinishContentFilter),
	)), "Tell me a story!")
	// Output:
	// says Once upon a time
	// assistants: run run_1 is incomplete: content_filter
}

// The words of a text are streamed one by one.
func ExampleSay() {
	showTalk(server.NewScripted(server.Otherwise(server.Say("Hello, "), server.Say("world!"))), "Hello?")
	// Output: says Hello, world!
}

func ExampleReply() {
	echo := server.Reply(func(call *server.ModelCall) string { return call.LastUserMessage().Text() + " indeed." })
	showTalk(server.NewScripted(server.Otherwise(echo)), "Interesting.")
	// Output: says Interesting. indeed.
}

// Calls that follow each other are made together.
func ExampleCallFunction() {
	showTalk(server.NewScripted(
		server.When(server.Submitted(""), server.Say("It is 21 °C in both.")),
		server.Otherwise(
			server.CallFunction("get_weather", `{"city":"Oslo"}`),
			server.CallFunction("get_weather", `{"city":"Rome"}`),
		),
	), "Where is it warmer?", weather)
	// Output:
	// calls get_weather {"city":"Oslo"}
	// calls get_weather {"city":"Rome"}
	// says It is 21 °C in both.
}

func ExampleRunCode() {
	showTalk(server.NewScripted(server.Otherwise(server.RunCode("print(6 * 7)", "42\n"), server.Say("It is 42."))), "Six times seven?")
	// Output:
	// runs print(6 * 7)
	// prints 42
	// says It is 42.
}

func ExampleSearch() {
	showTalk(server.NewScripted(server.Otherwise(
		server.Search(assistants.FileSearchResult{FileID: "file-rules", FileName: "rules.md", Score: 0.91}),
		server.Say("Four weeks."),
	)), "How long may I keep a book?")
	// Output:
	// finds rules.md
	// says Four weeks.
}

func ExampleCite() {
	showTalk(server.NewScripted(server.Otherwise(server.Say("Four weeks"), server.Cite("file-rules", "rules.md"), server.Say("."))),
		"How long may I keep a book?")
	// Output: says Four weeks【4:0†rules.md】.
}

func ExampleFail() {
	showTalk(server.NewScripted(server.Otherwise(server.Fail("invalid_prompt", "That is no question."))), "Hm.")
	// Output: assistants: run run_1 is failed: invalid_prompt: That is no question.
}

// A slow model, for progress bars.
func ExampleWait() {
	showTalk(server.NewScripted(server.Otherwise(server.Say("Wait …"), server.Wait(time.Millisecond), server.Say(" done."))), "Go!")
	// Output: says Wait … done.
}

// A test decides when the model goes on.
func ExampleUntil() {
	release := make(chan struct{})
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(server.Until(release), server.Say("Now.")))))
	defer api.Close()
	ctx := context.Background()
	client, id := newTalk(api)
	run, err := client.Threads.CreateAndRun(ctx, opening(id, "When?"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Messages.Create(ctx, run.ThreadID, assistants.UserMessage("Hurry up!"))
	fmt.Println(err != nil) // a run is active

	close(release)
	run, err = client.Runs.Poll(ctx, run.ThreadID, run.ID, assistants.WithPollInterval(time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// true
	// completed
}

// Of a long thread a model is shown the newest messages, and the first.
func ExampleWithMaxContextTokens() {
	api := server.New(server.WithMaxContextTokens(200), server.WithModel(server.NewScripted(server.Otherwise(
		server.Reply(func(call *server.ModelCall) string {
			var shown []string
			for _, turn := range call.History {
				chapter, _, _ := strings.Cut(turn.Message.Text(), ":")
				shown = append(shown, chapter)
			}
			return strings.Join(shown, ", ")
		}),
	))))
	defer api.Close()
	client, id := newTalk(api)
	var story []assistants.MessageCreateParams
	for chapter := range 9 {
		story = append(story, assistants.UserMessage(fmt.Sprintf("Chapter %d: %s", chapter+1, strings.Repeat("and so on ", 20))))
	}
	stream, err := client.Threads.CreateAndRunStream(context.Background(), assistants.ThreadCreateAndRunParams{
		AssistantID: id, Thread: assistants.ThreadCreateParams{Messages: story},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Wait(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(stream.Messages()[0].Text())
	// Output: Chapter 1, Chapter 8, Chapter 9
}

// Do tells the program when the model is at work.
func ExampleDo() {
	begun := make(chan string, 1)
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(
		server.Do(func(call *server.ModelCall) { begun <- call.LastUserMessage().Text() }),
		server.Say("One moment."),
	))))
	defer api.Close()
	client, id := newTalk(api)
	stream, err := client.Threads.CreateAndRunStream(context.Background(), assistants.ThreadCreateAndRunParams{
		AssistantID: id,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("Hello?")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	fmt.Println(<-begun)
	// Output: Hello?
}
