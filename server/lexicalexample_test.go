package server_test

import (
	"context"
	"fmt"

	"github.com/assistants-go/assistants/server"
)

func ExampleNewLexicalRetriever() {
	ctx, retriever := context.Background(), server.NewLexicalRetriever()
	text := "Refunds are paid within 30 days. Batteries have a warranty of six months."
	err := retriever.Index(ctx, "vs_1", server.IndexedFile{
		ID: "file-1", Name: "handbook.md", Text: text,
		Chunks: []server.Span{{Start: 0, End: 32}, {Start: 33, End: len(text)}},
	})
	if err != nil {
		panic(err)
	}
	passages, err := retriever.Search(ctx, "vs_1", server.IndexQuery{
		Queries: []string{"When is a refund paid?"}, MaxResults: 1,
	})
	if err != nil {
		panic(err)
	}
	for _, p := range passages {
		fmt.Printf("%s %.2f: %s\n", p.FileName, p.Score, p.Text)
	}
	// Output: handbook.md 0.43: Refunds are paid within 30 days.
}
