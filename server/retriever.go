package server

import (
	"context"

	"github.com/assistants-go/assistants"
)

// A Retriever finds the passages of files that answer a question. The server extracts the text of files and cuts it
// into chunks; the retriever keeps them as it likes: [LexicalRetriever] by their words, another one by their
// embeddings. [WithRetriever] plugs one in.
//
// The contract, which the server relies on:
//
//   - Methods are safe for concurrent use. What a method has reported as done is seen by every later call.
//   - A store exists as soon as it is named; an unknown one is empty.
//   - What is indexed need not outlive the process: the server asks with Has, and indexes again what is missing.
//
// For one that works over a network:
//
//   - The server sets no deadlines. The contexts of Index, Has and Search end when nobody waits for the answer any
//     more; those of Describe, Remove and Drop may never end, and other changes of the same vector store wait while one
//     of these three runs. So a retriever that may have to wait gives up by itself.
//   - Before a store is searched for the first time in a process, Has is asked for each of its files, one after the
//     other: up to 10,000 times. If it is slow, the first search is.
//   - Index gets a file of up to five million tokens at once. Several files are indexed at the same time. A file may
//     leave its store meanwhile, or the store may be dropped: Remove for the file follows, and leaves nothing behind.
type Retriever interface {
	// Index adds a file to a store, in place of what is known of it there. Until it returns without an error, searches
	// may find the file as it was or not at all. With a [*FileError], the file fails for the reason that it gives; with
	// another error it fails with the code server_error, and the log has the text.
	Index(ctx context.Context, storeID string, file IndexedFile) error

	// Describe replaces the attributes of a file in a store; for one that is not there it does nothing.
	Describe(ctx context.Context, storeID, fileID string, attributes assistants.Attributes) error

	// Has reports whether a file is indexed in a store: whether Index has returned without an error, and the file is
	// still there.
	Has(ctx context.Context, storeID, fileID string) (bool, error)

	// Remove takes a file out of a store, if it is there. After an error passages of it may be found again and again,
	// which the server leaves out.
	Remove(ctx context.Context, storeID, fileID string) error

	// Drop forgets a store with all of its files.
	Drop(ctx context.Context, storeID string) error

	// Search returns the passages of a store that answer a query, best first. Its error is that of the search.
	Search(ctx context.Context, storeID string, query IndexQuery) ([]Passage, error)
}

// An IndexedFile is a file as a [Retriever] gets it. It is not modified.
type IndexedFile struct {
	ID         string                // of the file
	Name       string                // of the file
	Attributes assistants.Attributes // in this store
	Text       string                // all of its text, in UTF-8
	Chunks     []Span                // in the order of the text; they may overlap
}

// A Span is a part of a text, from one byte up to another. It holds whole characters.
type Span struct {
	Start, End int // in bytes; End is behind the last one
}

// An IndexQuery is a question to a [Retriever].
type IndexQuery struct {
	Queries        []string           // at least one; a passage counts with the one that it answers best
	Filter         *assistants.Filter // of attributes; nil: all files
	MaxResults     int                // at least 1
	ScoreThreshold float64            // 0 to 1; passages that score less are left out
}

// A Passage is a chunk that a [Retriever] has found.
type Passage struct {
	FileID     string                // of its file
	FileName   string                // of its file
	Attributes assistants.Attributes // of its file in this store
	Text       string                // of the chunk
	Score      float64               // 0 to 1, comparable between stores
}
