package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	runsPerRound = 20
	runLimit     = 3.2 // of a run, in floors
	aWord        = "word "
)

// A talk is a conversation of one question and its answer, with a client.
type talk func(ctx context.Context, client *assistants.Client, assistantID, answer string) error

// runs measures conversations from the creation of the thread to the end of the run.
func runs(w io.Writer, rounds int) ([]report.Target, error) {
	fmt.Fprintln(w, "| thread, message and run | deltas | runs per second | µs per run | floor, µs | ratio to floor |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|")
	var list []report.Target
	for _, deltas := range []int{1, 100} {
		for _, way := range []struct {
			name     string
			talk     talk
			loopback bool
		}{
			{"polled, in process", polled, false},
			{"polled, loopback", polled, true},
			{"streamed, in process", streamed, false},
			{"streamed, loopback", streamed, true},
		} {
			took, err := compareRuns(rounds, way.talk, way.loopback, deltas)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", way.name, err)
			}
			per := took.median() / runsPerRound
			fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %.0f | %.2f |\n", way.name, deltas,
				1e6/per, per, took.floor()/runsPerRound, took.ratio())
			list = append(list, report.Target{
				What: fmt.Sprintf("Runs, %s, deltas: %d, time in floors", way.name, deltas), Got: took.ratio(), Limit: runLimit,
			})
		}
	}
	return list, nil
}

// compareRuns has conversations with a server, and the same ones with what it answered.
func compareRuns(rounds int, talk talk, loopback bool, deltas int) (*times, error) {
	ctx := context.Background()
	answer := strings.Repeat(aWord, deltas)
	s := server.New(server.WithModel(server.NewScripted(server.Otherwise(server.Say(answer)))))
	defer s.Close()
	assistant, err := newAssistant(ctx, s)
	if err != nil {
		return nil, err
	}
	var rec recording
	client, stop, err := clientOf(rec.record(s, nil), loopback)
	if err != nil {
		return nil, err
	}
	defer stop()
	floor, stop, err := clientOf(rec.play(), loopback)
	if err != nil {
		return nil, err
	}
	defer stop()
	several := func(client *assistants.Client) error {
		rec.rewind()
		for range runsPerRound {
			if err := talk(ctx, client, assistant, answer); err != nil {
				return err
			}
		}
		return nil
	}
	return measure(rounds, func() error { return several(client) }, func() error { return several(floor) })
}

func newAssistant(ctx context.Context, h http.Handler) (string, error) {
	client, err := assistants.NewClient(assistants.WithHandler(h))
	if err != nil {
		return "", err
	}
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "m", Instructions: "Answer briefly."})
	if err != nil {
		return "", err
	}
	return assistant.ID, nil
}

// clientOf returns a client of a handler in this process, called directly or over the loopback interface.
func clientOf(h http.Handler, loopback bool) (client *assistants.Client, stop func(), err error) {
	if !loopback {
		client, err = assistants.NewClient(assistants.WithHandler(h))
		return client, func() {}, err
	}
	listening := httptest.NewServer(h)
	client, err = assistants.NewClient(assistants.WithBaseURL(listening.URL+"/v1"), assistants.WithAPIKey("key"),
		assistants.WithHTTPClient(listening.Client()))
	if err != nil {
		listening.Close()
	}
	return client, listening.Close, err
}

func ask(ctx context.Context, client *assistants.Client) (threadID string, err error) {
	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return "", err
	}
	_, err = client.Messages.Create(ctx, thread.ID, assistants.UserMessage("How are you?"))
	return thread.ID, err
}

func polled(ctx context.Context, client *assistants.Client, assistantID, _ string) error {
	threadID, err := ask(ctx, client)
	if err != nil {
		return err
	}
	run, err := client.Runs.CreateAndPoll(ctx, threadID, assistants.RunCreateParams{AssistantID: assistantID},
		assistants.WithPollInterval(time.Microsecond)) // what matters is the server, not the pause
	if err != nil {
		return err
	}
	return run.Err()
}

func streamed(ctx context.Context, client *assistants.Client, assistantID, answer string) error {
	threadID, err := ask(ctx, client)
	if err != nil {
		return err
	}
	stream, err := client.Runs.Stream(ctx, threadID, assistants.RunCreateParams{AssistantID: assistantID})
	if err != nil {
		return err
	}
	defer stream.Close()
	length := 0
	for text, err := range stream.Text() {
		if err != nil {
			return err
		}
		length += len(text)
	}
	if length != len(answer) {
		return fmt.Errorf("%d bytes of %d have arrived", length, len(answer))
	}
	return stream.Run().Err()
}
