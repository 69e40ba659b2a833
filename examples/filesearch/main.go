// Filesearch uploads a small handbook, has an assistant answer questions about it, and prints the answers with their
// citations as footnotes.
//
//	go run ./examples/filesearch
//	go run ./examples/filesearch "Who pays for repairs?"
//
// It runs on the embedded server, where a stand-in quotes what the server finds unless OPENAI_API_KEY,
// AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names a model, or on the server that OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

//go:embed handbook/*.md
var handbook embed.FS

var questions = []string{
	"How many days of paid leave do I have?",
	"When are my expenses refunded?",
}

func main() {
	if len(os.Args) > 1 {
		questions = os.Args[1:]
	}
	endpoint.Main(run)
}

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	store, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{
		Name:         "Handbook",
		ExpiresAfter: &assistants.VectorStoreExpiration{Days: 1},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.VectorStores.Delete, store.ID, &err)

	pages, err := handbook.ReadDir("handbook")
	if err != nil {
		return err
	}
	var fileIDs []string
	for _, page := range pages {
		file, err := upload(ctx, client, page.Name())
		if err != nil {
			return err
		}
		defer endpoint.Remove(ctx, client.Files.Delete, file.ID, &err)
		fileIDs = append(fileIDs, file.ID)
	}
	batch, err := client.FileBatches.CreateAndPoll(ctx, store.ID, assistants.FileBatchCreateParams{FileIDs: fileIDs})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of %d pages can be searched.\n", batch.FileCounts.Completed, batch.FileCounts.Total)

	librarian, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:         endpoint.Model(),
		Instructions:  "Answer questions about the handbook of the company, from its pages alone.",
		Tools:         []assistants.Tool{{Type: assistants.ToolFileSearch}},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, librarian.ID, &err)

	for _, question := range questions {
		if err := ask(ctx, client, librarian.ID, question, out); err != nil {
			return err
		}
	}
	return nil
}

// upload uploads a page of the handbook.
func upload(ctx context.Context, client *assistants.Client, name string) (*assistants.File, error) {
	page, err := handbook.Open(path.Join("handbook", name))
	if err != nil {
		return nil, err
	}
	defer page.Close()
	return client.Files.Upload(ctx, assistants.FileUploadParams{File: page, Filename: name})
}

// ask has a question answered in a thread of its own.
func ask(ctx context.Context, client *assistants.Client, assistantID, question string, out io.Writer) (err error) {
	fmt.Fprintf(out, "\n%s\n\n", question)
	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)
	run, err := client.Runs.CreateAndPoll(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistantID})
	if err != nil {
		return err
	}
	if err := run.Err(); err != nil {
		return err
	}
	for message, err := range client.Messages.All(ctx, thread.ID, assistants.MessageListParams{RunID: run.ID, Order: assistants.OrderAsc}) {
		if err != nil {
			return err
		}
		if err := show(ctx, client, message, out); err != nil {
			return err
		}
	}
	return nil
}

// show prints a message, with a number in the place of each citation, and the files behind the numbers below.
func show(ctx context.Context, client *assistants.Client, message *assistants.Message, out io.Writer) error {
	var footnotes []string // the ids of files
	fmt.Fprintln(out, message.ReplaceAnnotations(func(a assistants.Annotation) string {
		footnotes = append(footnotes, a.FileID())
		return fmt.Sprintf("[%d]", len(footnotes))
	}))
	for i, id := range footnotes {
		file, err := client.Files.Retrieve(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "[%d] %s\n", i+1, file.Filename)
	}
	return nil
}
