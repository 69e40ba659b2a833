package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// The functions of this file are the Go code of README.md, which TestDocumentsCompile holds to them.

func newClientForServer() (*assistants.Client, error) {
	return assistants.NewClient(
		assistants.WithAPIKey("sk-your-key"),
		assistants.WithBaseURL("https://assistants.example/v1"),
		assistants.WithTimeout(20*time.Second),
		assistants.WithMaxRetries(4),
	)
}

func newClientForTest() (*assistants.Client, error) {
	var n atomic.Int64
	return assistants.NewClient(assistants.WithHandler(server.New(
		server.WithClock(func() time.Time { return time.Unix(1698984975, 0) }),
		server.WithIDSource(func(prefix string) string {
			return fmt.Sprintf("%s_%03d", prefix, n.Add(1))
		}),
	)))
}

func Example_readme() {
	if _, err := newClientForServer(); err != nil {
		log.Fatal(err)
	}
	if _, err := newClientForTest(); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	client, err := assistants.NewClient(assistants.WithHandler(server.New()))
	if err != nil {
		log.Fatal(err)
	}
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        "gpt-4o",
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tutor.Name, "has", len(tutor.Tools), "tool")

	tutor, err = client.Assistants.Modify(ctx, tutor.ID, assistants.AssistantModifyParams{
		Name:        assistants.Set("Patient Tutor"), // set
		Description: assistants.Null[string](),       // cleared
		Metadata:    assistants.Set(assistants.Metadata{"team": "maths"}),
		// Instructions and all the rest are left alone.
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tutor.Name, tutor.Metadata, len(tutor.Tools))

	tools := append(tutor.Tools,
		assistants.Tool{FileSearch: &assistants.FileSearchOptions{MaxNumResults: 5}},
		assistants.Tool{Function: &assistants.FunctionDefinition{
			Name:        "lend",
			Description: "Lends a book to a reader.",
			Parameters:  json.RawMessage(`{"type":"object","properties":{"isbn":{"type":"string"}}}`),
		}},
	)
	tutor, err = client.Assistants.Modify(ctx, tutor.ID, assistants.AssistantModifyParams{Tools: tools})
	if err != nil {
		log.Fatal(err)
	}
	for _, tool := range tutor.Tools {
		fmt.Println(tool.Type)
	}

	for assistant, err := range client.Assistants.All(ctx, assistants.ListParams{Order: assistants.OrderAsc, Limit: 50}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistant.Name)
	}

	_, err = client.Assistants.Retrieve(ctx, "asst_gone")
	if errors.Is(err, assistants.ErrNotFound) {
		fmt.Println("It is gone.")
	}
	if e, ok := errors.AsType[*assistants.APIError](err); ok {
		fmt.Println(e.StatusCode, e.Type, e.Message)
	}

	for range 2 {
		order := assistants.AssistantCreateParams{Model: "gpt-4o", Name: "Order 4711"}
		assistant, err := client.Assistants.Create(ctx, order, assistants.WithIdempotencyKey("order-4711"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistant.Name)
	}
	page, err := client.Assistants.List(ctx, assistants.ListParams{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(page.Data), "assistants")
	// Output:
	// Math Tutor has 1 tool
	// Patient Tutor map[team:maths] 1
	// code_interpreter
	// file_search
	// function
	// Patient Tutor
	// It is gone.
	// 404 invalid_request_error No assistant found with id 'asst_gone'.
	// Order 4711
	// Order 4711
	// 2 assistants
}
