package assistants_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// The function of this file is Go code of README.md, which TestDocumentsCompile holds to it.

func askFolder(ctx context.Context, client *assistants.Client, pattern, question string) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	var documents assistants.FileBatchUploadParams
	for _, path := range paths {
		file := assistants.VectorStoreFileUploadParams{File: assistants.FileUploadParams{Path: path}}
		documents.Files = append(documents.Files, file)
	}
	store, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{Name: pattern})
	if err != nil {
		return err
	}
	batch, failures := client.FileBatches.UploadAndPoll(ctx, store.ID, documents)
	if batch == nil || batch.Status != assistants.FileBatchCompleted {
		return failures
	} // otherwise they are nil, or tell which files were left out, each with its reason
	librarian, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:         "gpt-4o",
		Tools:         []assistants.Tool{{Type: assistants.ToolFileSearch}},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	})
	if err != nil {
		return err
	}
	thread := assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)}}
	run, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{AssistantID: librarian.ID, Thread: thread})
	if err != nil {
		return err
	}
	for message, err := range client.Messages.All(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID}) {
		if err != nil {
			return err
		}
		fmt.Println(message.ReplaceAnnotations(func(a assistants.Annotation) string { return "[" + a.FileID() + "]" }))
	}
	return nil
}

func Example_readmeFiles() {
	client, err := assistants.NewClient(assistants.WithHandler(server.New(server.WithIDSource(countedIDs()))))
	if err != nil {
		log.Fatal(err)
	}
	err = askFolder(context.Background(), client, "examples/filesearch/handbook/e*.md", "Who pays for repairs?")
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// This is what the files say.
	//
	// “Until then repairs are paid for by the company.” [file_1]
	//
	// I am a stand-in, not a model; server.WithModel plugs in a real one.
}
