package replay

import (
	"context"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// An Operation is one row of the table of what the module does: how a call is recognized, made and prepared.
type Operation struct {
	// ID is what the API description calls the operation; in parentheses if it does not know it.
	ID     string
	Method string
	// Path is below /v1; an element in braces is any id.
	Path string

	// Call makes the same call with the typed client. What it returns is the answer, or an *assistants.Stream.
	Call func(ctx context.Context, c *assistants.Client, r Request) (any, error)
	// Served says that the server has the operation; the others are replayed with the client alone.
	Served bool
	// Presupposes are the objects that must exist for the service to have answered as it did. nil: none.
	Presupposes func(e *recording.Exchange) (Presupposed, error)
	// Creates says that a successful answer is a new object.
	Creates bool
	// Form is the field of a form that has the file, if the body is a form; "" otherwise.
	Form string
}

// Described reports whether the API description has the operation.
func (op *Operation) Described() bool { return !strings.HasPrefix(op.ID, "(") }

// Versionless reports whether requests need not say which version they are of, and may say any.
func (op *Operation) Versionless() bool {
	first := elementOf("/v1"+op.Path, 2)
	return first == "files" || first == "uploads" || first == "vector_stores"
}

// startsRun reports whether a run goes to work because of the operation.
func (op *Operation) startsRun() bool {
	return op.ID == "createRun" || op.ID == "createThreadAndRun" || op.ID == submitOperation
}

// Operations are all operations that are replayed. To add one, add its row. Where a path fits two of them the first
// counts: /threads/runs is no thread.
var Operations = slices.Concat(
	assistantOperations, runOperations, threadOperations, messageOperations,
	fileOperations, uploadOperations, vectorStoreOperations, storeFileOperations, fileBatchOperations, v1FileOperations,
)

// Find returns the operation that a method and a path name, with the ids in the path; nil if there is none.
func Find(method, path string) (op *Operation, ids []string) {
	for i := range Operations {
		if ids, ok := Operations[i].match(method, path); ok {
			return &Operations[i], ids
		}
	}
	return nil, nil
}

func (op *Operation) match(method, path string) (ids []string, ok bool) {
	want, got := strings.Split("/v1"+op.Path, "/"), strings.Split(path, "/")
	if method != op.Method || len(want) != len(got) {
		return nil, false
	}
	for i, element := range want {
		if strings.HasPrefix(element, "{") && got[i] != "" {
			ids = append(ids, got[i])
		} else if element != got[i] {
			return nil, false
		}
	}
	return ids, true
}

// slashOperation is no operation of the API description: an address with a slash too many.
const slashOperation = "(trailing slash)"
