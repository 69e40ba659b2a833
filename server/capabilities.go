package server

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/assistants-go/assistants"
)

// What a [Model] may be able to do besides answering: section 19 of docs/protocol.md.

// A Checker is a [Model] that says beforehand what it cannot do, so that nobody finds out by a failed run. A [Server] asks
// it when an assistant is made or changed, and when a run is.
type Checker interface {
	// Check returns why there can be no run of a model with these tools; nil if there can. It is called often, by many
	// goroutines, and does not ask anybody else. The error is shown to the caller, with status 400: [ErrUnknownModel] as
	// the API words it, any other in a sentence about the tools.
	Check(model string, tools []assistants.Tool) error
}

// ErrUnknownModel is the error of a [Checker] for a model that there is not. The caller sees code model_not_found.
var ErrUnknownModel = errors.New("server: no such model")

// A Lister is a [Model] that knows what models there are. GET /models lists them, unless [WithModelNames] does.
type Lister interface {
	// Models returns all models. What could be found out comes along with an error about the rest; the caller sees the
	// one, and the log has the other.
	Models(ctx context.Context) ([]ModelInfo, error)
}

// ModelInfo is a model as GET /models shows it.
type ModelInfo struct {
	ID        string               // its name
	CreatedAt assistants.Timestamp // zero is shown as 0
	OwnedBy   string               // "" is shown as "system"
}

// checkCapable refuses an assistant or a run that the model says it cannot do. No tools may be nil.
func (s *Server) checkCapable(model, tools json.RawMessage) error {
	checker, ok := s.model.(Checker)
	if !ok {
		return nil
	}
	var list []assistants.Tool
	if len(tools) > 0 {
		if err := json.Unmarshal(tools, &list); err != nil {
			return err
		}
	}
	name := decodeString(model)
	switch err := checker.Check(name, list); {
	case errors.Is(err, ErrUnknownModel):
		return errUnknownModel(name)
	case err != nil:
		return invalid("", "tools", "Invalid 'tools': %s.", err)
	}
	return nil
}
