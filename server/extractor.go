package server

import (
	"context"
	"errors"
	"io"
)

// An Extractor makes text of the contents of files, for file search to read; [WithExtractor] plugs one in.
type Extractor interface {
	// Extract returns the text of a file whose name is given and whose content is read once. The text is UTF-8. What
	// is no text to the extractor is [ErrUnsupportedFile], which may be wrapped: the file then fails with the code
	// unsupported_file. A [*FileError] says code and message itself; after another error the code is server_error and
	// only the log has the text. Extract is called by several goroutines at once, and returns when ctx ends.
	Extract(ctx context.Context, name string, content io.Reader) (text string, err error)
}

// ErrUnsupportedFile is the error of an [Extractor] for files that it can make no text of.
var ErrUnsupportedFile = errors.New("server: no text can be made of the file")

// A FileError is why a file could not be added to a vector store, in words that its last_error shows to the caller.
type FileError struct {
	Code    string // "unsupported_file", "invalid_file" or "server_error"; any other is the last of these
	Message string // for people; it must not hold secrets
}

// Error says both.
func (e *FileError) Error() string { return e.Code + ": " + e.Message }
