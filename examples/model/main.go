// Model has a model of one's own speak for an assistant: a therapist after Weizenbaum's Eliza, which turns sentences
// round, asks a function of the program for the time, and writes word by word. A language model behind some other API is
// plugged in in the same way; packages server/responses and server/chat are those of two APIs.
//
// It runs on the embedded server, in this process, and needs nothing else.
package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

// eliza is a [server.Model].
type eliza struct{}

// Respond calls a function if that is what it takes, and says something otherwise.
func (eliza) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		outputs, asked := call.Outputs(), call.LastUserMessage()
		switch {
		case len(outputs) > 0: // the run goes on, with what its function said
			speak("It is "+outputs[0].Function.Output+". Do you have to go?", yield)
		case asked == nil:
			speak("How do you feel today?", yield)
		case strings.Contains(asked.Text(), "time") && len(call.Tools) > 0:
			yield(server.FunctionCall{Name: "get_time", Arguments: "{}"}, nil) // the run waits for the output
		default:
			speak(turnedRound(asked.Text()), yield)
		}
	}
}

// speak yields a text word by word, until nobody wants more.
func speak(text string, yield func(server.ModelEvent, error) bool) {
	for word := range strings.SplitAfterSeq(text, " ") {
		if !yield(server.Text(word), nil) {
			return
		}
	}
}

var feeling = regexp.MustCompile(`(?i)\bI (am|feel|want|need) (.+?)[.!?]*$`)

// turnedRound makes a question of a sentence: "I am sad." is "Why are you sad?".
func turnedRound(sentence string) string {
	found := feeling.FindStringSubmatch(sentence)
	if found == nil {
		return "Please go on."
	}
	rest := strings.NewReplacer("my ", "your ", "me ", "you ").Replace(found[2])
	if verb := strings.ToLower(found[1]); verb != "am" {
		return "Why do you " + verb + " " + rest + "?"
	}
	return "Why are you " + rest + "?"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	api := server.New(server.WithModel(eliza{}))
	client, err := assistants.NewClient(assistants.WithHandler(api))
	if err == nil {
		fmt.Println("Talking to the embedded server, with a model of this program")
		err = run(ctx, client, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := api.Close(); err != nil {
		log.Fatal(err)
	}
}

var clock = typed.NewFunction("get_time", "The time of day.",
	func(context.Context, struct{}) (string, error) { return time.Now().Format("15:04"), nil })

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	therapist, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model: "eliza",
		Tools: []assistants.Tool{clock.Tool()},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, therapist.ID, &err)

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)

	for _, said := range []string{"Hello!", "I am tired of my work.", "I need a holiday.", "What time is it?"} {
		if err := tell(ctx, client, therapist.ID, thread.ID, said, out); err != nil {
			return err
		}
	}
	return nil
}

// tell adds what is said to the thread, and shows the answer as it is written.
func tell(ctx context.Context, client *assistants.Client, assistantID, threadID, said string, out io.Writer) error {
	fmt.Fprintf(out, "\nyou   > %s\neliza > ", said)
	stream, err := client.Runs.Stream(ctx, threadID, assistants.RunCreateParams{
		AssistantID:        assistantID,
		AdditionalMessages: []assistants.MessageCreateParams{assistants.UserMessage(said)},
	}, typed.HandleCalls(clock))
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
	fmt.Fprintln(out)
	return stream.Run().Err()
}
