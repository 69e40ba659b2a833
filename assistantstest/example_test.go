package assistantstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

// The examples are bodies of tests. As examples are no tests, each runs in one that is made by inTest, and prints how
// that went. A whole file is in example_application_test.go.

// ask is the program that the examples test.
func ask(ctx context.Context, client *assistants.Client, question string) (string, error) {
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
	if err != nil {
		return "", err
	}
	stream, err := client.Threads.CreateAndRunStream(ctx, asking(assistant.ID, question))
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var answer strings.Builder
	for text, err := range stream.Text() {
		if err != nil {
			return answer.String(), err
		}
		answer.WriteString(text)
	}
	return answer.String(), stream.Run().Err()
}

func ExampleNew() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithRules(
			server.When(server.Asked("hello"), server.Say("Hello yourself.")),
		))
		answer, err := ask(t.Context(), api.Client, "Hello?")
		if err != nil || answer != "Hello yourself." {
			t.Errorf("got %q, %v", answer, err)
		}
	}))
	// Output: PASS
}

func ExampleWithRules() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithRules(
			server.When(server.Asked("hello"), server.Say("Hello yourself.")),
		))
		_, err := ask(t.Context(), api.Client, "Goodbye.") // for which there is no rule
		if err == nil {
			t.Errorf("no error")
		}
	}))
	// Output:
	// FAIL
	// assistantstest: no rule answers call 1 of the model in run_1, which is to reply to the message "Goodbye.": add one to WithRules, such as server.When(server.Asked("Goodbye."), …)
}

func ExampleWithModel() {
	fmt.Println(inTest(func(t testing.TB) {
		parrot := server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
			return func(yield func(server.ModelEvent, error) bool) {
				yield(server.Text(call.LastUserMessage().Text()), nil)
			}
		})
		api := assistantstest.New(t, assistantstest.WithModel(parrot))
		fmt.Println(ask(t.Context(), api.Client, "Polly wants a cracker."))
	}))
	// Output:
	// Polly wants a cracker. <nil>
	// PASS
}

func ExampleWithServer() {
	fmt.Println(inTest(func(t testing.TB) {
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		api := assistantstest.New(t, assistantstest.WithServer(server.WithClock(func() time.Time { return noon })))
		thread, err := api.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		fmt.Println(thread.ID, thread.CreatedAt.Time().UTC())
	}))
	// Output:
	// thread_1 2026-01-02 12:00:00 +0000 UTC
	// PASS
}

func ExampleWithClient() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t,
			assistantstest.WithClient(assistants.WithMaxRetries(2)),
			assistantstest.WithFaults(assistantstest.Fault{Nth: 1, Status: 503}),
		)
		if _, err := api.Threads.Create(t.Context(), assistants.ThreadCreateParams{}); err != nil {
			t.Errorf("%v", err)
		}
		for _, request := range api.Requests() {
			fmt.Println(request)
		}
	}))
	// Output:
	// POST /threads: 503
	// POST /threads: 200
	// PASS
}

func ExampleWithFaults() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t,
			assistantstest.WithRules(server.Otherwise(server.Say("Hello yourself."))),
			assistantstest.WithFaults(assistantstest.Fault{On: "POST /threads/runs", CutAfter: 9}),
		)
		answer, err := ask(t.Context(), api.Client, "Hello?")
		fmt.Println(answer, errors.Is(err, io.ErrUnexpectedEOF))
	}))
	// Output:
	// Hello true
	// PASS
}

func ExampleWithExpectedRequests() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithExpectedRequests("POST /assistants", "POST /threads/runs", "DELETE /threads/{thread_id}"))
		if _, err := ask(t.Context(), api.Client, "Hello?"); err != nil {
			t.Errorf("%v", err)
		}
	}))
	// Output:
	// FAIL
	// assistantstest: DELETE /threads/{thread_id} was expected and never sent
}

func ExampleAPI_Requests() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t)
		_, _ = ask(t.Context(), api.Client, "Hello?")
		for _, request := range api.Requests("POST /threads/runs") {
			fmt.Println(string(request.Body))
		}
	}))
	// Output:
	// {"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"Hello?"}]},"stream":true}
	// PASS
}

func ExampleAPI_ModelCalls() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t)
		_, _ = ask(t.Context(), api.Client, "Hello?")
		for _, call := range api.ModelCalls() {
			fmt.Println(call.Model, call.LastUserMessage().Text())
		}
	}))
	// Output:
	// gpt-4o Hello?
	// PASS
}

func ExampleAPI_URL() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t)
		client, err := assistants.NewClient(assistants.WithBaseURL(api.URL()), assistants.WithAPIKey("none"))
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer client.CloseIdleConnections()
		_, err = client.Threads.Retrieve(t.Context(), "thread_1")
		fmt.Println(errors.Is(err, assistants.ErrNotFound))
	}))
	// Output:
	// true
	// PASS
}

func ExampleCheckStream() {
	fmt.Println(inTest(func(t testing.TB) {
		api := assistantstest.New(t)
		run := startRun(t, api, "Hello?")
		finished(t, api, run)
		var stream strings.Builder
		body := map[string]any{"assistant_id": run.AssistantID, "stream": true}
		if err := api.Call(t.Context(), "POST", "/threads/"+run.ThreadID+"/runs", body, &stream); err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistantstest.CheckStream(strings.NewReader(stream.String())))
		fmt.Println(assistantstest.CheckStream(strings.NewReader(strings.TrimSuffix(stream.String(), "event: done\ndata: [DONE]\n\n"))))
	}))
	// Output:
	// <nil>
	// the stream ends without done and without an error
	// PASS
}
